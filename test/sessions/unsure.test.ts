import test, { type ExecutionContext } from 'ava'
import { ENDED } from '../../lib/sessions/content.ts'
import { storeId } from '../../lib/sessions/id.ts'
import { type AppOptions, gate, startApp, WIDE_DEADLINE } from './app.ts'
import { idOf, SESSION_HANDLERS } from './stored-app.ts'
import { STORES } from './stores.ts'
import { type Fate, unsure } from './unsure.ts'

for (const [name, { setup, can }] of Object.entries(STORES)) {
  /** An app whose store is well, another on the same sessions with a call that has a fate, and a browser that knows both. */
  const start = async (t: ExecutionContext, more: AppOptions = {}) => {
    const { open, now } = await setup(t)
    const well = await open()
    const store = unsure(well)
    const options = { now, handlers: SESSION_HANDLERS, ...more }
    const app = await startApp(t, { store: well, deadline: WIDE_DEADLINE, ...options })
    const other = await startApp(t, { store, deadline: WIDE_DEADLINE, ...options })
    const browser = app.browser()
    const doomed = async (path: string, call: 'create' | 'replace' | 'touch', fate: Fate) => {
      store.doom(call, fate)
      return other.browser().get(path, { cookie: browser.cookie })
    }
    const listed = async (user: string) => (can.includes('list') ? (await well.list!(user)).length : null)
    return { well, store, app, browser, doomed, listed }
  }

  for (const fate of ['late', 'lost'] as const) {
    test(`S1: ${name}: a login whose new session is stored and its answer ${fate} is 503, leaves the session as it was, and can be done again.`, async t => {
      const { store, browser, doomed, listed } = await start(t)
      await browser.get('/write')
      const answer = await doomed('/login?user=ada', 'create', fate)
      t.deepEqual([answer.status, answer.setCookies], [503, []])
      if (fate === 'late') await store.release()
      t.deepEqual((await browser.get('/read')).json, { views: 1 })
      if (fate === 'lost') t.true([0, null].includes(await listed('test:ada')), 'and what nobody has an id of is gone')
      await browser.get('/login?user=ada')
      t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' })
    })

    test(`S1: ${name}: a login where the end of the old session is ${fate} is 503: nobody is logged in by it, and nothing comes back.`, async t => {
      const { store, app, browser, doomed, listed } = await start(t)
      await browser.get('/login?user=ada')
      const old = browser.copy()
      const answer = await doomed('/login?user=bob', 'replace', fate)
      t.deepEqual([answer.status, answer.setCookies], [503, []])
      if (fate === 'late') await store.release()
      t.deepEqual((await browser.get('/read')).json, {}, 'what was to end has ended, late or not')
      t.true([0, null].includes(await listed('test:bob')))
      await browser.get('/login?user=bob')
      t.deepEqual((await browser.get('/read')).json, { user: 'bob' })
      t.deepEqual((await app.browser().get('/read', { cookie: old.cookie })).json, {})
    })

    for (const path of ['/logout', '/null']) {
      test(`S3: ${name}: ${path} whose answer from the store is ${fate} is 503 and never "logged out", and can be done again.`, async t => {
        const { well, store, browser, doomed } = await start(t)
        await browser.get('/login?user=ada')
        const thief = browser.copy()
        const answer = await doomed(path, 'replace', fate)
        t.deepEqual([answer.status, answer.setCookies], [503, []])
        t.notRegex(answer.text, /logged out/)
        if (fate === 'late') {
          t.deepEqual((await browser.get('/read')).json, { user: 'ada' }, 'it has not happened yet')
          await store.release()
        }
        t.is((await browser.get(path)).text, 'logged out')
        t.deepEqual((await well.read(storeId(idOf(thief))))?.data, ENDED)
        t.deepEqual((await thief.get('/read')).json, {})
      })
    }

    test(`S2: ${name}: a change whose answer from the store is ${fate} is 503, and brings nothing back after a logout.`, async t => {
      const { store, browser, doomed } = await start(t)
      await browser.get('/login?user=ada')
      const old = browser.copy()
      t.is((await doomed('/write', 'replace', fate)).status, 503)
      await browser.get('/logout')
      if (fate === 'late') await store.release()
      t.deepEqual((await old.get('/read')).json, {})
      t.deepEqual((await old.get('/write')).setCookies, [])
    })

    test(`T4: ${name}: a touch whose answer is ${fate} costs the request nothing.`, async t => {
      const { advance, ...clock } = await setup(t)
      const store = unsure(await clock.open())
      const app = await startApp(t, { store, now: clock.now, deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS })
      const browser = app.browser()
      await browser.get('/write')
      advance!(120_000)
      store.doom('touch', fate)
      t.deepEqual((await browser.get('/read')).json, { views: 1 })
      if (fate === 'late') await store.release()
      t.deepEqual((await browser.get('/read')).json, { views: 1 })
    })
  }

  test(`S3: ${name}: a logout that the client sent twice is one.`, async t => {
    const { well, browser, doomed } = await start(t)
    await browser.get('/login?user=ada')
    t.is((await doomed('/logout', 'replace', 'twice')).text, 'logged out')
    t.deepEqual((await well.read(storeId(idOf(browser))))?.data, ENDED)
  })

  test(`S6: ${name}: changes and new sessions that the client sent twice are kept, and so is a session under its new id.`, async t => {
    const { app, browser, doomed } = await start(t)
    const created = await doomed('/write', 'create', 'twice')
    const cookie = (line = '') => line.split(';')[0]!
    t.deepEqual((await app.browser().get('/read', { cookie: cookie(created.setCookies[0]) })).json, { views: 1 })
    await browser.get('/login?user=ada')
    t.is((await doomed('/write', 'replace', 'twice')).status, 200)
    t.like((await browser.get('/read')).json, { views: 1, user: 'ada' })
    for (const path of ['/regenerate', '/login?user=ada']) {
      const { setCookies } = await doomed(path, 'replace', 'twice')
      t.is(setCookies.length, 1, path)
      t.deepEqual((await browser.get('/read')).json, {}, 'the old id is over')
      browser.cookies.set('sid', cookie(setCookies[0]).slice('sid='.length))
      t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' }, path)
    }
  })

  test(`S2: ${name}: a request that writes while the end of its session is on its way in the store stores nothing after it.`, async t => {
    const held = gate()
    const { store, browser, doomed } = await start(t, {
      handlers: {
        ...SESSION_HANDLERS,
        '/slow': async ctx => {
          ctx.session.views = 100
          await held.pass()
          return ''
        },
      },
    })
    await browser.get('/login?user=ada')
    const slow = browser.copy().get('/slow')
    await held.reached
    await doomed('/logout', 'replace', 'late')
    await store.release()
    held.open()
    t.deepEqual((await slow).setCookies, [])
    t.deepEqual((await browser.get('/read')).json, {})
  })
}

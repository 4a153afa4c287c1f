import test, { type ExecutionContext } from 'ava'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { scaled } from '../scale.ts'
import { type Answer, type Browser, gate, type Handler, startApp, type TestApp, WIDE_DEADLINE } from './app.ts'
import { freezable } from './frozen.ts'
import { SESSION_HANDLERS } from './stored-app.ts'
import { STORES } from './stores.ts'

/** Paths of requests, all of which need the store where there is a cookie. */
const PATHS = ['/read', '/nothing', '/write', '/update', '/regenerate', '/login?user=bob', '/logout', '/null']

for (const [name, { setup }] of Object.entries(STORES)) {
  test(`T3: ${name}: frozen it is 503 with Retry-After by the deadline, and requests without a cookie do not notice.`, async t => {
    const { open, now } = await setup(t)
    const store = freezable(await open())
    const started = await startApp(t, { store, now, deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS })
    const { cookie } = await begun(started)
    store.freeze()
    const app = await startApp(t, { store, now, deadline: 50, handlers: SESSION_HANDLERS })
    for (const path of PATHS) {
      const start = performance.now()
      assertUnavailable(t, await app.browser().get(path, { cookie }), path)
      t.true(performance.now() - start < 10_000)
    }
    await assertPublic(t, app)
    store.thaw()
    t.like((await started.browser().get('/read', { cookie })).json, { views: 1, user: 'ada' })
  })

  test(`T4: ${name}: down it is 503 with Retry-After for who has a session, and pages for strangers are as ever; back it is used at once.`, async t => {
    const { open, now } = await setup(t)
    const working = await open()
    let down = false
    const store = new Proxy(working, {
      get(target, call) {
        const value: unknown = Reflect.get(target, call)
        if (typeof value !== 'function' || !down) return value
        return () => Promise.reject(new Error('connect ECONNREFUSED'))
      },
    })
    const app = await startApp(t, { store, now, deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS })
    const { cookie } = await begun(app)
    for (let outage = 0; outage < 2; outage++) {
      down = true
      for (const path of PATHS) assertUnavailable(t, await app.browser().get(path, { cookie }), path)
      await assertPublic(t, app)
      down = false
      t.like((await app.browser().get('/read', { cookie })).json, { views: 1, user: 'ada' })
    }
  })
}

/** Somebody who is logged in and has stored something. */
async function begun(app: TestApp): Promise<Browser> {
  const browser = app.browser()
  await browser.get('/login?user=ada')
  await browser.get('/write')
  return browser
}

function assertUnavailable(t: ExecutionContext, { status, headers, text, setCookies }: Answer, path: string): void {
  t.is(status, 503, path)
  t.is(headers['retry-after'], '2')
  t.is(text, 'Sessions are unavailable at the moment. Please try again shortly.')
  t.deepEqual(setCookies, [])
}

async function assertPublic(t: ExecutionContext, app: TestApp): Promise<void> {
  const stranger = app.browser()
  t.is((await stranger.get('/nothing')).text, 'nothing')
  t.deepEqual((await stranger.get('/read')).json, {})
  t.is((await stranger.get('/logout')).text, 'logged out')
  // But for what has to begin a session.
  for (const path of ['/write', '/login?user=bob']) assertUnavailable(t, await stranger.get(path), path)
}

test('T3: many requests to a frozen store leave a bounded number of calls behind; when it is back all is as before, without a restart.', async t => {
  const store = freezable(memoryStore())
  const app = await startApp(t, { store, deadline: 50, handlers: SESSION_HANDLERS })
  const browser = app.browser()
  await browser.get('/write')
  store.freeze()
  const waves = scaled(1000) / 50
  for (let wave = 0; wave < waves; wave++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => browser.get('/read')))
    t.true(answers.every(({ status }) => status === 503))
  }
  t.true(store.hanging <= 64 + 50 + waves, `${store.hanging} hang`)
  store.thaw()
  const start = performance.now()
  while ((await browser.get('/read')).status === 503) {
    if (performance.now() - start > 10_000) return t.fail('it takes one request after a deadline to be back')
  }
  const answers = await Promise.all(Array.from({ length: 100 }, () => browser.get('/read')))
  t.true(answers.every(({ status, json }) => status === 200 && json.views === 1))
  t.is((await browser.get('/write')).status, 200)
})

test('T3: requests of one session that wait for each other’s writes are all answered when the store freezes.', async t => {
  const store = freezable(memoryStore())
  const held = gate()
  let inside = 0
  const all = Promise.withResolvers<void>()
  const app = await startApp(t, {
    store,
    deadline: 100,
    handlers: {
      ...SESSION_HANDLERS,
      '/slow': async ctx => {
        ctx.session[`k${ctx.query.key}`] = 1
        if (++inside === 100) all.resolve()
        await held.pass()
        return ''
      },
    },
  })
  const browser = app.browser()
  await browser.get('/write')
  const running = Promise.all(Array.from({ length: 100 }, (_, key) => browser.get(`/slow?key=${key}`)))
  await all.promise
  store.freeze()
  const start = performance.now()
  held.open()
  for (const { status } of await running) t.is(status, 503)
  // One after the other would take 100 deadlines.
  t.true(performance.now() - start < 5000)
})

test('T3: with onUnavailable: "anonymous" pages go on as for strangers, writes are 503, and the cookie stays.', async t => {
  const store = freezable(memoryStore())
  const app = await startApp(t, { store, deadline: 50, onUnavailable: 'anonymous', handlers: SESSION_HANDLERS })
  const browser = app.browser()
  await browser.get('/login?user=ada')
  await browser.get('/write')
  const before = browser.cookie
  store.freeze()
  t.deepEqual((await browser.get('/read')).json, {})
  t.is((await browser.get('/nothing')).status, 200)
  for (const path of ['/write', '/update', '/regenerate', '/login?user=bob', '/logout', '/null']) {
    const answer = await browser.get(path)
    t.is(answer.status, 503, path)
    t.notRegex(answer.text, /logged out/)
  }
  t.is(browser.cookie, before)
  store.thaw()
  const start = performance.now()
  while ((await browser.get('/read')).json.user !== 'ada') {
    if (performance.now() - start > 10_000) return t.fail('it should be back')
  }
  t.pass()
})

test('T3: a request that went on as anonymous writes nothing into the session it did not see, also when the store is back by then.', async t => {
  const store = freezable(memoryStore())
  const back = (path: string): Handler => {
    return ctx => {
      store.thaw()
      return SESSION_HANDLERS[path]!(ctx)
    }
  }
  const paths = ['/write', '/save', '/update', '/regenerate', '/logout']
  const app = await startApp(t, {
    store,
    deadline: 50,
    onUnavailable: 'anonymous',
    handlers: { ...SESSION_HANDLERS, ...Object.fromEntries(paths.map(path => [`/back${path}`, back(path)])) },
  })
  const browser = app.browser()
  await browser.get('/login?user=ada')
  await browser.get('/write')
  for (const path of paths) {
    store.freeze()
    const answer = await browser.get(`/back${path}`)
    t.is(answer.status, 503, path)
    t.deepEqual(answer.setCookies, [])
    t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' }, path)
  }
})

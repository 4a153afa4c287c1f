import test from 'ava'
import { ENDED } from '../../lib/sessions/content.ts'
import { storeId } from '../../lib/sessions/id.ts'
import type { SessionRecord, SessionStore } from '../../lib/sessions/store.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { gate, type Handler, live, login, startApp, WIDE_DEADLINE } from './app.ts'
import { idOf, SESSION_HANDLERS, startOn } from './stored-app.ts'
import { STORES } from './stores.ts'

const MINUTE = 60_000
const DAY = 86_400_000

for (const [name, { setup }] of Object.entries(STORES)) {
  test(`C2: ${name}: the store knows a session by the hash of its id alone.`, async t => {
    const ids = new Set<unknown>()
    const { browser } = await startOn(t, {
      setup: async t => {
        const { open, ...clock } = await setup(t)
        const store = await open()
        const { read, create, replace } = store
        const known = {
          ...store,
          read: async (id: string) => ids.add(id) && read.call(store, id),
          create: async (id: string, record: SessionRecord) => ids.add(id) && create.call(store, id, record),
          replace: async (id: string, ...rest: [string, SessionRecord]) =>
            ids.add(id) && replace.call(store, id, ...rest),
        } as SessionStore
        return { ...clock, open: async () => known }
      },
    })
    await browser.get('/write')
    await browser.get('/write')
    t.deepEqual([...ids], [storeId(idOf(browser))])
    t.regex(storeId(idOf(browser)), /^[0-9a-f]{64}$/)
  })

  test(`S1: ${name}: a login gives a new id and keeps what the anonymous session held; the old cookie is anonymous, and its record ended.`, async t => {
    const { store, app, browser } = await startOn(t, { setup })
    await browser.get('/write')
    const attacker = browser.copy()
    const answer = await browser.get('/login?user=ada')
    t.is(answer.setCookies.length, 1)
    t.not(idOf(browser), idOf(attacker))
    t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' })
    t.deepEqual((await attacker.get('/read')).json, {})
    t.deepEqual((await store.read(storeId(idOf(attacker))))?.data, ENDED)
    t.is((await store.read(storeId(idOf(browser))))?.user, 'test:ada')
    // And what the attacker writes with it goes nowhere.
    t.deepEqual((await attacker.get('/write')).setCookies, [])
    t.deepEqual((await app.browser().get('/read', { cookie: attacker.cookie })).json, {})
  })

  test(`S1: ${name}: the same user's login keeps the data, another user's flushes it; each has a new id.`, async t => {
    const { browser } = await startOn(t, { setup })
    await browser.get('/login?user=ada')
    await browser.get('/write')
    const first = browser.copy()
    await browser.get('/login?user=ada')
    t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' })
    const second = browser.copy()
    await browser.get('/login?user=bob')
    t.deepEqual((await browser.get('/read')).json, { user: 'bob' })
    t.is(new Set([idOf(first), idOf(second), idOf(browser)]).size, 3)
    for (const old of [first, second]) t.deepEqual((await old.get('/read')).json, {})
  })

  test(`S1: ${name}: users of two backends with one id are two users.`, async t => {
    const { browser } = await startOn(
      t,
      { setup },
      {
        handlers: {
          ...SESSION_HANDLERS,
          '/other': async ctx => {
            await live(ctx).logIn({ backend: 'other', id: 'ada', stamp: '' })
            return ''
          },
        },
      },
    )
    await browser.get('/login?user=ada')
    await browser.get('/write')
    await browser.get('/other')
    t.deepEqual((await browser.get('/read')).json, { user: 'ada' })
  })

  test(`S1: ${name}: a cookie that an attacker made up, or kept from long ago, does not become the session's.`, async t => {
    const { browser, advance } = await startOn(t, { setup })
    await browser.get('/write')
    const planted = browser.copy()
    advance(14 * DAY)
    await browser.get('/login?user=ada')
    t.not(idOf(browser), idOf(planted))
    t.deepEqual((await planted.get('/read')).json, {})
  })

  for (const end of ['/logout', '/null']) {
    test(`S3: ${name}: ${end} has ended the session in the store before it answers, and clears the cookie.`, async t => {
      const { store, browser } = await startOn(t, { setup })
      await browser.get('/login?user=ada')
      const thief = browser.copy()
      const answer = await browser.get(end)
      t.is(answer.text, 'logged out')
      t.regex(answer.setCookies[0]!, /^sid=; Max-Age=0/)
      t.is(browser.cookie, '')
      t.deepEqual((await store.read(storeId(idOf(thief))))?.data, ENDED)
      t.deepEqual((await thief.get('/read')).json, {})
    })

    test(`S3: ${name}: ${end} that the store fails is 503 and never "logged out": the cookie stays, and so does the session.`, async t => {
      let failing = false
      const { open, now } = await setup(t)
      const base = await open()
      const store: SessionStore = {
        ...base,
        async replace(id, version, record) {
          if (failing) throw new Error('read-only')
          return base.replace(id, version, record)
        },
        async destroy() {
          throw new Error('read-only')
        },
      }
      const browser = (await startApp(t, { store, now, deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS })).browser()
      await browser.get('/login?user=ada')
      const before = browser.cookie
      failing = true
      const answer = await browser.get(end)
      t.is(answer.status, 503)
      t.is(answer.headers['retry-after'], '2')
      t.notRegex(answer.text, /logged out/)
      t.deepEqual(answer.setCookies, [])
      t.is(browser.cookie, before)
      t.deepEqual((await browser.get('/read')).json, { user: 'ada' })
      failing = false
      t.is((await browser.get(end)).text, 'logged out')
      t.is(browser.cookie, '')
    })

    test(`S3: ${name}: ${end} ends the session also where it got another id meanwhile.`, async t => {
      const held = gate()
      const slowEnd: Handler = async ctx => {
        await held.pass()
        return SESSION_HANDLERS[end]!(ctx)
      }
      const { store, browser } = await startOn(t, { setup }, { handlers: { ...SESSION_HANDLERS, '/slow': slowEnd } })
      await browser.get('/login?user=ada')
      const slow = browser.get('/slow')
      await held.reached
      await browser.get('/regenerate')
      const renewed = browser.copy()
      held.open()
      await slow
      t.deepEqual((await renewed.get('/read')).json, {})
      t.deepEqual((await store.read(storeId(idOf(renewed))))?.data, ENDED)
    })
  }

  test(`S3: ${name}: a logout that arrives with the cookie from before a regenerate() ends the session that goes on.`, async t => {
    const { browser } = await startOn(t, { setup })
    await browser.get('/login?user=ada')
    const before = browser.copy()
    await browser.get('/regenerate')
    await browser.get('/regenerate')
    t.is((await before.get('/logout')).text, 'logged out')
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`S2: ${name}: a logout that arrives with the cookie from before a login leaves the login alone, and its cookie too.`, async t => {
    const { browser } = await startOn(t, { setup })
    await browser.get('/write')
    const before = browser.copy()
    await browser.get('/login?user=ada')
    t.deepEqual((await before.get('/logout')).setCookies, [])
    t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' })
  })

  for (const path of ['/write', '/save', '/update', '/regenerate', '/logout']) {
    test(`S2: ${name}: a request for ${path} whose record is removed from the store meanwhile brings nothing back and sends no cookie.`, async t => {
      const held = gate()
      const { store, browser } = await startOn(
        t,
        { setup },
        {
          handlers: {
            ...SESSION_HANDLERS,
            '/slow': async ctx => {
              await held.pass()
              return SESSION_HANDLERS[path]!(ctx as never)
            },
          },
        },
      )
      await browser.get('/login?user=ada')
      const old = browser.copy()
      const slow = browser.get('/slow')
      await held.reached
      await store.destroy(storeId(idOf(old)))
      held.open()
      const answer = await slow
      t.is(answer.status, 200)
      t.deepEqual(answer.setCookies, [])
      t.is(await store.read(storeId(idOf(old))), null)
      t.deepEqual((await old.get('/read')).json, {})
    })
  }

  test(`S1: ${name}: what stands in the place of an ended session is short-lived, also where a request on its way moved its expiry on.`, async t => {
    const { store, browser, now, advance } = await startOn(t, { setup })
    await browser.get('/write')
    const old = browser.copy()
    await browser.get('/login?user=ada')
    const marker = storeId(idOf(old))
    t.is((await store.read(marker))?.expiresAt, now() + MINUTE)
    // A request that had read the session before it ended does this a moment later.
    await store.touch(marker, now() + 14 * DAY)
    t.deepEqual((await old.get('/write')).setCookies, [])
    t.is((await store.read(marker))?.expiresAt, now() + MINUTE)
    advance(MINUTE)
    t.is((await old.get('/write')).setCookies.length, 1, 'after that it is a browser like any other')
  })

  test(`S4: ${name}: a request that finds its login void does not end the session that went on with a new one.`, async t => {
    const held = gate()
    const { browser } = await startOn(
      t,
      { setup },
      {
        handlers: {
          ...SESSION_HANDLERS,
          '/slow-expel': async ctx => {
            await held.pass()
            await live(ctx).expel()
            return ''
          },
          '/go-on': async ctx => {
            await live(ctx).logIn(login('ada', 'new stamp'), { afresh: false })
            return ''
          },
        },
      },
    )
    await browser.get('/login?user=ada')
    const slow = browser.copy().get('/slow-expel')
    await held.reached
    await browser.get('/go-on')
    held.open()
    t.deepEqual((await slow).setCookies, [])
    t.deepEqual((await browser.get('/read')).json, { user: 'ada' })
  })

  test(`S2: ${name}: a request that comes late with an ended session's cookie stores nothing and sends none, for a minute.`, async t => {
    const { store, browser, advance } = await startOn(t, { setup })
    await browser.get('/login?user=ada')
    const old = browser.copy()
    await browser.get('/logout')
    store.calls.length = 0
    for (const path of ['/write', '/save', '/update', '/regenerate', '/read']) {
      t.deepEqual((await old.get(path)).setCookies, [], path)
    }
    t.deepEqual([...new Set(store.calls)], ['read'])
    advance(MINUTE)
    t.is((await old.get('/write')).setCookies.length, 1, 'after that it is a browser like any other')
    t.deepEqual((await old.get('/read')).json, { views: 1 })
  })
}

test('A touch that fails costs the request nothing.', async t => {
  let time = 1_800_000_000_000
  const now = () => time
  const store = { ...memoryStore({ now }), touch: () => Promise.reject(new Error('read-only')) }
  const browser = (await startApp(t, { store, now, deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS })).browser()
  await browser.get('/write')
  time += 2 * MINUTE
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
})

test('A store that is written by others again and again is 503 in the end, and nothing of the change is stored.', async t => {
  const base = memoryStore()
  let contended = false
  const store: SessionStore = {
    ...base,
    replace: async (id, version, record) => (contended ? 'changed' : base.replace(id, version, record)),
  }
  const app = await startApp(t, { store, handlers: SESSION_HANDLERS })
  const browser = app.browser()
  await browser.get('/write')
  contended = true
  for (const path of ['/write', '/logout']) {
    const answer = await browser.get(path)
    t.is(answer.status, 503)
    t.is(answer.headers['retry-after'], '1')
    t.deepEqual(answer.setCookies, [])
  }
  t.is(app.errors[0]?.code, 'SESSION_CONTENDED')
  contended = false
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
})

test('A login to a session that others write again and again is 503 in the end, and leaves no second session.', async t => {
  const base = memoryStore()
  const records = new Set<string>()
  let contended = ''
  const store: SessionStore = {
    ...base,
    async create(id, record) {
      records.add(id)
      return base.create(id, record)
    },
    replace: async (id, version, record) => (id === contended ? 'changed' : base.replace(id, version, record)),
    async destroy(id) {
      records.delete(id)
      return base.destroy(id)
    },
  }
  const app = await startApp(t, { store, handlers: SESSION_HANDLERS })
  const browser = app.browser()
  await browser.get('/write')
  contended = [...records][0]!
  const answer = await browser.get('/login')
  t.deepEqual([answer.status, answer.setCookies], [503, []])
  t.is(app.errors[0]?.code, 'SESSION_CONTENDED')
  t.deepEqual([...records], [contended])
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
})

test('An id that is taken is not taken over: another is drawn, and a store that calls all taken is unavailable.', async t => {
  const base = memoryStore()
  let taken = 2
  const store: SessionStore = {
    ...base,
    create: async (id, record) => (taken-- > 0 ? null : base.create(id, record)),
  }
  const browser = (await startApp(t, { store, handlers: SESSION_HANDLERS })).browser()
  t.is((await browser.get('/write')).status, 200)
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
  taken = Number.POSITIVE_INFINITY
  t.is((await (await startApp(t, { store, handlers: SESSION_HANDLERS })).browser().get('/write')).status, 503)
})

test('A renewal that fails half-way leaves the session as it was, and no second one.', async t => {
  const base = memoryStore()
  const records = new Set<string>()
  let failing = false
  const store: SessionStore = {
    ...base,
    async create(id, record) {
      records.add(id)
      return base.create(id, record)
    },
    async replace(id, version, record) {
      if (failing) throw new Error('lost')
      return base.replace(id, version, record)
    },
    async destroy(id) {
      records.delete(id)
      return base.destroy(id)
    },
  }
  const browser = (await startApp(t, { store, handlers: SESSION_HANDLERS })).browser()
  await browser.get('/write')
  failing = true
  for (const path of ['/regenerate', '/login?user=ada']) {
    const answer = await browser.get(path)
    t.is(answer.status, 503)
    t.deepEqual(answer.setCookies, [])
  }
  failing = false
  t.is(records.size, 1)
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
})

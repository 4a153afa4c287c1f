import { subscribe } from 'node:diagnostics_channel'
import test, { type ExecutionContext } from 'ava'
import { ENDED } from '../../lib/sessions/content.ts'
import { storeId } from '../../lib/sessions/id.ts'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { scaled } from '../scale.ts'
import { type Browser, gate, type Handler, LOGINS, live, login, recorded, startApp } from './app.ts'
import { CORRUPT } from './corrupt.ts'
import { freezable } from './frozen.ts'
import { STORES } from './stores.ts'

const MINUTE = 60_000
const DAY = 86_400_000

const handlers: Record<string, Handler> = {
  ...LOGINS,
  '/nothing': () => 'nothing',
  '/write': ctx => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    return ''
  },
  '/save': async ctx => {
    await ctx.session.save()
    return ''
  },
  '/update': async ctx => {
    await ctx.updateSession(() => {})
    return ''
  },
  '/read': ctx => ({ ...ctx.session.toJSON(), user: live(ctx).login?.id }),
}

/** The id that a browser's cookie holds. */
function idOf(browser: Browser): string {
  return browser.cookies.get('sid')!.split('.')[0]!
}

function reasons(): string[] {
  const heard: string[] = []
  subscribe('koa-strata:session-gone', message => heard.push((message as { reason: string }).reason))
  return heard
}

for (const [name, setup] of Object.entries(STORES)) {
  const start = async (t: ExecutionContext, more: object = {}) => {
    const { open, now, advance } = await setup(t)
    const store = recorded(await open())
    const app = await startApp(t, { store, now, deadline: 30_000, handlers, ...more })
    return { store, app, now, advance: advance!, browser: app.browser() }
  }

  test(`C2: ${name}: the store knows a session by the hash of its id alone.`, async t => {
    const { store, browser } = await start(t)
    await browser.get('/write')
    t.is(await store.read(idOf(browser)), null)
    t.deepEqual((await store.read(storeId(idOf(browser))))?.data.views, 1)
  })

  test(`S1: ${name}: a login gives a new id and keeps what the anonymous session held; the old cookie is anonymous, and its record ended.`, async t => {
    const { store, app, browser } = await start(t)
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
    const { browser } = await start(t)
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
    const { browser } = await start(t, {
      handlers: {
        ...handlers,
        '/other': async (ctx: Parameters<Handler>[0]) => {
          await live(ctx).logIn({ backend: 'other', id: 'ada', stamp: '' })
          return ''
        },
      },
    })
    await browser.get('/login?user=ada')
    await browser.get('/write')
    await browser.get('/other')
    t.deepEqual((await browser.get('/read')).json, { user: 'ada' })
  })

  test(`S1: ${name}: a cookie that an attacker made up, or kept from long ago, does not become the session's.`, async t => {
    const { browser, advance } = await start(t)
    await browser.get('/write')
    const planted = browser.copy()
    advance(14 * DAY)
    await browser.get('/login?user=ada')
    t.not(idOf(browser), idOf(planted))
    t.deepEqual((await planted.get('/read')).json, {})
  })

  for (const end of ['/logout', '/null']) {
    test(`S3: ${name}: ${end} has ended the session in the store before it answers, and clears the cookie.`, async t => {
      const { store, browser } = await start(t)
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
      const browser = (await startApp(t, { store, now, handlers })).browser()
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
        return handlers[end]!(ctx)
      }
      const { store, browser } = await start(t, { handlers: { ...handlers, '/slow': slowEnd } })
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
    const { browser } = await start(t)
    await browser.get('/login?user=ada')
    const before = browser.copy()
    await browser.get('/regenerate')
    await browser.get('/regenerate')
    t.is((await before.get('/logout')).text, 'logged out')
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`S2: ${name}: a logout that arrives with the cookie from before a login leaves the login alone, and its cookie too.`, async t => {
    const { browser } = await start(t)
    await browser.get('/write')
    const before = browser.copy()
    await browser.get('/login?user=ada')
    t.deepEqual((await before.get('/logout')).setCookies, [])
    t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' })
  })

  for (const path of ['/write', '/save', '/update', '/regenerate', '/logout']) {
    test(`S2: ${name}: a request for ${path} whose record is removed from the store meanwhile brings nothing back and sends no cookie.`, async t => {
      const held = gate()
      const { store, browser } = await start(t, {
        handlers: {
          ...handlers,
          '/slow': async (ctx: Parameters<Handler>[0]) => {
            await held.pass()
            return handlers[path]!(ctx as never)
          },
        },
      })
      await browser.get('/login?user=ada')
      const old = browser.copy()
      const slow = browser.get('/slow')
      await held.reached
      await store.destroyAll!('test:ada')
      held.open()
      const answer = await slow
      t.is(answer.status, 200)
      t.deepEqual(answer.setCookies, [])
      t.is(await store.read(storeId(idOf(old))), null)
      t.deepEqual(await store.list!('test:ada'), [])
      t.deepEqual((await old.get('/read')).json, {})
    })
  }

  test(`S4: ${name}: a request that finds its login void does not end the session that went on with a new one.`, async t => {
    const held = gate()
    const { browser } = await start(t, {
      handlers: {
        ...handlers,
        '/slow-expel': async (ctx: Parameters<Handler>[0]) => {
          await held.pass()
          await live(ctx).expel()
          return ''
        },
        '/go-on': async (ctx: Parameters<Handler>[0]) => {
          await live(ctx).logIn(login('ada', 'new stamp'), { afresh: false })
          return ''
        },
      },
    })
    await browser.get('/login?user=ada')
    const slow = browser.copy().get('/slow-expel')
    await held.reached
    await browser.get('/go-on')
    held.open()
    t.deepEqual((await slow).setCookies, [])
    t.deepEqual((await browser.get('/read')).json, { user: 'ada' })
  })

  test(`S2: ${name}: a request that comes late with an ended session's cookie stores nothing and sends none, for a minute.`, async t => {
    const { store, browser, advance } = await start(t)
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

  test(`S5: ${name}: a session ends after the idle timeout without a request, and lasts while there are requests.`, async t => {
    const { browser, advance } = await start(t, { idleTimeout: DAY })
    await browser.get('/write')
    for (let day = 0; day < 5; day++) {
      advance(DAY - 1)
      t.is((await browser.get('/read')).json.views, 1)
    }
    advance(DAY)
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`S5: ${name}: a request that does not look at the session keeps it alive too.`, async t => {
    const { browser, advance } = await start(t, { idleTimeout: DAY })
    await browser.get('/write')
    for (let day = 0; day < 3; day++) {
      advance(DAY - 1)
      await browser.get('/nothing')
    }
    t.is((await browser.get('/read')).json.views, 1)
  })

  test(`S5: ${name}: the expiry is moved on at most once a minute, and only then.`, async t => {
    const { store, browser, advance } = await start(t)
    const touches = () => store.calls.splice(0).filter(call => call === 'touch').length
    await browser.get('/write')
    for (let second = 0; second < 60; second += 10) {
      await browser.get('/read')
      await browser.get('/nothing')
      advance(10_000)
    }
    t.is(touches(), 0)
    advance(1)
    await browser.get('/read')
    t.is(touches(), 1)
    for (let second = 0; second < 60; second += 10) {
      await browser.get('/read')
      advance(10_000)
    }
    t.is(touches(), 0)
    advance(1)
    await browser.get('/nothing')
    t.is(touches(), 1)
    await browser.get('/write')
    advance(59_000)
    await browser.get('/read')
    t.is(touches(), 0, 'a write moves it on as well')
  })

  test(`S5: ${name}: a short idle timeout is kept to the quarter of it.`, async t => {
    const { browser, advance } = await start(t, { idleTimeout: 8000 })
    await browser.get('/write')
    for (let times = 0; times < 10; times++) {
      advance(5999)
      t.is((await browser.get('/read')).json.views, 1)
    }
    advance(8000)
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`S5: ${name}: a shorter idle timeout holds for sessions that are there.`, async t => {
    const { open, now, advance } = await setup(t)
    const store = await open()
    const before = (await startApp(t, { store, now, idleTimeout: 30 * DAY, handlers })).browser()
    await before.get('/write')
    const after = (await startApp(t, { store, now, idleTimeout: DAY, handlers })).browser()
    t.is((await after.get('/read', { cookie: before.cookie })).json.views, 1)
    advance!(DAY)
    t.is((await after.get('/read', { cookie: before.cookie })).json.views, undefined)
  })

  test(`S5: ${name}: nothing extends the absolute timeout: no request, save, update, regenerate.`, async t => {
    const gone = reasons()
    const { browser, advance } = await start(t, { idleTimeout: 2 * DAY, absoluteTimeout: 10 * DAY })
    await browser.get('/write')
    const paths = ['/read', '/save', '/update', '/regenerate', '/write', '/nothing']
    for (let day = 1; day < 10; day++) {
      advance(DAY)
      await browser.get(paths[day % paths.length]!)
    }
    advance(DAY - 1)
    t.true((await browser.get('/read')).json.views >= 1)
    advance(1)
    t.deepEqual((await browser.get('/read')).json, {})
    t.true(gone.includes('absolute-timeout'))
    const { setCookies } = await browser.get('/write')
    t.is(setCookies.length, 1, 'and another session begins')
    t.deepEqual((await browser.get('/read')).json, { views: 1 })
  })

  test(`S5: ${name}: a login begins the absolute timeout anew.`, async t => {
    const { browser, advance } = await start(t, { absoluteTimeout: 10 * DAY })
    await browser.get('/write')
    advance(9 * DAY)
    await browser.get('/login?user=ada')
    advance(9 * DAY)
    t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' })
    advance(DAY)
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`S5: ${name}: nothing in the payload extends a session.`, async t => {
    const { browser, advance } = await start(t, {
      idleTimeout: DAY,
      handlers: {
        ...handlers,
        '/payload': (ctx: Parameters<Handler>[0]) => {
          ctx.session.expires = ctx.session.expiresAt = ctx.session.created = Number.MAX_SAFE_INTEGER
          ctx.session.cookie = { maxAge: 1e15, expires: '9999-01-01' }
          return ''
        },
        '/reserved': async (ctx: Parameters<Handler>[0]) => {
          for (const key of ['_created', '_expire', '_maxAge', '_session', 'maxAge']) {
            await t.throwsAsync(
              ctx.updateSession(draft => {
                draft[key] = Number.MAX_SAFE_INTEGER
              }),
              { code: 'SESSION_DATA_INVALID' },
            )
          }
          return ''
        },
      },
    })
    await browser.get('/payload')
    await browser.get('/reserved')
    advance(DAY)
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`T2: ${name}: what another application keeps under names that are not ours stays, and is not shown.`, async t => {
    const { store, browser } = await start(t)
    await browser.get('/write')
    const id = storeId(idOf(browser))
    const { version, ...record } = (await store.read(id))!
    const foreign = { _other: 1, save: 'x', __defineGetter__: 2, _expire: 9 }
    await store.replace(id, version, { ...record, data: { ...record.data, ...foreign } })
    t.deepEqual((await browser.get('/read')).json, { views: 1 })
    await browser.get('/write')
    const { data } = (await store.read(id))!
    t.like(data, { ...foreign, views: 2 })
  })
}

test('T2: a corrupt payload is dropped, whatever it is: the page answers, an event tells, and a new session can begin.', async t => {
  const gone = reasons()
  let payload: unknown
  const base = memoryStore()
  const store: SessionStore = {
    ...base,
    async read(id) {
      const found = await base.read(id)
      return found && payload !== base ? { ...found, data: payload as object } : found
    },
  }
  const app = await startApp(t, { store, handlers })
  for (const [what, data] of CORRUPT) {
    payload = base
    const browser = app.browser()
    await browser.get('/login?user=ada')
    payload = data
    gone.length = 0
    t.is((await browser.get('/nothing')).text, 'nothing', what)
    const answer = await browser.get('/read')
    t.is(answer.status, 200, what)
    t.deepEqual(answer.json, {}, what)
    t.true(gone.includes('corrupt'), what)
    t.is((await browser.get('/logout')).text, 'logged out', what)
    const old = browser.cookie
    t.is((await browser.get('/write')).status, 200, what)
    t.not(browser.cookie, old, what)
    payload = base
    t.deepEqual((await browser.get('/read')).json, { views: 1 }, what)
  }
  t.deepEqual(app.errors, [])
  t.deepEqual(Object.keys(Object.prototype), [])
  t.is(({} as { polluted?: number }).polluted, undefined)
})

test('T2: a session that turns corrupt while a request runs is not written over.', async t => {
  const held = gate()
  const store = memoryStore()
  const app = await startApp(t, {
    store,
    handlers: {
      ...handlers,
      '/slow': async ctx => {
        ctx.session.views = 5
        await held.pass()
        return ''
      },
    },
  })
  const browser = app.browser()
  await browser.get('/write')
  const slow = browser.get('/slow')
  await held.reached
  const id = storeId(idOf(browser))
  const { version, ...record } = (await store.read(id))!
  await store.replace(id, version, { ...record, data: { other: 1 } })
  held.open()
  t.deepEqual((await slow).setCookies, [])
  t.deepEqual((await store.read(id))?.data, { other: 1 })
})

test('T3: a store that never answers is 503 with Retry-After by the deadline, and requests without a cookie do not notice (T4).', async t => {
  const store = freezable(memoryStore())
  const app = await startApp(t, { store, deadline: 50, handlers })
  const browser = app.browser()
  await browser.get('/write')
  store.freeze()
  for (const path of ['/read', '/nothing', '/write', '/logout']) {
    const start = performance.now()
    const answer = await browser.get(path)
    t.true(performance.now() - start < 10_000)
    t.is(answer.status, 503, path)
    t.is(answer.headers['retry-after'], '2')
    t.regex(answer.text, /try again/)
    t.deepEqual(answer.setCookies, [])
  }
  const stranger = app.browser()
  t.is((await stranger.get('/nothing')).text, 'nothing')
  t.deepEqual((await stranger.get('/read')).json, {})
  const write = await stranger.get('/write')
  t.is(write.status, 503, 'but for one that has to begin a session')
  t.deepEqual(write.setCookies, [])
})

test('T3: many requests to a frozen store leave a bounded number of calls behind; when it is back all is as before, without a restart.', async t => {
  const store = freezable(memoryStore())
  const app = await startApp(t, { store, deadline: 50, handlers })
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
      ...handlers,
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
  const app = await startApp(t, { store, deadline: 50, onUnavailable: 'anonymous', handlers })
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
      return handlers[path]!(ctx)
    }
  }
  const paths = ['/write', '/save', '/update', '/regenerate', '/logout']
  const app = await startApp(t, {
    store,
    deadline: 50,
    onUnavailable: 'anonymous',
    handlers: { ...handlers, ...Object.fromEntries(paths.map(path => [`/back${path}`, back(path)])) },
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

test('A touch that fails costs the request nothing.', async t => {
  let time = 1_800_000_000_000
  const now = () => time
  const store = { ...memoryStore({ now }), touch: () => Promise.reject(new Error('read-only')) }
  const browser = (await startApp(t, { store, now, handlers })).browser()
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
  const app = await startApp(t, { store, handlers })
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
  const app = await startApp(t, { store, handlers })
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
  const browser = (await startApp(t, { store, handlers })).browser()
  t.is((await browser.get('/write')).status, 200)
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
  taken = Number.POSITIVE_INFINITY
  t.is((await (await startApp(t, { store, handlers })).browser().get('/write')).status, 503)
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
  const browser = (await startApp(t, { store, handlers })).browser()
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

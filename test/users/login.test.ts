import { setImmediate as turn } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import {
  cookieStore,
  DetachedUser,
  detachedUsers,
  memoryStore,
  type SessionStore,
  type SessionsOptions,
} from 'koa-strata'
import { sqlStore } from 'koa-strata/stores/sql'
import { storeId } from '../../lib/sessions/id.ts'
import { migratedSqlite } from '../database/sqlite.ts'
import { scaled } from '../scale.ts'
import { gate } from '../sessions/app.ts'
import {
  CARRIERS,
  directory,
  logIn,
  stampingDirectory,
  startUsersApp,
  type UsersContext,
  userOf,
  whoIs,
} from './app.ts'

const STORES = Object.entries(CARRIERS).filter(([name]) => name !== 'cookie')

for (const [name, open] of STORES) {
  test(`S1: ${name}: a login gives the session a new id, and the cookie from before it is anonymous.`, async t => {
    const app = await startUsersApp(t, await open(t))
    const victim = app.browser()
    await victim.get('/set?cart=7')
    const attacker = victim.copy()
    const answer = await logIn(victim, 'alice')
    t.is(answer.status, 200)
    t.is(answer.setCookies.length, 1)
    t.not(victim.cookie, attacker.cookie)
    t.deepEqual((await victim.get('/me')).json, { key: 'local:alice', session: { cart: '7' } })
    t.deepEqual((await attacker.get('/me')).json, { key: '', session: {} })
    t.is((await attacker.get('/set?evil=1')).setCookies.length, 0)
    t.deepEqual((await victim.get('/me')).json, { key: 'local:alice', session: { cart: '7' } })
  })

  test(`S1: ${name}: a login from nothing and a second one of the same user each give a new id, and the data stays.`, async t => {
    const app = await startUsersApp(t, await open(t))
    const alice = app.browser()
    await logIn(alice, 'alice')
    await alice.get('/set?draft=mine')
    const before = alice.copy()
    await logIn(alice, 'alice')
    t.not(alice.cookie, before.cookie)
    t.deepEqual((await alice.get('/me')).json, { key: 'local:alice', session: { draft: 'mine' } })
    t.is(await whoIs(before), '')
  })

  test(`S1: ${name}: the login of another user flushes the data, that of the same request included.`, async t => {
    const app = await startUsersApp(t, {
      ...(await open(t)),
      handlers: {
        async '/switch'(ctx) {
          ctx.session.written = 'before'
          await ctx.login((await ctx.authenticate({ username: 'bob', password: 'pw' }))!)
          const seen = ctx.session.toJSON()
          ctx.session.after = 1
          return seen
        },
      },
    })
    const browser = app.browser()
    await logIn(browser, 'alice')
    await browser.get('/set?secret=of-alice')
    const before = browser.copy()
    t.deepEqual((await browser.get('/switch')).json, {})
    t.deepEqual((await browser.get('/me')).json, { key: 'local:bob', session: { after: 1 } })
    t.is(await whoIs(before), '')
  })

  test(`S1: ${name}: users of the same id in two backends are two users, so that one's login flushes the other's data.`, async t => {
    const backends = [directory('one', { alice: { password: '1' } }), directory('two', { alice: { password: '2' } })]
    const app = await startUsersApp(t, { ...(await open(t)), backends })
    const browser = app.browser()
    await logIn(browser, 'alice', '1')
    await browser.get('/set?secret=1')
    await logIn(browser, 'alice', '2')
    t.deepEqual((await browser.get('/me')).json, { key: 'two:alice', session: {} })
  })

  test(`S1: ${name}: a login survives a handler that throws afterwards, with its cookie and its event.`, async t => {
    const app = await startUsersApp(t, {
      ...(await open(t)),
      handlers: {
        async '/fail'(ctx) {
          await ctx.login((await ctx.authenticate({ username: 'alice', password: 'pw' }))!)
          throw new Error('later')
        },
      },
    })
    const alice = app.browser()
    const answer = await alice.get('/fail')
    t.is(answer.status, 500)
    t.regex(String(answer.headers['cache-control']), /private/)
    t.is(await whoIs(alice), 'local:alice')
  })
}

test('S1: in the cookie, a login of another user flushes the data too, and the same user keeps it.', async t => {
  const app = await startUsersApp(t, await CARRIERS.cookie!(t))
  const browser = app.browser()
  await browser.get('/set?cart=7')
  await logIn(browser, 'alice')
  t.deepEqual((await browser.get('/me')).json, { key: 'local:alice', session: { cart: '7' } })
  await logIn(browser, 'alice')
  t.deepEqual((await browser.get('/me')).json, { key: 'local:alice', session: { cart: '7' } })
  await logIn(browser, 'bob')
  t.deepEqual((await browser.get('/me')).json, { key: 'local:bob', session: {} })
})

/** What a store would be that overwrites whatever it finds: the control of the races below. */
function overwriting(store: SessionStore): SessionStore {
  return {
    ...store,
    async replace(id, _version, record) {
      await store.destroy(id)
      return (await store.create(id, record)) ?? 'gone'
    },
  }
}

async function lateWriters(
  t: ExecutionContext,
  carried: SessionsOptions,
  rounds: number,
): Promise<{ revived: number; cookies: number; lost: number }> {
  const gates = new Map<string, ReturnType<typeof gate>>()
  const app = await startUsersApp(t, {
    ...carried,
    handlers: {
      async '/late'(ctx) {
        const { session } = ctx
        await gates.get(String(ctx.query.round))!.pass()
        session.late = ctx.query.round
        return 'written'
      },
    },
  })
  const count = { revived: 0, cookies: 0, lost: 0 }
  const round = async (number: number) => {
    const browser = app.browser()
    const late = async (act: () => Promise<unknown>) => {
      const old = browser.copy()
      const stop = gate()
      gates.set(String(number), stop)
      const writing = old.copy().get(`/late?round=${number}`)
      await stop.reached
      await act()
      stop.open()
      count.cookies += (await writing).setCookies.length
      // One that arrives only now, with the cookie from before, and writes.
      count.cookies += (await old.copy().get('/set?later=1')).setCookies.length
      const { key, session } = (await old.get('/me')).json
      if (key !== '' || Object.keys(session).length > 0) count.revived++
    }
    await browser.get('/set?cart=1')
    await late(() => logIn(browser, 'alice'))
    if ((await whoIs(browser)) !== 'local:alice') count.lost++
    await late(() => logIn(browser, 'alice'))
    if ((await whoIs(browser)) !== 'local:alice') count.lost++
    const another = browser.copy()
    await late(() => browser.get('/logout'))
    if ((await whoIs(another)) !== '') count.revived++
  }
  const AT_ONCE = 20
  for (let first = 0; first < rounds; first += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, rounds - first) }, (_, index) => round(first + index)))
  }
  return count
}

for (const [name, open] of STORES) {
  test(`S2: ${name}: requests around a login or logout that write late revive nothing and send no cookie over the newer one.`, async t => {
    t.deepEqual(await lateWriters(t, await open(t), scaled(200)), { revived: 0, cookies: 0, lost: 0 })
  })
}

test('S2: the same late writers do revive sessions where the store overwrites what it finds, which is the control.', async t => {
  const { revived } = await lateWriters(t, { store: overwriting(memoryStore()) }, 20)
  t.true(revived > 0)
})

for (const [name, open] of STORES) {
  test(`S2: ${name}: a session that ended while it was to outlast logoutEverywhere stays ended, and no cookie is sent.`, async t => {
    const backends = [stampingDirectory('stamps', { alice: {} }), directory('epochs', { bob: {} })]
    const stop: Record<string, ReturnType<typeof gate>> = { alice: gate(), bob: gate() }
    const app = await startUsersApp(t, {
      ...(await open(t)),
      backends,
      handlers: {
        async '/late-everywhere'(ctx) {
          await stop[ctx.state.user.username]!.pass()
          await ctx.logoutEverywhere({ keepCurrent: true })
          return ctx.state.user.key || 'nobody'
        },
      },
    })
    for (const name of ['alice', 'bob']) {
      const browser = app.browser()
      await logIn(browser, name)
      const other = browser.copy()
      const keeping = other.get('/late-everywhere')
      await stop[name]!.reached
      await browser.get('/logout')
      stop[name]!.open()
      const answer = await keeping
      t.is(answer.text, 'nobody')
      t.is(answer.setCookies.length, 0)
      t.is(await whoIs(other), '')
    }
  })

  test(`S2: ${name}: a logout and a login at once leave the older cookie anonymous.`, async t => {
    const app = await startUsersApp(t, await open(t))
    const rounds = Array.from({ length: scaled(200) }, async () => {
      const browser = app.browser()
      await logIn(browser, 'alice')
      const old = browser.copy()
      await Promise.all([
        logIn(old.copy(), 'bob'),
        old.copy().get('/logout'),
        old.copy().get('/set?x=1'),
        turn().then(() => old.copy().get('/set?y=1')),
      ])
      return (await old.get('/me')).json
    })
    for (const after of await Promise.all(rounds)) t.deepEqual(after, { key: '', session: {} })
  })
}

const KINDS = {
  'users whose backend ends sessions': () => stampingDirectory('local', { alice: {}, bob: {} }),
  'users by epochs': () => directory('local', { alice: {}, bob: {} }),
  'detached users that are loaded': () =>
    detachedUsers({
      name: 'local',
      authenticate: async ({ username, password }) => (password === 'pw' ? { id: username! } : null),
      load: async id => ({ id }),
    }),
  'detached users in the session': () =>
    detachedUsers({
      name: 'local',
      authenticate: async ({ username, password }) => (password === 'pw' ? { id: username! } : null),
    }),
}

for (const [name, open] of Object.entries(CARRIERS)) {
  for (const [kind, make] of Object.entries(KINDS)) {
    test(`S4: ${name}: logoutEverywhere ends every session of ${kind} at its next request, and nobody else's.`, async t => {
      const app = await startUsersApp(t, { ...(await open(t)), backends: [make()] })
      const [here, there, elsewhere, bob] = [app.browser(), app.browser(), app.browser(), app.browser()]
      for (const browser of [here, there, elsewhere]) await logIn(browser, 'alice')
      await logIn(bob, 'bob')
      await there.get('/set?kept=no')
      const copy = here.copy()
      t.is((await here.get('/everywhere')).text, 'nobody')
      for (const browser of [here, copy, there, elsewhere]) {
        t.deepEqual((await browser.get('/me')).json, { key: '', session: {} })
      }
      t.is(await whoIs(bob), 'local:bob')
      await logIn(there, 'alice')
      t.deepEqual((await there.get('/me')).json, { key: 'local:alice', session: {} })
    })

    test(`S4: ${name}: logoutEverywhere with keepCurrent keeps this session of ${kind}, its data included.`, async t => {
      const app = await startUsersApp(t, { ...(await open(t)), backends: [make()] })
      const [here, there] = [app.browser(), app.browser()]
      for (const browser of [here, there]) await logIn(browser, 'alice')
      await here.get('/set?kept=yes')
      const copy = here.copy()
      t.is((await here.get('/everywhere?keep')).text, 'local:alice')
      t.deepEqual((await here.get('/me')).json, { key: 'local:alice', session: { kept: 'yes' } })
      t.is(await whoIs(there), '')
      t.is(await whoIs(copy), '', 'the cookie from before has ended too')
      await logIn(there, 'alice')
      t.is((await there.get('/everywhere?keep')).text, 'local:alice')
      t.is(await whoIs(here), '')
      t.is(await whoIs(there), 'local:alice')
    })

    test(`S4: ${name}: of two sessions of ${kind} that are each to outlast logoutEverywhere at once, one does.`, async t => {
      const both = Promise.withResolvers<void>()
      let waiting = 0
      const app = await startUsersApp(t, {
        ...(await open(t)),
        backends: [make()],
        handlers: {
          async '/at-once'(ctx) {
            if (++waiting === 2) both.resolve()
            await both.promise
            await ctx.logoutEverywhere({ keepCurrent: true })
          },
        },
      })
      const browsers = [app.browser(), app.browser()]
      for (const browser of browsers) await logIn(browser, 'alice')
      const third = browsers[0]!.copy()
      await Promise.all(browsers.map(browser => browser.get('/at-once')))
      t.deepEqual((await Promise.all(browsers.map(whoIs))).toSorted(), ['', 'local:alice'])
      t.is(await whoIs(third), '')
    })
  }

  if (name !== 'cookie') {
    for (const make of [directory, stampingDirectory]) {
      test(`S4: ${name}: of two sessions that are each to outlast logoutEverywhere in another process, one at most does (${make.name}).`, async t => {
        const [carried, backend] = [await open(t), make('local', { alice: {} })]
        const gates = [gate(), gate()]
        const apps = await Promise.all(
          gates.map(({ pass }) =>
            startUsersApp(t, {
              ...carried,
              backends: [backend],
              handlers: {
                async '/at-once'(ctx) {
                  await pass()
                  await ctx.logoutEverywhere({ keepCurrent: true })
                },
              },
            }),
          ),
        )
        const browsers = apps.map(app => app.browser())
        for (const browser of browsers) await logIn(browser, 'alice')
        const answers = browsers.map(browser => browser.get('/at-once'))
        await Promise.all(gates.map(({ reached }) => reached))
        for (const one of gates) one.open()
        await Promise.all(answers)
        const left = (await Promise.all(browsers.map(whoIs))).filter(key => key !== '')
        t.true(left.length <= 1, `${left.length} are left`)
      })
    }
  }

  const CHANGES: Record<string, (backend: ReturnType<typeof directory>) => void> = {
    'a new password': backend => {
      Object.assign(backend.accounts.get('alice')!, { password: 'new', stamp: '2' })
    },
    deactivation: backend => {
      backend.accounts.get('alice')!.isActive = false
    },
    deletion: backend => {
      backend.accounts.delete('alice')
    },
  }
  for (const [change, make] of Object.entries(CHANGES)) {
    for (const directoryOf of [directory, stampingDirectory]) {
      test(`S4: ${name}: ${change} ends every session at its next request (${directoryOf.name}).`, async t => {
        const backend = directoryOf('local', { alice: {}, bob: {} })
        const app = await startUsersApp(t, { ...(await open(t)), backends: [backend] })
        const [one, two, bob] = [app.browser(), app.browser(), app.browser()]
        await logIn(one, 'alice')
        await logIn(two, 'alice')
        await logIn(bob, 'bob')
        await one.get('/set?of=alice')
        make(backend)
        const copy = one.copy()
        for (const browser of [one, copy, two]) {
          t.deepEqual((await browser.get('/me')).json, { key: '', session: {} })
        }
        t.is(await whoIs(bob), 'local:bob')
        // Not even when everything is as it was before.
        backend.accounts.set('alice', directoryOf('local', { alice: {} }).accounts.get('alice')!)
        if (name !== 'cookie') for (const browser of [one, copy, two]) t.is(await whoIs(browser), '')
      })
    }
  }

  test(`S4: ${name}: a request that ends by the stamp shows nothing of the session and stores nothing in it.`, async t => {
    const backend = directory('local', { alice: {} })
    const app = await startUsersApp(t, { ...(await open(t)), backends: [backend] })
    const alice = app.browser()
    await logIn(alice, 'alice')
    backend.accounts.get('alice')!.stamp = '2'
    const late = alice.copy()
    t.is((await late.get('/set?x=1')).status, 200)
    t.deepEqual((await late.get('/me')).json, { key: '', session: {} })
    t.deepEqual((await alice.get('/me')).json, { key: '', session: {} })
  })
}

test('S4: where a store loses what it keeps of ended logins, they do not come back, be they in the store or in a cookie.', async t => {
  for (const make of [(store: SessionStore) => store, (epochs: SessionStore) => cookieStore({ epochs })]) {
    const store = memoryStore()
    const app = await startUsersApp(t, { store: make(store), backends: [directory('local', { alice: {} })] })
    const [here, asleep] = [app.browser(), app.browser()]
    await logIn(asleep, 'alice')
    await logIn(here, 'alice')
    await here.get('/everywhere')
    await store.destroy(storeId('epoch:local:alice'))
    t.is(await whoIs(asleep), '')
    await logIn(here, 'alice')
    t.is(await whoIs(here), 'local:alice')
    t.is(await whoIs(asleep), '')
    await store.destroy(storeId('epoch:local:alice'))
    t.is(await whoIs(here), '', 'and who was logged in is not any more')
  }
})

test('S4: with cookieStore, a logout ends the copies of the cookie too.', async t => {
  for (const make of Object.values(KINDS)) {
    const app = await startUsersApp(t, { store: cookieStore({ epochs: memoryStore() }), backends: [make()] })
    const [here, bob] = [app.browser(), app.browser()]
    await logIn(here, 'alice')
    await logIn(bob, 'bob')
    const copy = here.copy()
    t.is((await here.get('/logout')).status, 200)
    t.is(here.cookie, '')
    t.is(await whoIs(copy), '')
    t.is(await whoIs(bob), 'local:bob')
  }
})

test('S4: with cookieStore alone, nobody logs in whose sessions nobody could end, and the error says what to do.', async t => {
  const app = await startUsersApp(t, { store: cookieStore(), backends: [directory('local', { alice: {} })] })
  const alice = app.browser()
  const answer = await logIn(alice, 'alice')
  t.is(answer.status, 500)
  t.is(answer.text, 'Internal Server Error')
  t.is(alice.cookie, '')
  t.is(app.errors[0]!.code, 'SESSIONS_NOT_ENDABLE')
  t.regex(app.errors[0]!.message, /'local'.*cookieStore\(\{ epochs: .*endSessions\(id\)/)
})

test('S4: with cookieStore alone, users whose backend ends sessions log in and out.', async t => {
  const app = await startUsersApp(t, { store: cookieStore(), backends: [stampingDirectory('local', { alice: {} })] })
  const alice = app.browser()
  await logIn(alice, 'alice')
  const copy = alice.copy()
  t.is(await whoIs(alice), 'local:alice')
  await alice.get('/logout')
  t.is(await whoIs(copy), '')
})

test('S4: a detached user keeps a session only as long as the stamp that load answers is the one of the login.', async t => {
  let changed = 'monday'
  const app = await startUsersApp(t, {
    backends: [
      detachedUsers({
        name: 'ldap',
        authenticate: async ({ username }) => ({ id: username!, stamp: changed }),
        load: async id => (changed === 'gone' ? null : { id, stamp: changed }),
      }),
    ],
  })
  const one = app.browser()
  await logIn(one, 'uid=one')
  t.is(await whoIs(one), 'ldap:uid=one')
  changed = 'tuesday'
  t.is(await whoIs(one), '')
  await logIn(one, 'uid=one')
  t.is(await whoIs(one), 'ldap:uid=one')
  changed = 'gone'
  t.is(await whoIs(one), '')
})

test("S4: epochs are each user's own, whatever is in the id.", async t => {
  const ids = ['a', 'a:b', 'epoch:a', 'A', 'a ', '']
  const app = await startUsersApp(t, {
    backends: [
      detachedUsers({ name: 'one', authenticate: async ({ username }) => ({ id: username! }) }),
      detachedUsers({ name: 'two', authenticate: async ({ username }) => ({ id: username! }) }),
    ],
  })
  const browsers = ids.filter(Boolean).map(id => ({ id, browser: app.browser() }))
  for (const { id, browser } of browsers) await logIn(browser, id)
  await browsers[0]!.browser.get('/everywhere')
  for (const { id, browser } of browsers) t.is(await whoIs(browser), id === 'a' ? '' : `one:${id}`)
})

const NOBODY: [string, unknown, RegExp][] = [
  ['undefined', undefined, /ctx\.authenticate\(\) answered/],
  ['null', null, /ctx\.authenticate\(\) answered/],
  ['text', 'alice', /ctx\.authenticate\(\) answered/],
  ['an anonymous user', { isAuthenticated: false }, /ctx\.authenticate\(\) answered/],
  ['an inactive user', userOf('local', 'alice', { isActive: false }), /not active/],
  ['a user of a backend that is not there', userOf('else', 'alice'), /no backend of users\(\) is named 'else'/],
  ['a user without an id', { ...userOf('local', 'alice'), id: '' }, /id must be text that is not empty/],
  ['a user whose id is a number', { ...userOf('local', 'alice'), id: 5 }, /id must be text that is not empty/],
  ['a user with another key', { ...userOf('local', 'alice'), key: 'local:bob' }, /'<backend>:<id>' as key/],
  ['a user without a stamp', { ...userOf('local', 'alice'), stamp: undefined }, /AuthenticatedUser/],
  ['a user without hasPermission', { ...userOf('local', 'alice'), hasPermission: true }, /AuthenticatedUser/],
  ['a plain user of detachedUsers()', userOf('ldap', 'alice'), /'ldap' must be a DetachedUser/],
]

for (const [what, user, message] of NOBODY) {
  test(`ctx.login() refuses ${what}, says so, and logs nobody in.`, async t => {
    const app = await startUsersApp(t, {
      backends: [directory('local', { alice: {} }), detachedUsers({ name: 'ldap', authenticate: async () => null })],
      handlers: {
        '/force': async ctx => {
          await ctx.login(user as never)
        },
      },
    })
    const browser = app.browser()
    t.is((await browser.get('/force')).status, 500)
    t.is(browser.cookie, '')
    t.is(app.errors.length, 1)
    t.is(app.errors[0]!.code, 'LOGIN_INVALID')
    t.regex(app.errors[0]!.message, /^ctx\.login\(\): /)
    t.regex(app.errors[0]!.message, message)
  })
}

test('ctx.login() takes a DetachedUser that the application made, as after a login by OpenID.', async t => {
  const app = await startUsersApp(t, {
    backends: [detachedUsers({ name: 'oidc', authenticate: async () => null })],
    handlers: {
      async '/callback'(ctx) {
        await ctx.login(new DetachedUser({ backend: 'oidc', id: 'sub|1', username: 'Ann', permissions: ['read'] }))
      },
    },
  })
  const ann = app.browser()
  await ann.get('/callback')
  t.is((await ann.get('/user')).json.username, 'Ann')
})

test('Attributes that JSON would change are refused at login, with the place where they stand.', async t => {
  const app = await startUsersApp(t, {
    backends: [
      detachedUsers({ name: 'ldap', authenticate: async () => ({ id: 'a', attributes: { since: new Date() } }) }),
    ],
  })
  const browser = app.browser()
  t.is((await logIn(browser, 'a')).status, 500)
  t.is(app.errors[0]!.code, 'BACKEND_INVALID')
  t.regex(app.errors[0]!.message, /attributes\.since/)
  t.is(browser.cookie, '')
})

test('S1: a login of another user that cannot be stored leaves the session as it was, for a logout in the same request too.', async t => {
  const store = memoryStore()
  let isDown = false
  const create: typeof store.create = (...args) =>
    isDown ? Promise.reject(new Error('disk full')) : store.create(...args)
  const switchTo = async (ctx: UsersContext) => {
    const bob = (await ctx.authenticate({ username: 'bob', password: 'pw' }))!
    isDown = true
    ctx.session.written = 'before'
    await t.throwsAsync(ctx.login(bob), { code: 'SESSION_STORE_UNAVAILABLE' })
    isDown = false
    return { key: ctx.state.user.key, session: ctx.session.toJSON() }
  }
  const app = await startUsersApp(t, {
    store: { ...store, create },
    // Their stamps are their own: nothing but the session is to be stored.
    backends: [stampingDirectory('local', { alice: {}, bob: {} })],
    handlers: {
      '/stay': switchTo,
      async '/leave'(ctx) {
        await switchTo(ctx)
        await ctx.logout()
      },
    },
  })
  const browser = app.browser()
  await logIn(browser, 'alice')
  await browser.get('/set?draft=mine')
  const alices = { key: 'local:alice', session: { draft: 'mine', written: 'before' } }
  t.deepEqual((await browser.get('/stay')).json, alices)
  t.deepEqual((await browser.get('/me')).json, alices)

  const before = browser.copy()
  await browser.get('/leave')
  t.is(await whoIs(before), '')
})

test('A backend that fails to load makes 503, ends nothing, and the login is there when it is back.', async t => {
  let broken = false
  const backend = directory('local', { alice: {} })
  const { load } = backend
  backend.load = async id => {
    if (broken) throw new Error('secret host db7 is down')
    return load(id)
  }
  const app = await startUsersApp(t, { backends: [backend] })
  const alice = app.browser()
  await logIn(alice, 'alice')
  broken = true
  const answer = await alice.get('/me')
  t.is(answer.status, 503)
  t.is(answer.headers['retry-after'], '2')
  t.notRegex(answer.text, /db7|secret/)
  t.is(answer.setCookies.length, 0)
  t.is((await app.browser().get('/me')).status, 200, 'who has no session is not concerned')
  broken = false
  t.is(await whoIs(alice), 'local:alice')
})

test('logoutEverywhere ends the sessions even where the user cannot be loaded again afterwards.', async t => {
  const backend = stampingDirectory('local', { alice: {} })
  const { load } = backend
  let loads = 0
  const app = await startUsersApp(t, { backends: [backend] })
  const [here, there] = [app.browser(), app.browser()]
  await logIn(here, 'alice')
  await logIn(there, 'alice')
  backend.load = async id => {
    if (++loads === 2) throw new Error('down')
    return load(id)
  }
  t.is((await here.get('/everywhere?keep')).status, 503)
  t.is(await whoIs(there), '')
  t.is(await whoIs(here), '')
})

test('The epoch of a user lasts as long as a login that is bound to it, and no login from before it comes back.', async t => {
  let moment = Date.UTC(2026, 0, 1)
  const now = () => moment
  const hour = 3_600_000
  const store = sqlStore(await migratedSqlite(t), { now })
  const app = await startUsersApp(t, { store, now, idleTimeout: 1000 * hour, absoluteTimeout: 24 * hour })
  const [old, fresh] = [app.browser(), app.browser()]
  await logIn(old, 'alice')
  moment += hour
  const ender = app.browser()
  await logIn(ender, 'alice')
  await ender.get('/everywhere')
  moment += 20 * hour
  await logIn(fresh, 'alice')
  moment += 23 * hour
  t.is(await whoIs(fresh), 'local:alice')
  t.is(await whoIs(old), '')
})

import test from 'ava'
import { cookieStore, type ListedSession, memoryStore, type SessionStore, sessionOrBasicAuth } from 'koa-strata'
import { STORES, storesWith } from '../sessions/stores.ts'
import { directory, logIn, stampingDirectory, startUsersApp, userOf, whoIs } from './app.ts'

const MINUTE = 60_000

for (const [name, { setup }] of storesWith('list')) {
  test(`S10: ${name}: the list tells when each login was, when it was last seen, and which one asks.`, async t => {
    const { open, now, advance } = await setup(t)
    const start = now()
    const app = await startUsersApp(t, { store: await open(), now })
    const [one, two] = [app.browser(), app.browser()]
    await one.get('/set?before=login')
    advance!(MINUTE)
    await logIn(one, 'alice')
    advance!(10 * MINUTE)
    await logIn(two, 'alice')
    await logIn(app.browser(), 'bob')
    advance!(5 * MINUTE)
    await one.get('/ping')
    advance!(10_000)
    const listed = (await two.get('/sessions')).json as ListedSession[]
    const at = (minutes: number) => new Date(start + minutes * MINUTE).toISOString()
    t.deepEqual(
      listed.map(({ id: _, ...shown }) => shown as unknown),
      [
        { createdAt: at(11), lastSeenAt: new Date(start + 16 * MINUTE + 10_000).toISOString(), isCurrent: true },
        { createdAt: at(1), lastSeenAt: at(16), isCurrent: false },
      ],
    )
    t.is(new Set(listed.map(({ id }) => id)).size, 2)
  })

  test(`S10: ${name}: one session is ended by its entry, this one too, and all of them one after the other.`, async t => {
    const { open, now, advance } = await setup(t)
    const app = await startUsersApp(t, { store: await open(), now })
    const browsers = []
    for (let count = 0; count < 4; count++) {
      const browser = app.browser()
      await logIn(browser, 'alice')
      browsers.push(browser)
      advance!(MINUTE)
    }
    const [first, second, third, fourth] = browsers as [(typeof browsers)[0], ...typeof browsers] as typeof browsers
    const bob = app.browser()
    await logIn(bob, 'bob')
    const list = async () => (await first!.get('/sessions')).json as ListedSession[]
    const ofSecond = ((await second!.get('/sessions')).json as ListedSession[]).find(({ isCurrent }) => isCurrent)!
    t.is((await first!.get(`/end?id=${ofSecond.id}`)).text, 'local:alice')
    t.is(await whoIs(second!), '')
    t.is(await whoIs(third!), 'local:alice')
    t.is((await list()).length, 3)

    const current = (await list()).find(({ isCurrent }) => isCurrent)!
    const copy = first!.copy()
    const answer = await first!.get(`/end?id=${current.id}`)
    t.is(answer.text, 'nobody')
    t.is(first!.cookie, '')
    t.is(await whoIs(copy), '')

    t.is((await third!.get('/end')).text, 'nobody')
    t.is(await whoIs(third!), '')
    t.is(await whoIs(fourth!), '')
    t.is(await whoIs(bob), 'local:bob')
  })

  test(`S10: ${name}: the ids of the list log nobody in and end nothing of somebody else's.`, async t => {
    const app = await startUsersApp(t, { store: await (await setup(t)).open() })
    const [alice, bob] = [app.browser(), app.browser()]
    await logIn(alice, 'alice')
    await logIn(bob, 'bob')
    const [listed] = (await alice.get('/sessions')).json as ListedSession[]
    t.false(alice.cookie.includes(listed!.id))
    for (const cookie of [`sid=${listed!.id}`, `sid=${listed!.id.slice(0, 43)}.${'A'.repeat(43)}`]) {
      t.is((await app.browser().get('/me', { cookie })).json.key, '')
    }
    await bob.get(`/end?id=${listed!.id}`)
    t.is(await whoIs(alice), 'local:alice')
  })

  test(`S10: ${name}: what the stamp or the clock has ended is not listed.`, async t => {
    const { open, now, advance } = await setup(t)
    const backend = stampingDirectory('local', { alice: {} })
    const app = await startUsersApp(t, {
      store: await open(),
      now,
      backends: [backend],
      idleTimeout: 100 * MINUTE,
      absoluteTimeout: 60 * MINUTE,
    })
    const [one, two, three] = [app.browser(), app.browser(), app.browser()]
    await logIn(one, 'alice')
    await logIn(two, 'alice')
    backend.accounts.get('alice')!.stamp = 'new'
    await logIn(three, 'alice')
    t.is(((await three.get('/sessions')).json as unknown[]).length, 1)
    advance!(30 * MINUTE)
    const four = app.browser()
    await logIn(four, 'alice')
    t.is(((await four.get('/sessions')).json as unknown[]).length, 2)
    advance!(40 * MINUTE)
    t.is(((await four.get('/sessions')).json as unknown[]).length, 1)
  })

  test(`S10: ${name}: a session that was ended from the list stays ended, though a request of it was on its way.`, async t => {
    const reached = Promise.withResolvers<void>()
    const opened = Promise.withResolvers<void>()
    const app = await startUsersApp(t, {
      store: await (await setup(t)).open(),
      handlers: {
        async '/late'(ctx) {
          ctx.session.late = 1
          reached.resolve()
          await opened.promise
          return 'written'
        },
      },
    })
    const [mine, thief] = [app.browser(), app.browser()]
    await logIn(mine, 'alice')
    await logIn(thief, 'alice')
    const writing = thief.get('/late')
    await reached.promise
    for (const { id, isCurrent } of (await mine.get('/sessions')).json as ListedSession[]) {
      if (!isCurrent) await mine.get(`/end?id=${id}`)
    }
    opened.resolve()
    t.is((await writing).setCookies.length, 0)
    t.is(await whoIs(thief), '')
  })
}

test('Within one request an entry ends what it stood for, and not the session of a later login.', async t => {
  const app = await startUsersApp(t, {
    handlers: {
      async '/entry'(ctx) {
        const [listed] = await ctx.listSessions()
        await ctx.login((await ctx.authenticate({ username: 'bob', password: 'pw' }))!)
        await listed!.end()
        return ctx.state.user.key
      },
    },
  })
  const browser = app.browser()
  await logIn(browser, 'alice')
  t.is((await browser.get('/entry')).text, 'local:bob')
  t.is(await whoIs(browser), 'local:bob')
})

test('Nobody who is anonymous has sessions to list, whatever the store.', async t => {
  for (const store of [memoryStore(), cookieStore()]) {
    const app = await startUsersApp(t, { store, backends: [directory('local', {})] })
    const browser = app.browser()
    await browser.get('/set?cart=1')
    t.deepEqual((await browser.get('/sessions')).json, [])
  }
})

for (const [name, { setup, can }] of Object.entries(STORES)) {
  if (can.includes('list')) continue
  test(`S10: ${name}: it cannot list, which is an error that says which stores can; ending all sessions works.`, async t => {
    const { open, now } = await setup(t)
    const app = await startUsersApp(t, { store: await open(), now })
    const [here, there] = [app.browser(), app.browser()]
    await logIn(here, 'alice')
    await logIn(there, 'alice')
    t.is((await here.get('/sessions')).status, 500)
    t.is(app.errors[0]!.code, 'SESSIONS_NOT_LISTABLE')
    await here.get('/everywhere?keep')
    t.is(await whoIs(here), 'local:alice')
    t.is(await whoIs(there), '')
  })
}

test('S10: where the store cannot list, the error says which can.', async t => {
  const { list: _, destroyAll: __, ...bare } = memoryStore()
  for (const store of [bare as SessionStore, cookieStore({ epochs: memoryStore() })]) {
    const app = await startUsersApp(t, { store })
    const alice = app.browser()
    await logIn(alice, 'alice')
    t.is((await alice.get('/sessions')).status, 500)
    t.is(app.errors[0]!.code, 'SESSIONS_NOT_LISTABLE')
    t.is(
      app.errors[0]!.message,
      'This session store cannot list sessions: memcachedStore(), cookieStore() and djangoSessions() never can. ' +
        'Use one that has list(), such as sqlStore() or redisStore(). ctx.logoutEverywhere() needs no list.',
    )
  }
})

test('Records that another application or hand put there for the user are not in the list.', async t => {
  const store = memoryStore()
  const app = await startUsersApp(t, { store })
  const alice = app.browser()
  await logIn(alice, 'alice')
  const expiresAt = Date.now() + MINUTE
  const others: [string, unknown][] = [
    ['a', {}],
    ['b', { _ended: true }],
    ['c', { _created: 1 }],
    ['d', { _created: Date.now(), _login: { backend: 'local', id: 'alice' } }],
    ['e', { _created: Date.now(), _login: { backend: 'local', id: 'alice', stamp: 'other' } }],
    ['f', { _created: 'x', _login: null }],
  ]
  for (const [id, data] of others) await store.create(id, { data: data as object, user: 'local:alice', expiresAt })
  t.is(((await alice.get('/sessions')).json as unknown[]).length, 1)
})

test('A store that fails to list is 503, and nobody is logged out by it.', async t => {
  const store = memoryStore()
  const list = store.list!
  let broken = true
  store.list = async user => (broken ? Promise.reject(new Error('secret')) : list(user))
  const app = await startUsersApp(t, { store })
  const alice = app.browser()
  await logIn(alice, 'alice')
  const answer = await alice.get('/sessions')
  t.is(answer.status, 503)
  t.notRegex(answer.text, /secret/)
  broken = false
  t.is((await alice.get('/sessions')).json.length, 1)
})

test('A user by HTTP Basic sees and ends the sessions of their own, and makes none by it.', async t => {
  const app = await startUsersApp(t, {
    above: [
      async (ctx: never, next: () => Promise<void>) => {
        const { path } = ctx as { path: string }
        if (path.startsWith('/login')) await next()
        else await sessionOrBasicAuth({ realm: 'Test' })(ctx, next)
      },
    ],
  })
  const alice = app.browser()
  await logIn(alice, 'alice')
  const authorization = `Basic ${Buffer.from('alice:pw').toString('base64')}`
  const basic = app.browser()
  const listed = (await basic.get('/sessions', { authorization })).json as ListedSession[]
  t.deepEqual(
    listed.map(({ isCurrent }) => isCurrent),
    [false],
  )
  const kept = await basic.get('/everywhere?keep', { authorization })
  t.is(kept.text, 'local:alice')
  t.is(kept.setCookies.length, 0)
  t.is((await alice.get('/me')).status, 401)
  await logIn(alice, 'alice')
  t.is((await basic.get('/end', { authorization })).status, 200)
  t.is((await alice.get('/me')).status, 401)
})

for (const [name, { setup }] of storesWith('list')) {
  for (const [kind, backend] of Object.entries({ 'a stamping backend': stampingDirectory, 'a backend': directory })) {
    test(`S10: ${name}: somebody else's sessions, of ${kind}, can be listed and ended by whoever the application lets.`, async t => {
      const app = await startUsersApp(t, {
        store: await (await setup(t)).open(),
        backends: [backend('local', { alice: {}, bob: {} })],
        handlers: {
          '/of-alice': async ctx => ctx.listSessions(userOf('local', 'alice')),
          async '/end-alice'(ctx) {
            await ctx.endSessions({ backend: 'local', id: 'alice' })
            return ctx.state.user.key
          },
        },
      })
      const [one, two, bob] = [app.browser(), app.browser(), app.browser()]
      for (const [browser, who] of [
        [one, 'alice'],
        [two, 'alice'],
        [bob, 'bob'],
      ] as const)
        await logIn(browser, who)
      const listed = (await bob.get('/of-alice')).json as ListedSession[]
      t.deepEqual(
        listed.map(({ isCurrent }) => isCurrent),
        [false, false],
      )
      await bob.get('/end-alice')
      t.is(await whoIs(one), '')
      t.is(await whoIs(two), '')
      t.is(await whoIs(bob), 'local:bob')
      await logIn(one, 'alice')
      t.is((await one.get('/end-alice')).text, '')
      t.is(await whoIs(one), '')
      t.is(one.cookie, '')
    })
  }
}

test('S10: to end the sessions of a user whose backend is not there is an error that says so.', async t => {
  const app = await startUsersApp(t, {
    backends: [directory('local', {})],
    handlers: { '/end': async ctx => ctx.endSessions({ backend: 'other', id: '1' }) },
  })
  t.is((await app.browser().get('/end')).status, 500)
})

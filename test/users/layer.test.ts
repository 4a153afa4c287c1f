import test from 'ava'
import type { Middleware } from 'koa'
import {
  cookieStore,
  memoryStore,
  permissionOrBasicAuth,
  profiles,
  type SessionStore,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { storeId } from '../../lib/sessions/id.ts'
import { KEY, startApp } from '../sessions/app.ts'
import { STORES } from '../sessions/stores.ts'
import { CARRIERS, directory, logIn, stampingDirectory, startUsersApp, userOf, whoIs } from './app.ts'

test('ctx.state.user is there for everybody: anonymous without a login, and the user with one.', async t => {
  const app = await startUsersApp(t)
  const alice = app.browser()
  t.deepEqual((await alice.get('/user')).json, {
    id: '',
    backend: '',
    key: '',
    username: '',
    email: null,
    isAuthenticated: false,
    isStaff: false,
  })
  t.is((await logIn(alice, 'alice')).text, 'local:alice')
  const { key, isAuthenticated } = (await alice.get('/user')).json
  t.deepEqual({ key, isAuthenticated }, { key: 'local:alice', isAuthenticated: true })
})

test('Within one request the user follows login and logout.', async t => {
  const app = await startUsersApp(t, {
    handlers: {
      async '/both'(ctx) {
        const seen = [ctx.state.user.key]
        await ctx.login(userOf('local', 'alice'))
        seen.push(ctx.state.user.key)
        await ctx.login(userOf('local', 'bob'))
        seen.push(ctx.state.user.key)
        await ctx.logout()
        seen.push(ctx.state.user.key)
        return seen
      },
    },
  })
  const browser = app.browser()
  t.deepEqual((await browser.get('/both')).json, ['', 'local:alice', 'local:bob', ''])
  t.is(browser.cookie, '')
})

test('Setting ctx.state.user is an error, not a login that nothing knows of.', async t => {
  const app = await startUsersApp(t, {
    handlers: {
      '/set-user'(ctx) {
        ctx.state.user = userOf('local', 'alice')
      },
    },
  })
  t.is((await app.browser().get('/set-user')).status, 500)
  t.true(app.errors[0] instanceof TypeError)
})

test('Asking who has credentials logs nobody in and begins no session.', async t => {
  const app = await startUsersApp(t, {
    handlers: {
      async '/ask'(ctx) {
        const user = await ctx.authenticate({ username: 'alice', password: 'pw' })
        return [user?.key, ctx.state.user.key]
      },
    },
  })
  const answer = await app.browser().get('/ask')
  t.deepEqual(answer.json, ['local:alice', ''])
  t.is(answer.setCookies.length, 0)
})

test('The response varies by the cookie where the user was looked at, and only there.', async t => {
  const app = await startUsersApp(t, {
    handlers: {
      async '/ask'(ctx) {
        await ctx.authenticate({ username: 'alice', password: 'no' })
        return 'asked'
      },
    },
  })
  t.is((await app.browser().get('/ping')).headers.vary, undefined)
  t.is((await app.browser().get('/ask')).headers.vary, undefined)
  for (const path of ['/user', '/sessions']) t.is((await app.browser().get(path)).headers.vary, 'Cookie')
  const alice = app.browser()
  t.regex(String((await logIn(alice, 'alice')).headers['cache-control']), /private/)
  t.is((await alice.get('/sessions')).headers.vary, 'Cookie')
})

test('A logged-in user is loaded once a request, and nobody is loaded for an anonymous one.', async t => {
  const backend = directory('local', { alice: {} })
  const app = await startUsersApp(t, { backends: [backend] })
  const alice = app.browser()
  await alice.get('/set?x=1')
  t.deepEqual(backend.loaded, [])
  await logIn(alice, 'alice')
  t.deepEqual(backend.loaded, [])
  await alice.get('/user')
  t.deepEqual(backend.loaded, ['alice'])
})

for (const [name, open] of Object.entries(CARRIERS)) {
  test(`L6: ${name}: a session that names a backend which is no longer there is anonymous, and not ended.`, async t => {
    const carried = await open(t)
    const [old, fresh] = [directory('old', { alice: {} }), directory('local', { bob: {} })]
    const before = await startUsersApp(t, { ...carried, backends: [old, fresh] })
    const browser = before.browser()
    await logIn(browser, 'alice')
    await browser.get('/set?secret=1')
    const { cookie } = browser
    const app = await startUsersApp(t, { ...carried, backends: [fresh] })
    const after = await app.browser().get('/me', { cookie })
    t.is(after.status, 200)
    t.deepEqual(after.json, { key: '', session: {} })
    t.is((await app.browser().get('/everywhere', { cookie })).status, 200)
    t.deepEqual(app.errors, [])
    t.is(await whoIs(browser), 'old:alice', 'another application may know the backend')
  })

  test(`L6: ${name}: of two backends each session remembers its own, whatever their order becomes.`, async t => {
    const carried = await open(t)
    const [one, two] = [directory('one', { alice: { password: '1' } }), directory('two', { alice: { password: '2' } })]
    const first = await startUsersApp(t, { ...carried, backends: [one, two] })
    const browser = first.browser()
    await logIn(browser, 'alice', '2')
    const second = await startUsersApp(t, { ...carried, backends: [two, one] })
    t.is((await second.browser().get('/me', { cookie: browser.cookie })).json.key, 'two:alice')
    t.deepEqual(one.loaded, [])
  })
}

function failing(store: SessionStore): SessionStore & { failing: boolean } {
  const wrapped = new Proxy(store, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function' || !['replace', 'create', 'destroy'].includes(String(name))) return value
      return (...args: unknown[]) =>
        (wrapped as { failing?: boolean }).failing
          ? Promise.reject(new Error('disk is full'))
          : value.apply(target, args)
    },
  })
  return wrapped as SessionStore & { failing: boolean }
}

for (const [name, { setup, can }] of Object.entries(STORES)) {
  for (const path of ['/logout', '/everywhere', '/everywhere?keep', ...(can.includes('list') ? ['/end'] : [])]) {
    test(`S3: ${name}: where the store fails at ${path}, the answer is 503, no cookie is cleared, and the user is still logged in.`, async t => {
      const { open, now } = await setup(t)
      const store = failing(await open())
      const app = await startUsersApp(t, { store, now, backends: [directory('local', { alice: {} })] })
      const alice = app.browser()
      await logIn(alice, 'alice')
      store.failing = true
      const answer = await alice.get(path)
      t.is(answer.status, 503)
      t.is(answer.headers['retry-after'], '2')
      t.notRegex(answer.text, /disk/)
      t.deepEqual(answer.setCookies, [])
      store.failing = false
      t.is(await whoIs(alice), 'local:alice')
      t.is((await alice.get(path)).status, 200)
      t.is(await whoIs(alice), path.endsWith('keep') ? 'local:alice' : '')
    })
  }

  test(`S3: ${name}: when the logout is answered, the record has ended in the store.`, async t => {
    const { open, now } = await setup(t)
    const store = await open()
    let ended: boolean | undefined
    const app = await startUsersApp(t, {
      store,
      now,
      handlers: {
        async '/look'(ctx) {
          const id = storeId(ctx.cookies.get('sid')!.split('.')[0]!)
          await ctx.logout()
          ended = (await store.read(id))?.data._ended === true
          return 'out'
        },
      },
    })
    const alice = app.browser()
    await logIn(alice, 'alice')
    await alice.get('/look')
    t.true(ended)
    t.is(alice.cookie, '')
  })
}

test('S3: with cookieStore, where the epochs cannot be kept, a logout is 503 and the user is still logged in.', async t => {
  const epochs = failing(memoryStore())
  const app = await startUsersApp(t, { store: cookieStore({ epochs }) })
  const alice = app.browser()
  await logIn(alice, 'alice')
  epochs.failing = true
  for (const path of ['/logout', '/everywhere', '/everywhere?keep']) {
    const answer = await alice.get(path)
    t.is(answer.status, 503)
    t.deepEqual(answer.setCookies, [])
    t.is(await whoIs(alice), 'local:alice')
  }
  epochs.failing = false
  t.is((await alice.get('/logout')).status, 200)
  t.is(await whoIs(alice), '')
})

test('S3: with cookieStore, where the backend cannot end sessions, a logout is 503 and the user is still logged in.', async t => {
  const backend = stampingDirectory('local', { alice: {} })
  const { endSessions } = backend
  const app = await startUsersApp(t, { store: cookieStore(), backends: [backend] })
  const alice = app.browser()
  await logIn(alice, 'alice')
  backend.endSessions = async () => {
    throw new Error('disk is full')
  }
  for (const path of ['/logout', '/everywhere', '/everywhere?keep']) {
    const answer = await alice.get(path)
    t.is(answer.status, 503)
    t.notRegex(answer.text, /disk/)
    t.deepEqual(answer.setCookies, [])
    t.is(await whoIs(alice), 'local:alice')
  }
  backend.endSessions = endSessions!
  const copy = alice.copy()
  t.is((await alice.get('/logout')).status, 200)
  t.is(await whoIs(copy), '')
})

test('A logout of somebody anonymous is no error, and ends the session they had.', async t => {
  const app = await startUsersApp(t)
  const browser = app.browser()
  t.is((await browser.get('/logout')).status, 200)
  await browser.get('/set?cart=1')
  const copy = browser.copy()
  t.is((await browser.get('/logout')).status, 200)
  t.is(browser.cookie, '')
  t.deepEqual((await copy.get('/me')).json.session, {})
  t.is((await browser.get('/everywhere')).status, 200)
})

test('R1: nobody who is anonymous has a permission, not even one that every object has a name for.', async t => {
  const names = ['read', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'isSuperuser']
  const app = await startUsersApp(t, {
    handlers: { '/may': ctx => names.map(name => ctx.state.user.hasPermission(name)) },
    above: [profiles({ employer: { find: async () => ({}) } })],
  })
  t.deepEqual(
    (await app.browser().get('/may')).json,
    names.map(() => false),
  )
})

test('R1: a user who is deactivated has no session and no right, superuser or not.', async t => {
  const backend = directory('local', { root: { isSuperuser: true } })
  const app = await startUsersApp(t, {
    backends: [backend],
    handlers: { '/may': ctx => [ctx.state.user.key, ctx.state.user.hasPermission('read')] },
  })
  const root = app.browser()
  await logIn(root, 'root')
  t.deepEqual((await root.get('/may')).json, ['local:root', true])
  backend.accounts.get('root')!.isActive = false
  t.deepEqual((await root.get('/may')).json, ['', false])
  t.is((await logIn(root, 'root')).status, 401)
})

test('R2: a permission that is granted or revoked holds at the next request.', async t => {
  const backend = directory('local', { alice: {} })
  const app = await startUsersApp(t, {
    backends: [backend],
    handlers: { '/may': ctx => String(ctx.state.user.hasPermission('read')) },
  })
  const alice = app.browser()
  await logIn(alice, 'alice')
  t.is((await alice.get('/may')).text, 'false')
  backend.accounts.get('alice')!.permissions = ['read']
  t.is((await alice.get('/may')).text, 'true')
  backend.accounts.get('alice')!.permissions = []
  t.is((await alice.get('/may')).text, 'false')
})

test('users() without sessions() before it says which line to add.', async t => {
  const app = await startApp(t, { layers: [users({ backends: [directory('local', {})] })] as never[] })
  t.is((await app.browser().get('/')).status, 500)
  t.is(app.errors[0]!.code, 'LAYER_MISSING')
  t.is(
    app.errors[0]!.message,
    'users() needs ctx.session. Add app.use(sessions(…)) before it, or put sessions(…) before it in stack().',
  )
})

test('users() behind sessions() in the wrong order says the same.', async t => {
  const app = await startApp(t, {
    layers: [users({ backends: [directory('local', {})] }), sessions({ keys: [KEY] })] as never[],
  })
  t.is((await app.browser().get('/')).status, 500)
  t.is(
    app.errors[0]!.message,
    'users() needs ctx.session. Add app.use(sessions(…)) before it, or put sessions(…) before it in stack().',
  )
})

test('Inner sessions and users have their own user, and the outer ones have theirs again afterwards.', async t => {
  const seen: string[] = []
  const outer = stack(sessions({ keys: [KEY] }), users({ backends: [directory('outer', { alice: {} })] }))
  const inner = stack(
    sessions({ keys: [KEY], cookie: { name: 'admin' } }),
    users({ backends: [directory('inner', { root: {} })] }),
  )
  const look: Middleware = async (ctx, next) => {
    await next()
    seen.push(ctx.state.user.key)
    if (ctx.query.out !== undefined) await ctx.logout()
  }
  const app = await startApp(t, {
    layers: [outer, look, inner] as never[],
    handlers: {
      '/me': ctx => ctx.state.user.key,
      '/login-inner': ctx =>
        (ctx as { login(user: unknown): Promise<void> } & typeof ctx).login(userOf('inner', 'root')),
    },
  })
  const outerLogin = await startApp(t, {
    layers: [outer] as never[],
    handlers: {
      '/login': ctx => (ctx as { login(user: unknown): Promise<void> } & typeof ctx).login(userOf('outer', 'alice')),
    },
  })
  const browser = app.browser()
  const login = outerLogin.browser()
  await login.get('/login')
  browser.cookies.set('sid', login.cookies.get('sid')!)
  await browser.get('/login-inner')
  t.is((await browser.get('/me')).text, 'inner:root')
  t.deepEqual(seen, ['outer:alice', 'outer:alice'])
  await browser.get('/me?out')
  t.deepEqual([...browser.cookies.keys()], ['admin'], 'the outer session was logged out')
})

test('A logout by somebody who came by HTTP Basic leaves the session of the cookie beside it alone.', async t => {
  for (const [name, open] of Object.entries(CARRIERS)) {
    const permission = permissionOrBasicAuth('reports', { realm: 'Test' })
    const app = await startUsersApp(t, {
      ...(await open(t)),
      backends: [directory('local', { alice: {}, bob: { permissions: ['reports'] } })],
      handlers: {
        async '/out'(ctx) {
          await permission(ctx as never, async () => {})
          const by = ctx.state.user.key
          await ctx.logout()
          return `${by} ${ctx.state.user.isAnonymous}`
        },
      },
    })
    const alice = app.browser()
    await logIn(alice, 'alice')
    const authorization = `Basic ${Buffer.from('bob:pw').toString('base64')}`
    t.is((await alice.get('/out', { authorization })).text, 'local:bob true', name)
    t.is(await whoIs(alice), 'local:alice', name)
  }
})

test('A double click on "log out my other sessions" keeps the session that the first click kept.', async t => {
  const both = Promise.withResolvers<void>()
  let arrived = 0
  const app = await startUsersApp(t, {
    handlers: {
      async '/others'(ctx) {
        if (++arrived === 2) both.resolve()
        await both.promise
        await ctx.logoutEverywhere({ keepCurrent: true })
        return ctx.state.user.key
      },
    },
  })
  const alice = app.browser()
  const elsewhere = app.browser()
  await logIn(alice, 'alice')
  await logIn(elsewhere, 'alice')
  const clicks = await Promise.all([alice.get('/others'), alice.get('/others')])
  t.deepEqual(clicks.map(({ text }) => text).sort(), ['', 'local:alice'])
  t.is(await whoIs(alice), 'local:alice')
  t.is(await whoIs(elsewhere), '')
})

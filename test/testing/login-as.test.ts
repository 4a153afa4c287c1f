import http from 'node:http'
import net from 'node:net'
import Router from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import Koa, { type Middleware } from 'koa'
import compose from 'koa-compose'
import {
  type AuthenticatedUser,
  BackendUnavailable,
  cookieStore,
  DetachedUser,
  detachedUsers,
  LoginInvalid,
  memoryStore,
  OptionInvalid,
  profiles,
  requireLogin,
  SessionStoreUnavailable,
  type SessionsOptions,
  sameOrigin,
  sessions,
  stack,
  type UserBackend,
  users,
} from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { loginAs } from '../../lib/testing/index.ts'
import { migratedDatabase } from '../database/servers.ts'
import { heard } from '../heard.ts'
import { KEY, OTHER_KEY, WIDE_DEADLINE } from '../sessions/app.ts'
import { CARRIERS, directory, userOf } from '../users/app.ts'

const ALICE = userOf('local', 'alice')

function local(): UserBackend {
  return directory('local', { alice: {}, bob: {}, gone: { isActive: false } })
}

function layers(options: SessionsOptions = {}, backends: UserBackend[] = [local()]) {
  return stack(sessions({ keys: [KEY], deadline: WIDE_DEADLINE, ...options }), users({ backends }))
}

/** An application of these, which tells at every path who is there. */
function appOf(...middleware: unknown[]): Koa {
  const app = new Koa()
  for (const one of middleware) app.use(one as Middleware)
  app.use(ctx => {
    ctx.body = ctx.state.user?.key || 'nobody'
  })
  return app
}

/** Who a client with this cookie is, asked over a real connection. */
async function whoIs(t: ExecutionContext, app: Koa, cookie: string, path = '/', host = 'localhost'): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as net.AddressInfo
  return new Promise((resolve, reject) => {
    const headers = { cookie, host, 'x-forwarded-proto': 'https', connection: 'close' }
    const asked = http.get({ port, host: '127.0.0.1', path, headers }, async response => {
      resolve(Buffer.concat(await response.toArray()).toString())
    })
    asked.on('error', reject)
  })
}

for (const [name, open] of Object.entries(CARRIERS)) {
  test(`${name}: A client that sends what loginAs() answered is logged in.`, async t => {
    const app = appOf(layers(await open(t)))
    t.is(await whoIs(t, app, await loginAs(app, ALICE)), 'local:alice')
  })
}

test('Layers one by one, with others between, are as good as a stack.', async t => {
  const between: Middleware = (_ctx, next) => next()
  const app = appOf(between, sessions({ keys: [KEY] }), between, users({ backends: [local()] }), between)
  t.is(await whoIs(t, app, await loginAs(app, ALICE)), 'local:alice')
})

test('The keys and the proxy of the application hold.', async t => {
  const app = appOf(sessions({ cookie: { secure: true } }), users({ backends: [local()] }))
  Object.assign(app, { keys: [OTHER_KEY], proxy: true })
  const cookie = await loginAs(app, ALICE)
  t.regex(cookie, /^__Host-sid=[\w.-]+$/)
  t.is(await whoIs(t, app, cookie), 'local:alice')
})

test('A user of a database is logged in, and a password that changes ends it.', async t => {
  const { knex } = await migratedDatabase(t, 'sqlite')
  const accounts = sqlUsers(knex)
  const ada = await accounts.create({ username: 'ada' })
  const app = appOf(layers({}, [accounts]))
  const cookie = await loginAs(app, ada)
  t.is(await whoIs(t, app, cookie), ada.key)
  await accounts.setPassword(ada.id, 'seven wet umbrellas')
  t.is(await whoIs(t, app, cookie), 'nobody')
})

test('A detached user is logged in, whether a backend loads them or the session carries them.', async t => {
  for (const load of [undefined, async (id: string) => ({ id })]) {
    const ldap = detachedUsers({ name: 'ldap', authenticate: async () => null, load })
    const app = appOf(layers({}, [local(), ldap]))
    const user = new DetachedUser({ backend: 'ldap', id: 'cn=Ada Lovelace/ou=☃' })
    t.is(await whoIs(t, app, await loginAs(app, user)), user.key)
  }
})

test('Several people are logged in at once, each as themselves, and beside requests.', async t => {
  const app = appOf(layers())
  const people = ['alice', 'bob'].map(id => userOf('local', id))
  const logins = Array.from({ length: 40 }, async (_, index) => {
    const user = people[index % 2]!
    return [await whoIs(t, app, await loginAs(app, user)), user.key]
  })
  for (const [found, key] of await Promise.all(logins)) t.is(found, key)
})

test('Guards before the layers let it through: sameOrigin(), a redirect to https, a check of the proxy, an error page.', async t => {
  const httpsOnly: Middleware = (ctx, next) => (ctx.secure ? next() : ctx.redirect(`https://${ctx.host}${ctx.url}`))
  const ofProxy: Middleware = (ctx, next) => (ctx.get('x-forwarded-proto') === 'https' ? next() : ctx.throw(403))
  const knownHost: Middleware = (ctx, next) => (ctx.host === 'localhost' ? next() : ctx.throw(400))
  const errorPage: Middleware = async (ctx, next) => {
    try {
      await next()
    } catch {
      ctx.body = 'Something went wrong.'
    }
  }
  const app = appOf(errorPage, sameOrigin(), httpsOnly, ofProxy, knownHost, layers(), requireLogin())
  app.proxy = true
  t.is(await whoIs(t, app, await loginAs(app, ALICE)), 'local:alice')
})

test('A url decides about realms, and about the host that a cookie is for.', async t => {
  const admin = layers({ cookie: { name: 'admin' } }, [directory('staff', { sam: {} })])
  const site = layers({ cookie: { domain: 'example.org', secure: true } })
  const app = appOf((ctx: Koa.ParameterizedContext, next: Koa.Next) =>
    (ctx.path.startsWith('/admin') ? admin : site)(ctx as never, next),
  )
  const foreign = heard(t, 'koa-strata:cookie-domain')

  const cookie = await loginAs(app, ALICE, { url: 'https://shop.example.org' })
  t.regex(cookie, /^__Secure-sid=/)
  t.is(await whoIs(t, app, cookie, '/', 'shop.example.org'), 'local:alice')
  t.deepEqual(foreign, [])
  await t.throwsAsync(loginAs(app, ALICE, { url: 'https://localhost/admin' }), { instanceOf: LoginInvalid })
  const sam = await loginAs(app, userOf('staff', 'sam'), { url: 'http://localhost/admin?x' })
  t.regex(sam, /^admin=/)
  t.is(await whoIs(t, app, sam, '/admin/users'), 'staff:sam')
})

test('Of several users(), the first one that has the backend logs the user in.', async t => {
  const inner = layers({ cookie: { name: 'inner' } }, [directory('staff', { sam: {} }), local()])
  const app = appOf(layers(), inner)
  t.regex(await loginAs(app, ALICE), /^sid=[^;]+$/)
  const sam = await loginAs(app, userOf('staff', 'sam'))
  t.regex(sam, /^inner=[^;]+$/)
  t.is(await whoIs(t, app, sam), 'staff:sam')
})

test('A mounted application is reached by a path of its own.', async t => {
  const inner = compose([layers({ cookie: { name: 'inner' } }, [directory('staff', { sam: {} })]) as Middleware])
  const mounted: Middleware = (ctx, next) => (ctx.path.startsWith('/inner/') ? inner(ctx, next) : next())
  const app = appOf(layers(), mounted)
  const cookie = await loginAs(app, userOf('staff', 'sam'), { url: 'https://localhost/inner/none' })
  t.is(await whoIs(t, app, cookie, '/inner/page'), 'staff:sam')
  await t.throwsAsync(loginAs(app, userOf('staff', 'sam')), { instanceOf: LoginInvalid, message: /'staff'/ })
})

test('Cookies that others set come along, and those that are cleared do not.', async t => {
  const app = appOf((ctx: Koa.Context, next: Koa.Next) => {
    ctx.append('Set-Cookie', ['csrf=token; Path=/', 'old=; Max-Age=0; Path=/'])
    ctx.cookies.set('older', null)
    return next()
  }, layers())
  t.regex(await loginAs(app, ALICE), /^csrf=token; sid=[^;]+$/)
})

test.serial('The application stays as it is, hears of no error, and nothing listens.', async t => {
  const app = appOf(layers())
  const before = [...app.middleware]
  const { listen } = net.Server.prototype
  t.teardown(() => {
    net.Server.prototype.listen = listen
  })
  net.Server.prototype.listen = () => t.fail() as never
  await loginAs(app, ALICE)
  await t.throwsAsync(loginAs(app, userOf('local', 'gone', { isActive: false })))
  t.deepEqual(app.middleware, before)
  t.deepEqual(app.eventNames(), [])
})

test('What comes behind the layers does not run.', async t => {
  const app = appOf(layers(), () => t.fail())
  await t.notThrowsAsync(loginAs(app, ALICE))
})

test('The context of the application is there for its middleware.', async t => {
  const storage = new Koa({ asyncLocalStorage: true })
  storage.context.greeting = 'hello'
  storage.use((ctx, next) => {
    t.is(ctx.app, storage)
    t.is(storage.currentContext, ctx)
    t.is(ctx.greeting, 'hello')
    t.is(ctx.ip, '127.0.0.1')
    return next()
  })
  storage.use(layers())
  await loginAs(storage, ALICE)
})

const REFUSED: Record<string, { user?: AuthenticatedUser; message: RegExp }> = {
  'who is not active': { user: userOf('local', 'gone', { isActive: false }), message: /not active/ },
  'of another backend': { user: userOf('elsewhere', 'x'), message: /no backend of users\(\) is named 'elsewhere'/ },
  'who is none': { user: {} as AuthenticatedUser, message: /hand it a user/ },
}

for (const [which, { user, message }] of Object.entries(REFUSED)) {
  test(`A user ${which} is refused, also behind an error page.`, async t => {
    const errorPage: Middleware = (_ctx, next) => next().catch(() => {})
    for (const outside of [[], [errorPage]]) {
      await t.throwsAsync(loginAs(appOf(...outside, layers()), user!), { instanceOf: LoginInvalid, message })
    }
  })
}

test('An application without users(), or with them in a router, is told so.', async t => {
  const router = new Router().use(layers() as never).get('/', () => {})
  const message = /^loginAs\(\): no users\(\) was reached by GET https:\/\/localhost\/login-as\. Add it .+ router/
  for (const app of [new Koa(), new Koa().use(sessions({ keys: [KEY] })), new Koa().use(router.routes())])
    await t.throwsAsync(loginAs(app, ALICE), { message })
})

test('Who answers before the layers is told, by what they answered.', async t => {
  const page = appOf((ctx: Koa.Context) => {
    ctx.body = 'x'.repeat(1e6)
  }, layers())
  const redirect = appOf((ctx: Koa.Context) => ctx.redirect('https://other.example/'), layers())
  await t.throwsAsync(loginAs(page, ALICE), { message: /Something else answered 200\. / })
  await t.throwsAsync(loginAs(redirect, ALICE), { message: /answered 302 to https:\/\/other\.example\/\. / })
})

test('What the application throws on the way is what is thrown.', async t => {
  const thrown = new Error('of the application')
  const throwing = appOf(() => Promise.reject(thrown), layers())
  t.is(await t.throwsAsync(loginAs(throwing, ALICE)), thrown)
  const guarded = appOf(
    stack(sessions({ keys: [KEY] }), users({ backends: [local()] }), requireLogin({ redirect: '/login' })),
  )
  await t.throwsAsync(loginAs(guarded, ALICE), { message: /answered 303 to \/login/ })
  await t.throwsAsync(loginAs(appOf(sessions(), users({ backends: [local()] })), ALICE), { instanceOf: OptionInvalid })
})

test('A store or a profile source that fails is what is thrown.', async t => {
  const store = { ...memoryStore(), create: () => Promise.reject(new Error('down')) }
  await t.throwsAsync(loginAs(appOf(layers({ store })), ALICE), { instanceOf: SessionStoreUnavailable })
  const source = { find: () => Promise.reject(new Error('down')) }
  const app = appOf(layers(), profiles({ employer: source }))
  t.is(await whoIs(t, app, ''), 'nobody')
  const behind = appOf(stack(sessions({ keys: [KEY] }), users({ backends: [local()] }), profiles({ employer: source })))
  await t.throwsAsync(loginAs(behind, ALICE), { instanceOf: BackendUnavailable })
})

test('A cookie that is too large is told.', async t => {
  const user = new DetachedUser({ backend: 'ldap', id: 'x', attributes: { photo: 'x'.repeat(5000) } })
  const ldap = detachedUsers({ name: 'ldap', authenticate: async () => null })
  const app = appOf(layers({ store: cookieStore({ epochs: memoryStore() }) }, [ldap]))
  await t.throwsAsync(loginAs(app, user), { code: 'SESSION_COOKIE_TOO_LARGE' })
})

test('Options that are none are refused.', async t => {
  const app = appOf(layers())
  for (const options of [{ url: '/admin' }, { url: 'ftp://x' }, { url: 7 }, { host: 'x' }])
    await t.throwsAsync(loginAs(app, ALICE, options as never), { instanceOf: OptionInvalid })
})

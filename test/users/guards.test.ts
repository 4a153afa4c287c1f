import test from 'ava'
import Koa from 'koa'
import { type GuardOptions, OptionInvalid, requireLogin, requirePermission, sessions } from 'koa-strata'
import { KEY, startApp } from '../sessions/app.ts'
import { type Account, directory, logIn, startUsersApp, userOf } from './app.ts'

const GUARDS = {
  'requireLogin()': (options?: GuardOptions) => requireLogin(options),
  'requirePermission()': (options?: GuardOptions) => requirePermission('read', options),
}

const WRONG_OPTIONS: [string, unknown, option: string][] = [
  ['null', null, 'options'],
  ['text', '/login', 'options'],
  ['a list', ['/login'], 'options'],
  ['a misspelt option', { redirectTo: '/login' }, 'redirectTo'],
  ['an empty redirect', { redirect: '' }, 'redirect'],
  ['redirect: true', { redirect: true }, 'redirect'],
  ['redirect: null', { redirect: null }, 'redirect'],
  ['a redirect with a space', { redirect: '/log in' }, 'redirect'],
  ['a redirect with a newline', { redirect: '/login\r\nSet-Cookie: a=b' }, 'redirect'],
  ['a redirect that is not ASCII', { redirect: '/anmeldung-für-alle' }, 'redirect'],
  ['a redirect with a fragment', { redirect: '/login#form' }, 'redirect'],
]

for (const [name, guard] of Object.entries(GUARDS)) {
  for (const [what, options, option] of WRONG_OPTIONS) {
    test(`${name} with ${what} is an OptionInvalid that names '${option}'.`, t => {
      const error = t.throws(() => guard(options as GuardOptions), { instanceOf: OptionInvalid })
      t.is(error.where, name)
      t.is(error.option, option)
    })
  }

  test(`${name} without users() before it says which line to add.`, async t => {
    for (const layers of [[guard()], [sessions({ keys: [KEY] }), guard()]]) {
      const app = await startApp(t, { layers: layers as never[] })
      t.is((await app.browser().get('/')).status, 500)
      t.is(app.errors[0]!.code, 'LAYER_MISSING')
      t.is(
        app.errors[0]!.message,
        `${name} needs ctx.state.user. Add app.use(users(…)) before it, or put users(…) before it in stack().`,
      )
    }
  })

  test(`${name} answers 401 to anonymous users, with a challenge and without running the handler.`, async t => {
    const app = await startUsersApp(t, { above: [guard()], handlers: { '/in': () => t.fail() } })
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
      const answer = await app.browser().get('/in', {}, method)
      t.is(answer.status, 401)
      t.is(answer.headers['www-authenticate'], 'Cookie realm="login"')
      t.is(answer.headers.vary, 'Cookie')
      t.is(answer.text, method === 'HEAD' ? '' : 'Please log in first.')
    }
  })

  test(`${name} with a redirect sends anonymous readers to log in, and to what they asked for afterwards.`, async t => {
    const app = await startUsersApp(t, { above: [guard({ redirect: '/enter' })] })
    const asked = '/in?a=1&b=%2F%2Fevil.example#x'
    const answer = await app.browser().get(asked.replace('#x', ''))
    t.is(answer.status, 303)
    t.is(answer.headers.location, `/enter?next=${encodeURIComponent('/in?a=1&b=%2F%2Fevil.example')}`)
    t.is(answer.headers.vary, 'Cookie')
    t.is((await app.browser().get('/in', {}, 'HEAD')).status, 303)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      t.is((await app.browser().get('/in', {}, method)).status, 401, method)
    }
  })

  test(`${name} adds next to a redirect that has a query already, and to one of another site.`, async t => {
    for (const redirect of ['/enter?lang=de', 'https://login.example.org/?app=1']) {
      const app = await startUsersApp(t, { above: [guard({ redirect })] })
      t.is((await app.browser().get('/in')).headers.location, `${redirect}&next=%2Fin`)
    }
  })
}

test('requireLogin() lets anybody pass who is logged in.', async t => {
  const app = await startUsersApp(t, {
    backends: [directory('local', { alice: {} })],
    handlers: {
      async '/guarded'(ctx) {
        await requireLogin()(ctx as never, async () => {})
        return 'in'
      },
    },
  })
  const alice = app.browser()
  await logIn(alice, 'alice')
  const answer = await alice.get('/guarded')
  t.is(answer.text, 'in')
  t.is(answer.headers.vary, 'Cookie')
})

for (const [what, permission] of [
  ['none', undefined],
  ['an empty one', ''],
  ['null', null],
  ['a number', 5],
  ['a list', ['read']],
] as const) {
  test(`requirePermission() with ${what} is an OptionInvalid that names 'permission'.`, t => {
    const error = t.throws(() => requirePermission(permission as never), { instanceOf: OptionInvalid })
    t.is(error.where, 'requirePermission()')
    t.is(error.option, 'permission')
  })
}

const MAY: [string, Partial<Account>, permission: string, status: number][] = [
  ['a user without permissions', {}, 'read', 403],
  ['a user with another one', { permissions: ['write'] }, 'read', 403],
  ['a user with it', { permissions: ['read'] }, 'read', 200],
  ['staff without it', { isStaff: true }, 'read', 403],
  ['a superuser', { isSuperuser: true }, 'read', 200],
  ['a user without permissions, for __proto__', {}, '__proto__', 403],
  ['a user without permissions, for constructor', {}, 'constructor', 403],
  ['a user without permissions, for toString', {}, 'toString', 403],
]

for (const [what, account, permission, status] of MAY) {
  test(`R1: requirePermission() answers ${status} to ${what}.`, async t => {
    const app = await startUsersApp(t, {
      backends: [directory('local', { alice: account })],
      handlers: {
        async '/guarded'(ctx) {
          await requirePermission(permission)(ctx as never, async () => {})
          return 'in'
        },
      },
    })
    const alice = app.browser()
    await logIn(alice, 'alice')
    const answer = await alice.get('/guarded')
    t.is(answer.status, status)
    t.is(answer.text, status === 200 ? 'in' : 'You do not have the permission that this page needs.')
    if (status === 403) t.is((app.errors[0] as { permission?: string }).permission, permission)
  })
}

test('R1: a backend whose hasPermission answers a promise, or whatever is not true, grants nothing by it.', async t => {
  for (const answered of [Promise.resolve(true), 1, 'yes', {}]) {
    const user = { ...userOf('local', 'alice'), hasPermission: () => answered as unknown as boolean }
    const app = await startUsersApp(t, {
      backends: [{ name: 'local', authenticate: async () => user, load: async () => user }],
      handlers: {
        async '/guarded'(ctx) {
          await requirePermission('read')(ctx as never, async () => {})
          return 'in'
        },
      },
    })
    const alice = app.browser()
    await logIn(alice, 'alice')
    t.is((await alice.get('/guarded')).status, 403)
  }
})

test('A guard works with plain app.use, around whatever comes behind it.', t => {
  t.notThrows(() => new Koa().use(requireLogin() as never).use(requirePermission('read') as never))
})

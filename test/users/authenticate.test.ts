import test from 'ava'
import { AccessDenied, DetachedUser, detachedUsers, PasswordsBusy, type UserBackend } from 'koa-strata'
import { heard } from '../heard.ts'
import { directory, logIn, startUsersApp, type UsersHandler, userOf, whoIs } from './app.ts'

/** Hands the query's `c`, read as JSON, to ctx.authenticate. */
const ask: UsersHandler = async ctx => {
  const credentials = ctx.query.c === undefined ? undefined : JSON.parse(String(ctx.query.c))
  const user = await ctx.authenticate(credentials)
  return user?.key ?? 'nobody'
}

function asking(credentials: unknown): string {
  return credentials === undefined ? '/ask' : `/ask?c=${encodeURIComponent(JSON.stringify(credentials))}`
}

const NO_TEXT: [unknown, field: string][] = [
  [undefined, 'credentials'],
  [null, 'credentials'],
  ['alice:pw', 'credentials'],
  [5, 'credentials'],
  [true, 'credentials'],
  [[], 'credentials'],
  [['alice', 'pw'], 'credentials'],
  [{}, 'credentials'],
  [{ username: 'alice', password: null }, 'password'],
  [{ username: 'alice', password: 5 }, 'password'],
  [{ username: 'alice', password: true }, 'password'],
  [{ username: 'alice', password: ['pw'] }, 'password'],
  [{ username: 'alice', password: { $ne: '' } }, 'password'],
  [{ username: 0, password: 'pw' }, 'username'],
  [{ username: ['alice'], password: 'pw' }, 'username'],
  [{ username: { toString: 'alice' }, password: 'pw' }, 'username'],
  [{ username: null, password: 'pw' }, 'username'],
  [{ username: 'alice', password: 'pw', otp: 123456 }, 'otp'],
  [{ username: '', password: 5 }, 'password'],
  [{ 'a\nb': 5 }, 'credentials'],
  [{ ['x'.repeat(1000)]: 5 }, 'credentials'],
  [{ '<b>': [] }, 'credentials'],
]

for (const [given, field] of NO_TEXT) {
  test(`L2: credentials ${JSON.stringify(given)?.slice(0, 60)} are 400 and reach no backend.`, async t => {
    const backend = directory('local', { alice: {} })
    const app = await startUsersApp(t, { backends: [backend], handlers: { '/ask': ask } })
    const answer = await app.browser().get(asking(given))
    t.is(answer.status, 400)
    t.is(answer.text, `Credentials must be text: '${field}' is not.`)
    t.deepEqual(backend.asked, [])
  })
}

for (const given of [
  { username: '', password: '' },
  { username: 'alice', password: '' },
  { username: '', password: 'pw' },
  { password: '' },
  { username: 'alice', password: 'pw', otp: '' },
]) {
  test(`L2: empty credentials ${JSON.stringify(given)} are nobody's and reach no backend.`, async t => {
    const backend = directory('local', { alice: { password: '' }, '': {} })
    const app = await startUsersApp(t, { backends: [backend], handlers: { '/ask': ask } })
    const answer = await app.browser().get(asking(given))
    t.is(answer.text, 'nobody')
    t.deepEqual(backend.asked, [])
  })
}

test('L2: an object without a prototype, as form parsers make, is taken as it stands.', async t => {
  const app = await startUsersApp(t, {
    handlers: {
      '/bare': async ctx =>
        (await ctx.authenticate(Object.assign(Object.create(null), { username: 'alice', password: 'pw' })))?.key,
    },
  })
  t.is((await app.browser().get('/bare')).text, 'local:alice')
})

test('The backends are asked in their order, and the first that knows the credentials decides.', async t => {
  const order: string[] = []
  const backend = (name: string, knows: boolean): UserBackend => ({
    name,
    async authenticate() {
      order.push(name)
      return knows ? userOf(name, 'alice') : null
    },
    load: async id => userOf(name, id),
  })
  const silent: UserBackend = { name: 'silent', load: async id => userOf('silent', id) }
  const app = await startUsersApp(t, {
    backends: [backend('first', false), silent, backend('second', true), backend('third', true)],
  })
  const alice = app.browser()
  t.is((await logIn(alice, 'alice')).text, 'second:alice')
  t.deepEqual(order, ['first', 'second'])
  t.is(await whoIs(alice), 'second:alice')
})

test('L5: a backend that throws makes 503 with Retry-After, nothing of the cause in it, and the next one is not asked.', async t => {
  const cause = new Error('connect ECONNREFUSED db7.internal user=root')
  const broken: UserBackend = {
    name: 'broken',
    authenticate: async () => {
      throw cause
    },
    load: async () => null,
  }
  const second = directory('local', { alice: {} })
  const app = await startUsersApp(t, { backends: [broken, second] })
  const alice = app.browser()
  const answer = await logIn(alice, 'alice')
  t.is(answer.status, 503)
  t.is(answer.headers['retry-after'], '2')
  t.is(answer.text, 'Accounts are unavailable at the moment. Please try again shortly.')
  t.deepEqual(second.asked, [])
  t.is(alice.cookie, '')
  t.is(app.errors[0]!.code, 'BACKEND_UNAVAILABLE')
  t.is(app.errors[0]!.cause, cause)
  t.is((app.errors[0] as { backend?: string }).backend, 'broken')
})

for (const [what, authenticate] of Object.entries<() => never>({
  'throws at once, before it answers a promise': () => {
    throw new Error('secret')
  },
  'throws text': () => {
    throw 'secret'
  },
  'throws undefined': () => {
    throw undefined
  },
  'throws an error with a status of its own': () => {
    throw Object.assign(new Error('secret'), { status: 401, expose: true })
  },
})) {
  test(`L5: a backend that ${what} is 503.`, async t => {
    const app = await startUsersApp(t, { backends: [{ name: 'broken', authenticate, load: async () => null }] })
    const answer = await logIn(app.browser(), 'alice')
    t.is(answer.status, 503)
    t.notRegex(answer.text, /secret/)
  })
}

test.serial(
  'L5: a backend that is too busy to look says so itself: 503 with its own Retry-After, and operators are told.',
  async t => {
    const failures = heard(t, 'koa-strata:backend-error')
    const busy = directory('busy', {}, { authenticate: () => Promise.reject(new PasswordsBusy()) })
    const next = directory('next', { alice: {} })
    const app = await startUsersApp(t, { backends: [busy, next] })
    const answer = await logIn(app.browser(), 'alice')
    t.is(answer.status, 503)
    t.is(answer.headers['retry-after'], '5')
    t.is(app.errors[0]?.code, 'PASSWORDS_BUSY')
    t.deepEqual(
      failures.map(({ backend, error }) => [backend, (error as PasswordsBusy).code]),
      [['busy', 'PASSWORDS_BUSY']],
    )
    t.deepEqual(next.asked, [])
  },
)

test("L5: AccessDenied stops the stack: nobody is asked any more, and the credentials are nobody's.", async t => {
  const second = directory('local', { alice: {} })
  const strict: UserBackend = {
    name: 'strict',
    authenticate: async () => {
      throw new AccessDenied('locked by an administrator')
    },
    load: async () => null,
  }
  const app = await startUsersApp(t, { backends: [strict, second] })
  const answer = await logIn(app.browser(), 'alice')
  t.is(answer.status, 401)
  t.is(answer.text, 'wrong')
  t.deepEqual(second.asked, [])
})

test('L5: an inactive user is nobody, and no further backend is asked.', async t => {
  const first = directory('first', { alice: { isActive: false } })
  const second = directory('second', { alice: {} })
  const app = await startUsersApp(t, { backends: [first, second] })
  t.is((await logIn(app.browser(), 'alice')).status, 401)
  t.deepEqual(second.asked, [])
})

const NO_USER: [string, unknown, RegExp][] = [
  ['true', true, /no AuthenticatedUser/],
  ['text', 'alice', /no AuthenticatedUser/],
  ['an empty object', {}, /no AuthenticatedUser/],
  ['a row of a table', { id: 1, username: 'alice' }, /no AuthenticatedUser/],
  ['a user who is not authenticated', { ...userOf('local', 'a'), isAuthenticated: false }, /no AuthenticatedUser/],
  ['a user whose isAuthenticated is 1', { ...userOf('local', 'a'), isAuthenticated: 1 }, /no AuthenticatedUser/],
  ['a user without a stamp', { ...userOf('local', 'a'), stamp: null }, /no AuthenticatedUser/],
  ['a user with a number as id', { ...userOf('local', 'a'), id: 1 }, /id must be text/],
  ['a user with an empty id', userOf('local', ''), /id must be text that is not empty/],
  ['a user with an id of 1,025 bytes', userOf('local', 'x'.repeat(1025)), /at most 1024 bytes/],
  ['a user with half a character as id', userOf('local', '\ud800'), /well-formed Unicode/],
  ['a user of another backend', userOf('other', 'a'), /of backend 'other'/],
  ['a user with another key', { ...userOf('local', 'a'), key: 'local:b' }, /'<backend>:<id>' as key/],
  ['a DetachedUser of another backend', new DetachedUser({ backend: 'other', id: 'a' }), /of backend 'other'/],
]

for (const [what, answered, message] of NO_USER) {
  test(`A backend that answers ${what} is a mistake that the error names, not a login.`, async t => {
    const backends = [{ name: 'local', authenticate: async () => answered as never, load: async () => null }]
    const app = await startUsersApp(t, { backends })
    const browser = app.browser()
    const answer = await logIn(browser, 'alice')
    t.is(answer.status, 500)
    t.is(answer.text, 'Internal Server Error')
    t.is(app.errors[0]!.code, 'BACKEND_INVALID')
    t.regex(app.errors[0]!.message, /^Backend 'local' answered /)
    t.regex(app.errors[0]!.message, message)
    t.is(browser.cookie, '')
  })

  test(`A backend that loads ${what} is a mistake that the error names, and nobody's session.`, async t => {
    const backend = directory('local', { a: {} })
    const app = await startUsersApp(t, { backends: [backend] })
    const browser = app.browser()
    await logIn(browser, 'a')
    const { load } = backend
    backend.load = async () => answered as never
    t.is((await browser.get('/user')).status, 500)
    t.is(app.errors[0]!.code, 'BACKEND_INVALID')
    backend.load = load
    t.is(await whoIs(browser), 'local:a')
  })
}

test('A backend that loads another user than the one asked for logs nobody in as them.', async t => {
  const backend = directory('local', { alice: {}, root: { isSuperuser: true } })
  const app = await startUsersApp(t, { backends: [backend] })
  const alice = app.browser()
  await logIn(alice, 'alice')
  backend.load = async () => userOf('local', 'root', { isSuperuser: true })
  t.is((await alice.get('/user')).status, 500)
  t.regex(app.errors[0]!.message, /another user than the one that was asked for/)
})

for (const nothing of [null, undefined, false, 0, '']) {
  test(`A backend that answers ${JSON.stringify(nothing) ?? 'undefined'} does not know the credentials.`, async t => {
    const app = await startUsersApp(t, {
      backends: [
        { name: 'first', authenticate: async () => nothing as never, load: async () => null },
        directory('second', { alice: {} }),
      ],
    })
    t.is((await logIn(app.browser(), 'alice')).text, 'second:alice')
  })
}

test('X3: a detached user with the name of a local superuser is another user, without any of their rights.', async t => {
  const local = directory('local', { root: { isSuperuser: true, isStaff: true, permissions: ['all'], password: '1' } })
  const ldap = detachedUsers({
    name: 'ldap',
    authenticate: async ({ username, password }) => (password === '2' ? { id: username!, username: username! } : null),
  })
  const app = await startUsersApp(t, {
    backends: [local, ldap],
    handlers: {
      '/rights'({ state: { user } }) {
        return [user.key, user.username, user.isSuperuser, user.isStaff, user.hasPermission('all')]
      },
    },
  })
  const [root, other] = [app.browser(), app.browser()]
  await logIn(root, 'root', '1')
  await logIn(other, 'root', '2')
  t.deepEqual((await root.get('/rights')).json, ['local:root', 'root', true, true, true])
  t.deepEqual((await other.get('/rights')).json, ['ldap:root', 'root', false, false, false])
  await root.get('/everywhere')
  t.is(await whoIs(other), 'ldap:root')
})

test('A backend may ask for other fields than a name and a password, and is handed the request.', async t => {
  const app = await startUsersApp(t, {
    backends: [
      detachedUsers({
        name: 'token',
        authenticate: async ({ token }, ctx) => (token === ctx.get('x-expected') ? { id: 'bearer' } : null),
      }),
    ],
    handlers: { '/ask': ask },
  })
  t.is((await app.browser().get(asking({ token: 'abc' }), { 'x-expected': 'abc' })).text, 'token:bearer')
  t.is((await app.browser().get(asking({ token: 'abd' }), { 'x-expected': 'abc' })).text, 'nobody')
})

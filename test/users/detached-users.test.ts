import test, { type ExecutionContext } from 'ava'
import {
  cookieStore,
  DetachedUser,
  type DetachedUsersOptions,
  detachedUsers,
  memoryStore,
  OptionInvalid,
  profiles,
} from 'koa-strata'
import { sqlStore } from 'koa-strata/stores/sql'
import { migrate } from '../../lib/database/migrations.ts'
import { openSqlite, sqliteFile } from '../database/sqlite.ts'
import { logIn, startUsersApp, whoIs } from './app.ts'
import { DETACHED_IDS } from './detached-ids.ts'

const authenticate = async () => null

const WRONG: [string, unknown, option: string][] = [
  ['nothing', undefined, 'options'],
  ['null', null, 'options'],
  ['text', 'ldap', 'options'],
  ['no name', { authenticate }, 'name'],
  ['an empty name', { name: '', authenticate }, 'name'],
  ['a name with a colon', { name: 'a:b', authenticate }, 'name'],
  ['authenticate: null', { name: 'ldap', authenticate: null }, 'authenticate'],
  ['authenticate: text', { name: 'ldap', authenticate: 'yes' }, 'authenticate'],
  ['identify: null', { name: 'ldap', authenticate, identify: null }, 'identify'],
  ['identify that is a list', { name: 'ldap', authenticate, identify: ['a'] }, 'identify'],
  ['load: null', { name: 'ldap', authenticate, load: null }, 'load'],
  ['load: true', { name: 'ldap', authenticate, load: true }, 'load'],
  ['a misspelt option', { name: 'ldap', authenticate, loads: authenticate }, 'loads'],
]

for (const [what, options, option] of WRONG) {
  test(`detachedUsers() with ${what} is an OptionInvalid that names '${option}'.`, t => {
    const error = t.throws(() => detachedUsers(options as DetachedUsersOptions), { instanceOf: OptionInvalid })
    t.is(error.where, 'detachedUsers()')
    t.is(error.option, option)
  })
}

function circle(): Record<string, unknown> {
  const attributes: Record<string, unknown> = {}
  attributes.a = attributes
  return attributes
}

/** Served again over the same file, as after a restart. */
async function restarts(t: ExecutionContext, load: boolean): Promise<void> {
  const file = await sqliteFile(t)
  const first = openSqlite(t, file)
  await migrate(first)
  const backend = () =>
    detachedUsers({
      name: 'ldap',
      authenticate: async ({ username, password }) =>
        password === 'pw' ? { id: username!, username: 'shown', permissions: ['read'], attributes: { n: 1 } } : null,
      ...(load && {
        load: async (id: string) => ({ id, username: 'shown', permissions: ['read'], attributes: { n: 1 } }),
      }),
    })
  const start = (store: ReturnType<typeof sqlStore>) =>
    startUsersApp(t, {
      store,
      backends: [backend()],
      handlers: {
        '/all'({ state: { user } }) {
          const { id, key, username, attributes } = user as unknown as DetachedUser
          return {
            id,
            key,
            username,
            attributes,
            may: user.hasPermission('read'),
            detached: user instanceof DetachedUser,
          }
        },
      },
    })
  const before = await start(sqlStore(first))
  const cookies = new Map<string, string>()
  for (const id of DETACHED_IDS) {
    const browser = before.browser()
    t.is((await logIn(browser, id)).status, 200, id)
    for (let request = 0; request < 2; request++) t.is(await whoIs(browser), `ldap:${id}`)
    cookies.set(id, browser.cookie)
  }
  await first.destroy()
  const after = await start(sqlStore(openSqlite(t, file)))
  for (const id of DETACHED_IDS) {
    const answer = await after.browser().get('/all', { cookie: cookies.get(id)! })
    const expected = { id, key: `ldap:${id}`, username: 'shown', attributes: { n: 1 }, may: true, detached: true }
    t.deepEqual(answer.json, expected)
    const listed = await after.browser().get('/sessions', { cookie: cookies.get(id)! })
    t.is(listed.json.length, 1, id)
  }
}

test('Detached users of any id log in and stay logged in over requests and a restart, carried by the session.', t =>
  restarts(t, false))
test('Detached users of any id log in and stay logged in over requests and a restart, loaded at each request.', t =>
  restarts(t, true))

test('Without authenticate nobody comes by credentials, and whom the application has made logs in and stays so.', async t => {
  const backend = detachedUsers({ name: 'oidc' })
  t.is(backend.authenticate, undefined)
  const app = await startUsersApp(t, {
    backends: [backend],
    handlers: {
      '/callback': async ctx => {
        await ctx.login(new DetachedUser({ backend: 'oidc', id: 'https://login.example#1' }))
        return ctx.state.user.key
      },
    },
  })
  const browser = app.browser()
  t.is((await logIn(browser, 'https://login.example#1')).status, 401)
  await browser.get('/callback')
  t.is(await whoIs(browser), 'oidc:https://login.example#1')
})

test('Without load the session carries what authenticate answered, and a later login brings what is new.', async t => {
  let mail = 'old@example.org'
  const app = await startUsersApp(t, {
    backends: [detachedUsers({ name: 'ldap', authenticate: async () => ({ id: 'a', email: mail }) })],
  })
  const browser = app.browser()
  await logIn(browser, 'a')
  mail = 'new@example.org'
  t.is((await browser.get('/user')).json.email, 'old@example.org')
  await logIn(browser, 'a')
  t.is((await browser.get('/user')).json.email, 'new@example.org')
})

test('With load the user is asked for at each request, and nothing of them is in the session.', async t => {
  let mail = 'old@example.org'
  const store = memoryStore()
  const app = await startUsersApp(t, {
    store,
    backends: [
      detachedUsers({
        name: 'ldap',
        authenticate: async () => ({ id: 'a', email: mail }),
        load: async id => ({ id, email: mail }),
      }),
    ],
  })
  const browser = app.browser()
  await logIn(browser, 'a')
  mail = 'new@example.org'
  t.is((await browser.get('/user')).json.email, 'new@example.org')
  t.notRegex(JSON.stringify(await store.list!('ldap:a')), /example\.org/)
})

test('What load answers decides: null ends the session, an error is 503 and ends nothing.', async t => {
  let answer: () => Promise<{ id: string } | null> = async () => ({ id: 'a' })
  const app = await startUsersApp(t, {
    backends: [detachedUsers({ name: 'ldap', authenticate: async () => ({ id: 'a' }), load: () => answer() })],
  })
  const browser = app.browser()
  await logIn(browser, 'a')
  answer = async () => {
    throw new Error('ldap is down')
  }
  t.is((await browser.get('/me')).status, 503)
  answer = async () => ({ id: 'a' })
  t.is(await whoIs(browser), 'ldap:a')
  answer = async () => null
  t.is(await whoIs(browser), '')
  answer = async () => ({ id: 'a' })
  t.is(await whoIs(browser), '')
})

test('Sessions from before load was there, and from when it was, end without an error when that changes.', async t => {
  const store = memoryStore()
  const login = async () => ({ id: 'a' })
  const carried = await startUsersApp(t, { store, backends: [detachedUsers({ name: 'ldap', authenticate: login })] })
  const loaded = await startUsersApp(t, {
    store,
    backends: [detachedUsers({ name: 'ldap', authenticate: login, load: login })],
  })
  const [one, two] = [carried.browser(), loaded.browser()]
  await logIn(one, 'a')
  await logIn(two, 'a')
  t.is((await loaded.browser().get('/me', { cookie: one.cookie })).json.key, 'ldap:a')
  t.is((await carried.browser().get('/me', { cookie: two.cookie })).json.key, '')
})

for (const [what, identity] of Object.entries<unknown>({
  'without an id': {},
  'with an empty id': { id: '' },
  'with a number as id': { id: 5 },
  'that is text': 'alice',
  'that is true': true,
  'that is a list': ['alice'],
  'with an unknown field': { id: 'a', uid: 5 },
  'with permissions that are no list': { id: 'a', permissions: 5 },
  'of another backend': new DetachedUser({ backend: 'other', id: 'a' }),
})) {
  test(`An identity ${what} is a mistake of the backend that the error names.`, async t => {
    const app = await startUsersApp(t, {
      backends: [detachedUsers({ name: 'ldap', authenticate: async () => identity as never })],
    })
    const browser = app.browser()
    t.is((await logIn(browser, 'a')).status, 500)
    t.is(app.errors[0]!.code, 'BACKEND_INVALID')
    t.regex(app.errors[0]!.message, /^Backend 'ldap' answered /)
    t.is(browser.cookie, '')
  })
}

for (const [what, given, problem] of [
  [
    'attributes of 300 kB',
    { attributes: { photo: 'x'.repeat(300_000) } },
    'attributes is the largest part of a session of more than 256 KiB.',
  ],
  [
    '40,000 permissions',
    { permissions: Array.from({ length: 40_000 }, (_, index) => `permission.${index}`) },
    'permissions is the largest part of a session of more than 256 KiB.',
  ],
  ['a date', { attributes: { born: new Date(0) } }, 'attributes.born is a Date, which JSON would change or drop.'],
  ['undefined inside', { attributes: { mail: undefined } }, 'attributes.mail is undefined, which JSON would change'],
  [
    'a prototype inside',
    { attributes: JSON.parse('{"a":{"__proto__":{"x":1}}}') },
    'attributes.a.__proto__ cannot be stored',
  ],
  ['itself inside', { attributes: circle() }, 'attributes.a.a'],
] as const) {
  test(`A user with ${what} cannot be carried by a session, which the error says; to load them is another matter.`, async t => {
    const identity = async () => ({ id: 'a', ...given })
    for (const store of [memoryStore(), cookieStore({ epochs: memoryStore() })]) {
      const carried = await startUsersApp(t, {
        store,
        backends: [detachedUsers({ name: 'ldap', authenticate: identity })],
      })
      const browser = carried.browser()
      t.is((await logIn(browser, 'a')).status, 500)
      const [error] = carried.errors
      t.is(error!.code, 'BACKEND_INVALID')
      t.true(error!.message.startsWith(`Backend 'ldap' answered a user whom the session cannot carry: ${problem}`))
      t.true(error!.message.endsWith(' Or give load().'))
      t.is(browser.cookie, '')
      const loaded = await startUsersApp(t, {
        store,
        backends: [detachedUsers({ name: 'ldap', authenticate: identity, load: identity })],
      })
      const other = loaded.browser()
      await logIn(other, 'a')
      t.is(await whoIs(other), 'ldap:a')
    }
  })
}

test('A user who fits into a session and not into a cookie is an error of the cookie, and nobody is logged in.', async t => {
  const authenticate = async () => ({ id: 'a', attributes: { photo: 'x'.repeat(5000) } })
  const app = await startUsersApp(t, {
    store: cookieStore({ epochs: memoryStore() }),
    backends: [detachedUsers({ name: 'ldap', authenticate })],
  })
  const browser = app.browser()
  t.is((await logIn(browser, 'a')).status, 500)
  t.is(app.errors[0]!.code, 'SESSION_COOKIE_TOO_LARGE')
  t.is(await whoIs(browser), '')
})

test('A DetachedUser that the application made is taken as it is.', async t => {
  const app = await startUsersApp(t, {
    backends: [
      detachedUsers({
        name: 'ldap',
        authenticate: async () => new DetachedUser({ backend: 'ldap', id: 'a', username: 'Ann' }),
      }),
    ],
  })
  const browser = app.browser()
  await logIn(browser, 'a')
  t.is((await browser.get('/user')).json.username, 'Ann')
})

test('Detached users have profiles by their key, and so does one who was looked up beside a local one.', async t => {
  const asked: string[] = []
  const app = await startUsersApp(t, {
    backends: [detachedUsers({ name: 'ldap', authenticate: async ({ username }) => ({ id: username! }) })],
    above: [
      profiles({
        employer: {
          async find({ key }) {
            asked.push(key)
            return key === 'ldap:a/b' ? { company: 'Acme' } : null
          },
        },
      }),
    ],
    handlers: { '/profile': ({ state }) => ({ profile: state.user.profile, isEmployer: state.user.isEmployer }) },
  })
  const [one, other] = [app.browser(), app.browser()]
  await logIn(one, 'a/b')
  await logIn(other, 'c')
  t.deepEqual((await one.get('/profile')).json, { profile: { company: 'Acme' }, isEmployer: true })
  t.deepEqual((await other.get('/profile')).json, { profile: null, isEmployer: false })
  t.true(asked.every(key => key === 'ldap:a/b' || key === 'ldap:c'))
})

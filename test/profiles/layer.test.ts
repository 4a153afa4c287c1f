import test from 'ava'
import {
  type AuthenticatedUser,
  detachedUsers,
  OptionInvalid,
  type ProfileSource,
  permissionOrBasicAuth,
  profiles,
  sessionOrBasicAuth,
  sessions,
  users,
} from 'koa-strata'
import { gate, KEY, startApp } from '../sessions/app.ts'
import { directory, logIn, startUsersApp, type UsersHandler, userOf } from '../users/app.ts'

const find = async () => null

const WRONG: [string, unknown, option: string][] = [
  ['nothing', undefined, 'sources'],
  ['null', null, 'sources'],
  ['text', 'employer', 'sources'],
  ['a list', [{ find }], 'sources'],
  ['a Map', new Map([['employer', { find }]]), 'sources'],
  ['no kinds', {}, 'sources'],
  ['the kind staff', { staff: { find } }, 'staff'],
  ['the kind active', { active: { find } }, 'active'],
  ['the kind anonymous', { anonymous: { find } }, 'anonymous'],
  ['the kind authenticated', { authenticated: { find } }, 'authenticated'],
  ['the kind superuser', { superuser: { find } }, 'superuser'],
  ['a kind in capitals', { Employer: { find } }, 'Employer'],
  ['a kind with a hyphen', { 'job-seeker': { find } }, 'job-seeker'],
  ['a kind with an underscore', { job_seeker: { find } }, 'job_seeker'],
  ['a kind that begins with a digit', { '1st': { find } }, '1st'],
  ['a kind without a name', { '': { find } }, ''],
  ['the kind __proto__', JSON.parse('{"__proto__":{}}'), '__proto__'],
  ['a kind of 65 letters', { [`a${'b'.repeat(64)}`]: { find } }, `a${'b'.repeat(64)}`],
  ['a source that is null', { employer: null }, 'employer'],
  ['a source that is a function', { employer: find }, 'employer'],
  ['a source without find', { employer: { findMany: find } }, 'employer'],
  ['a source whose find is no function', { employer: { find: {} } }, 'employer'],
  ['a promise of a source', { employer: { find }, employee: Promise.resolve({ find }) }, 'employee'],
  ['findMany that is no function', { employer: { find, findMany: true } }, 'employer.findMany'],
  ['findMany: null', { employer: { find, findMany: null } }, 'employer.findMany'],
]

for (const [what, sources, option] of WRONG) {
  test(`profiles() with ${what} is an OptionInvalid that names '${option.slice(0, 20)}'.`, t => {
    const error = t.throws(() => profiles(sources as never), { instanceOf: OptionInvalid })
    t.is(error.where, 'profiles()')
    t.is(error.option, option)
  })
}

test('The error for a kind that users have a flag of names the flag.', t => {
  t.throws(() => profiles({ staff: { find } } as never), {
    message: "profiles(): option 'staff' cannot be a kind: users have a flag isStaff of their own.",
  })
})

test('profiles() without users() before it says which line to add.', async t => {
  const layer = profiles({ employer: { find } })
  for (const layers of [
    [layer],
    [sessions({ keys: [KEY] }), layer],
    [layer, users({ backends: [directory('a', {})] })],
  ]) {
    const app = await startApp(t, { layers: layers as never[] })
    t.is((await app.browser().get('/')).status, 500)
    t.is(app.errors[0]!.code, 'LAYER_MISSING')
    t.is(
      app.errors[0]!.message,
      'profiles() needs ctx.state.user. Add app.use(users(…)) before it, or put users(…) before it in stack().',
    )
  }
})

/** A source of these profiles by the user's key, which says whom it was asked for. */
function source<Profile>(profiles: Record<string, Profile>): ProfileSource<Profile> & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async find({ key }) {
      asked.push(key)
      return profiles[key] ?? null
    },
  }
}

const shown: UsersHandler = ({ state: { user } }) => ({
  key: user.key,
  profile: user.profile,
  isEmployer: user.isEmployer,
  isEmployee: user.isEmployee,
})

const EMPLOYER = { company: 'Acme' }
const EMPLOYEE = { skills: ['typing'] }
const NEITHER = { profile: null, isEmployer: false, isEmployee: false }

function kinds() {
  const employer = source({ 'local:alice': EMPLOYER, 'local:both': EMPLOYER })
  const employee = source<typeof EMPLOYEE>({ 'local:bob': EMPLOYEE, 'local:both': EMPLOYEE, 'ldap:a/b': EMPLOYEE })
  const backends = [
    directory('local', { alice: {}, bob: {}, both: {}, carol: {} }),
    detachedUsers({
      name: 'ldap',
      authenticate: async ({ username, password }) => (password === 'l' ? { id: username! } : null),
    }),
  ]
  return { employer, employee, backends, above: [profiles({ employer, employee })] }
}

test('Each user has the profile of one kind, its flag alone is true, and the first kind in declared order wins.', async t => {
  const { employer, employee, backends, above } = kinds()
  const app = await startUsersApp(t, { backends, above, handlers: { '/shown': shown } })
  const expected: [name: string, password: string, object][] = [
    ['alice', 'pw', { key: 'local:alice', profile: EMPLOYER, isEmployer: true, isEmployee: false }],
    ['bob', 'pw', { key: 'local:bob', profile: EMPLOYEE, isEmployer: false, isEmployee: true }],
    ['both', 'pw', { key: 'local:both', profile: EMPLOYER, isEmployer: true, isEmployee: false }],
    ['carol', 'pw', { key: 'local:carol', ...NEITHER }],
    ['a/b', 'l', { key: 'ldap:a/b', profile: EMPLOYEE, isEmployer: false, isEmployee: true }],
    ['alice', 'l', { key: 'ldap:alice', ...NEITHER }],
  ]
  for (const [name, password, user] of expected) {
    const browser = app.browser()
    await logIn(browser, name, password)
    t.deepEqual((await browser.get('/shown')).json, user)
  }
  t.deepEqual(new Set(employer.asked).size, 6)
  t.false(employee.asked.includes('local:both'), 'a kind that comes later is not asked for')
})

test('The order in which the kinds are declared decides, the other way round too.', async t => {
  const { employer, employee, backends } = kinds()
  const above = [profiles({ employee, employer })]
  const app = await startUsersApp(t, { backends, above, handlers: { '/shown': shown } })
  const both = app.browser()
  await logIn(both, 'both')
  t.deepEqual((await both.get('/shown')).json.profile, EMPLOYEE)
})

test('Anonymous users have no profile, and no source is asked for one.', async t => {
  const { employer, employee, backends, above } = kinds()
  const app = await startUsersApp(t, { backends, above, handlers: { '/shown': shown } })
  const browser = app.browser()
  t.deepEqual((await browser.get('/shown')).json, { key: '', ...NEITHER })
  await browser.get('/set?cart=1')
  await browser.get('/logout')
  t.deepEqual([...employer.asked, ...employee.asked], [])
})

test('The profile follows login, logout and another login within one request.', async t => {
  const { backends, above } = kinds()
  const app = await startUsersApp(t, {
    backends,
    above,
    handlers: {
      async '/follow'(ctx) {
        const seen = [shown(ctx)]
        await ctx.login(userOf('local', 'alice'))
        seen.push(shown(ctx))
        await ctx.login(userOf('local', 'bob'))
        seen.push(shown(ctx))
        await ctx.logoutEverywhere({ keepCurrent: true })
        seen.push(shown(ctx))
        await ctx.logout()
        seen.push(shown(ctx))
        return seen
      },
    },
  })
  t.deepEqual((await app.browser().get('/follow')).json, [
    { key: '', ...NEITHER },
    { key: 'local:alice', profile: EMPLOYER, isEmployer: true, isEmployee: false },
    { key: 'local:bob', profile: EMPLOYEE, isEmployer: false, isEmployee: true },
    { key: 'local:bob', profile: EMPLOYEE, isEmployer: false, isEmployee: true },
    { key: '', ...NEITHER },
  ])
})

test('A user by HTTP Basic has their profile as one by a session has, for that request alone.', async t => {
  const { backends, above } = kinds()
  const guard = sessionOrBasicAuth({ realm: 'Test' })
  const guarded: UsersHandler = async ctx => {
    await guard(ctx as never, async () => {})
    return shown(ctx)
  }
  const app = await startUsersApp(t, { backends, above, handlers: { '/feed': guarded, '/shown': shown } })
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
  const browser = app.browser()
  const alice = { key: 'local:alice', profile: EMPLOYER, isEmployer: true, isEmployee: false }
  t.deepEqual((await browser.get('/feed', basic('alice:pw'))).json, alice)
  t.deepEqual((await browser.get('/feed', basic('a/b:l'))).json.profile, EMPLOYEE)
  t.deepEqual((await browser.get('/shown')).json, { key: '', ...NEITHER })
})

test("Where Basic brings in another user than the session has, the profile is that user's.", async t => {
  const { employer, employee } = kinds()
  const guard = permissionOrBasicAuth('read', { realm: 'Test' })
  const app = await startUsersApp(t, {
    backends: [directory('local', { alice: {}, bob: { permissions: ['read'] } })],
    above: [profiles({ employer, employee })],
    handlers: {
      '/feed': async ctx => {
        await guard(ctx as never, async () => {})
        return shown(ctx)
      },
    },
  })
  const alice = app.browser()
  await logIn(alice, 'alice')
  const authorization = `Basic ${Buffer.from('bob:pw').toString('base64')}`
  const bob = { key: 'local:bob', profile: EMPLOYEE, isEmployer: false, isEmployee: true }
  t.deepEqual((await alice.get('/feed', { authorization })).json, bob)
})

for (const [what, broken] of Object.entries<ProfileSource<object>>({
  rejects: { find: async () => Promise.reject(new Error('secret db7')) },
  'throws at once': {
    find: () => {
      throw new Error('secret db7')
    },
  },
  'rejects for many': { find: async () => ({}), findMany: async () => Promise.reject(new Error('secret db7')) },
  'throws at once for many': {
    find: async () => ({}),
    findMany: () => {
      throw new Error('secret db7')
    },
  },
  'answers too few': { find: async () => ({}), findMany: async () => [] },
  'answers no list': { find: async () => ({}), findMany: async () => null as never },
})) {
  test(`A source that ${what} is 503, and nobody is taken for somebody without a profile.`, async t => {
    const app = await startUsersApp(t, {
      above: [profiles({ employer: { find: async () => null }, employee: broken })],
      handlers: { '/shown': shown },
    })
    const alice = app.browser()
    const login = await logIn(alice, 'alice')
    t.is(login.status, 503)
    const answer = await alice.get('/shown')
    t.is(answer.status, 503)
    t.is(answer.headers['retry-after'], '2')
    t.is(answer.text, 'Accounts are unavailable at the moment. Please try again shortly.')
    const error = app.errors.at(-1) as Error & { code?: string; backend?: string }
    t.is(error.code, 'BACKEND_UNAVAILABLE')
    t.is(error.backend, 'profiles.employee')
    t.is((await app.browser().get('/shown')).status, 200, 'who is anonymous is not concerned')
  })
}

test('Look-ups of concurrent requests become one call of findMany, and each request has its own profile.', async t => {
  const calls: string[][] = []
  const employer = {
    find: async () => t.fail() as never,
    async findMany(asked: AuthenticatedUser[]) {
      calls.push(asked.map(({ key }) => key))
      return asked.map(({ key }) => (key === 'local:carol' ? null : { company: key }))
    },
  }
  const barrier = gate()
  let waiting = 0
  const app = await startUsersApp(t, {
    above: [
      async (ctx: { path: string }, next: () => Promise<void>) => {
        if (ctx.path === '/shown') {
          // All three go on in one turn of the event loop.
          if (++waiting === 3) barrier.open()
          await barrier.pass()
        }
        await next()
      },
      profiles({ employer }),
    ],
    handlers: { '/shown': shown },
  })
  const browsers = ['alice', 'bob', 'carol'].map(name => ({ name, browser: app.browser() }))
  for (const { name, browser } of browsers) await logIn(browser, name)
  calls.length = 0
  const answers = await Promise.all(browsers.map(({ browser }) => browser.get('/shown')))
  t.deepEqual(
    answers.map(answer => answer.json.profile),
    [{ company: 'local:alice' }, { company: 'local:bob' }, null],
  )
  t.is(calls.length, 1)
  t.deepEqual(calls[0]!.toSorted(), ['local:alice', 'local:bob', 'local:carol'])
})

test('A profile may follow from the user alone: by a rule, without a table, a service or a wait.', async t => {
  const sources = {
    // From what the user is.
    moderator: { find: async (user: AuthenticatedUser) => (user.hasPermission('posts.hide') ? { since: 2001 } : null) },
    // From where they come from, for all who ask at once.
    member: {
      find: async () => t.fail() as never,
      findMany: async (asked: AuthenticatedUser[]) =>
        asked.map(({ backend, id }) => (backend === 'ldap' ? { department: id.split('/')[0]! } : null)),
    },
    // Everybody else has one too.
    guest: { find: async ({ username }: AuthenticatedUser) => ({ greeting: `Welcome, ${username}` }) },
  }
  const app = await startUsersApp(t, {
    backends: [
      directory('local', { alice: { permissions: ['posts.hide'] }, bob: {} }),
      detachedUsers({ name: 'ldap', authenticate: async ({ username }) => ({ id: username! }) }),
    ],
    above: [profiles(sources)],
    handlers: {
      '/mine': ({ state: { user } }) => [user.isModerator, user.isMember, user.isGuest, user.profile],
    },
  })
  for (const [name, expected] of [
    ['alice', [true, false, false, { since: 2001 }]],
    ['bob', [false, false, true, { greeting: 'Welcome, bob' }]],
    ['sales/zoë', [false, true, false, { department: 'sales' }]],
  ] as const) {
    const browser = app.browser()
    await logIn(browser, name)
    t.deepEqual((await browser.get('/mine')).json, expected)
  }
  t.deepEqual((await app.browser().get('/mine')).json, [false, false, false, null])
})

test('One request after the other has its own call: what is stored now is what is found.', async t => {
  let company = 'Acme'
  const employer = { find: async () => null, findMany: async (asked: unknown[]) => asked.map(() => ({ company })) }
  const app = await startUsersApp(t, { above: [profiles({ employer })], handlers: { '/shown': shown } })
  const alice = app.browser()
  await logIn(alice, 'alice')
  t.is((await alice.get('/shown')).json.profile.company, 'Acme')
  company = 'Apex'
  t.is((await alice.get('/shown')).json.profile.company, 'Apex')
})

test('The object that a backend hands out is not altered: it may be one for all requests, and frozen.', async t => {
  const user = Object.freeze(userOf('local', 'alice', { permissions: ['read'] }))
  const before = Object.keys(user)
  let company = 0
  const app = await startUsersApp(t, {
    backends: [{ name: 'local', authenticate: async () => user, load: async () => user }],
    above: [profiles({ employer: { find: async () => (++company % 2 ? { company } : null) } })],
    handlers: { '/shown': ctx => ({ ...(shown(ctx) as object), may: ctx.state.user.hasPermission('read') }) },
  })
  const alice = app.browser()
  await logIn(alice, 'alice')
  const answers = [await alice.get('/shown'), await alice.get('/shown')]
  t.deepEqual(
    answers.map(({ json }) => [json.key, json.isEmployer, json.profile, json.may]),
    [
      ['local:alice', false, null, true],
      ['local:alice', true, { company: 3 }, true],
    ],
  )
  t.deepEqual(Object.keys(user), before)
  t.false('profile' in user)
})

class PrivateUser implements AuthenticatedUser {
  readonly #id: string
  readonly #permissions: string[]
  readonly backend = 'local'
  readonly email = null
  readonly isAuthenticated = true
  readonly isAnonymous = false
  readonly isActive = true
  readonly isStaff = false
  readonly isSuperuser = false
  readonly stamp = ''

  constructor(id: string, permissions: string[]) {
    this.#id = id
    this.#permissions = permissions
  }

  get id() {
    return this.#id
  }

  get key() {
    return `local:${this.#id}`
  }

  get username() {
    return this.#id
  }

  hasPermission(permission: string): boolean {
    return this.#permissions.includes(permission)
  }

  toJSON() {
    return { id: this.#id }
  }
}

test("A user of a class of the application's own keeps its private fields and its class beside the profile.", async t => {
  const user = new PrivateUser('alice', ['read'])
  const app = await startUsersApp(t, {
    backends: [{ name: 'local', authenticate: async () => user, load: async () => user }],
    above: [profiles({ employer: { find: async () => EMPLOYER } })],
    handlers: {
      '/private'({ state: { user: seen } }) {
        const { id, key, username } = seen
        const may = [seen.hasPermission('read'), seen.hasPermission('write')]
        return { id, key, username, may, json: seen, mine: seen instanceof PrivateUser, profile: seen.profile }
      },
    },
  })
  const alice = app.browser()
  await logIn(alice, 'alice')
  t.deepEqual((await alice.get('/private')).json, {
    id: 'alice',
    key: 'local:alice',
    username: 'alice',
    may: [true, false],
    json: { id: 'alice' },
    mine: true,
    profile: EMPLOYER,
  })
})

test('undefined is no profile, as null is none.', async t => {
  const above = [profiles({ employer: { find: async () => undefined as never } })]
  const app = await startUsersApp(t, { above, handlers: { '/shown': shown } })
  const alice = app.browser()
  await logIn(alice, 'alice')
  t.is((await alice.get('/shown')).json.isEmployer, false)
})

test('A login that went through is told and kept even where the profile cannot be found afterwards.', async t => {
  let broken = true
  const above = [profiles({ employer: { find: async () => (broken ? Promise.reject(new Error('down')) : EMPLOYER) } })]
  const app = await startUsersApp(t, { above, handlers: { '/shown': shown } })
  const alice = app.browser()
  t.is((await logIn(alice, 'alice')).status, 503)
  broken = false
  t.is((await alice.get('/shown')).json.key, 'local:alice')
})

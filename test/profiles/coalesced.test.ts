import test, { type ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import { type AuthenticatedUser, type ProfileSource, profiles, sessions, stack, users } from 'koa-strata'
import { sqlProfiles, sqlUsers } from 'koa-strata/sql'
import { loginAs } from 'koa-strata/testing'
import { type DatabaseName, migratedDatabase } from '../database/servers.ts'
import { KEY, startApp, WIDE_DEADLINE } from '../sessions/app.ts'
import { testEach } from '../users/sql/people.ts'

const PEOPLE = 100
const KINDS = ['employer', 'employee', 'partner'] as const
type Kind = (typeof KINDS)[number]

interface Row {
  user_key: string
  name: string
}

interface Person {
  key: string
  cookie: string
  /** The kinds that they have a row of. */
  kinds: Kind[]
}

/** Who has which profiles: each one, none, and two of them. */
function kindsOf(index: number): Kind[] {
  return [[], ['employer'], ['employee'], ['partner'], ['employer', 'partner'], ['partner', 'employee']][
    index % 6
  ] as Kind[]
}

interface Options {
  people?: number
  /** What is made of each source. */
  altered?: (source: ProfileSource<Row>) => ProfileSource<Row>
}

/**
 * Sessions, users and three kinds of profile on one database. Requests for '/me' stand at a barrier before `profiles()` until as many are there as
 * `together()` was told.
 */
async function start(t: ExecutionContext, name: DatabaseName, { people = PEOPLE, altered = one => one }: Options = {}) {
  const { knex, open } = await migratedDatabase(t, name)
  for (const kind of KINDS) {
    await knex.schema.createTable(`${kind}s`, table => {
      table.string('user_key').primary()
      table.string('name')
    })
  }
  const profilesIn = open()
  const source = (kind: Kind) => altered(sqlProfiles<Row>(profilesIn, { table: `${kind}s` }))
  let [waiting, expected] = [0, 0]
  let all = Promise.withResolvers<void>()
  const barrier: Middleware = async (ctx, next) => {
    if (ctx.path === '/me') {
      if (++waiting === expected) all.resolve()
      await all.promise
    }
    await next()
  }
  const accounts = sqlUsers(knex)
  const identity = stack(
    sessions({ keys: [KEY], deadline: WIDE_DEADLINE }),
    users({ backends: [accounts], throttle: { deviceCookie: false } }),
    barrier,
    profiles(
      { employer: source('employer'), employee: source('employee'), partner: source('partner') },
      { deadline: WIDE_DEADLINE },
    ),
  )
  const app = await startApp(t, {
    layers: [identity],
    handlers: {
      '/me'({ state: { user } }) {
        return [user.key, user.isEmployer, user.isEmployee, user.isPartner, user.profile?.name ?? null]
      },
      '/open': ({ state: { user } }) => [user.key, user.profile],
    },
  })
  const names = Array.from({ length: people }, (_, index) => `p${index}`)
  await knex('users').insert(names.map(username => ({ username, username_canonical: username, created_at: 0 })))
  const ids: unknown[] = await knex('users').orderBy('id').pluck('id')
  const loaded = (await accounts.loadMany(ids.map(String))) as AuthenticatedUser[]
  const everybody: Person[] = []
  for (const [index, user] of loaded.entries())
    everybody.push({ key: user.key, cookie: await loginAs(app.koa, user), kinds: kindsOf(index) })
  for (const kind of KINDS) {
    const rows = everybody.filter(({ kinds }) => kinds.includes(kind))
    if (rows.length > 0)
      await knex(`${kind}s`).insert(rows.map(({ key }) => ({ user_key: key, name: `${kind} ${key}` })))
  }
  const queries: { kind: Kind; bindings: string[] }[] = []
  profilesIn.on('query', ({ sql, bindings }: { sql: string; bindings: string[] }) => {
    const kind = KINDS.find(one => sql.includes(`${one}s`))
    if (kind) queries.push({ kind, bindings })
  })
  const together = async (persons: readonly Person[]) => {
    ;[waiting, expected, all] = [0, persons.length, Promise.withResolvers<void>()]
    queries.length = 0
    const browser = app.browser()
    const answers = await Promise.all(persons.map(({ cookie }) => browser.get('/me', { cookie })))
    return answers.map(({ json }) => json)
  }
  return { app, knex, everybody, queries, together }
}

/** What '/me' shows to them: of the first of their kinds in the order of declaration. */
function shownTo({ key, kinds }: Person): unknown[] {
  const first = KINDS.find(kind => kinds.includes(kind))
  return [key, ...KINDS.map(kind => kind === first), first ? `${first} ${key}` : null]
}

testEach(
  `${PEOPLE} requests of ${PEOPLE} people at once make one query per kind, and each person gets their own profile`,
  async (t, name) => {
    const { everybody, queries, together } = await start(t, name)
    t.deepEqual(await together(everybody), everybody.map(shownTo))
    t.deepEqual(
      queries.map(({ kind }) => kind),
      [...KINDS],
    )
    for (const [index, { kind, bindings }] of queries.entries()) {
      const expected = everybody.filter(({ kinds }) => !KINDS.slice(0, index).some(earlier => kinds.includes(earlier)))
      t.deepEqual(bindings.toSorted(), expected.map(({ key }) => key).toSorted(), `who is asked for as ${kind}`)
    }
  },
)

testEach(
  'R2: a change, a new profile and one that is removed hold at the next request, of all at once too',
  async (t, name) => {
    const { knex, everybody, queries, together } = await start(t, name, { people: 12 })
    t.deepEqual(await together(everybody), everybody.map(shownTo))
    const [none, employer, employee] = everybody as [Person, Person, Person]
    await knex('partners').insert({ user_key: none.key, name: 'new' })
    await knex('employers').where({ user_key: employer.key }).del()
    await knex('employees').where({ user_key: employee.key }).update({ name: 'changed' })
    const expected = everybody.map(shownTo)
    expected[0] = [none.key, false, false, true, 'new']
    expected[1] = [employer.key, false, false, false, null]
    expected[2] = [employee.key, false, true, false, 'changed']
    t.deepEqual(await together(everybody), expected)
    t.is(queries.length, 3)
  },
)

testEach(
  'Requests of one person at once ask for them once per kind, and anonymous ones ask for nobody',
  async (t, name) => {
    const { app, everybody, queries, together } = await start(t, name, { people: 4 })
    const partner = everybody[3]!
    const answers = await together(Array.from({ length: 50 }, () => partner))
    t.deepEqual(
      answers,
      answers.map(() => shownTo(partner)),
    )
    t.deepEqual(
      queries,
      KINDS.map(kind => ({ kind, bindings: [partner.key] })),
    )
    queries.length = 0
    const anonymous = await Promise.all(Array.from({ length: 20 }, () => app.browser().get('/open')))
    t.deepEqual(
      anonymous.map(({ json }) => json),
      anonymous.map(() => ['', null]),
    )
    t.deepEqual(queries, [])
  },
)

test('Without findMany each person is a query of their own, so that the tests above can fail.', async t => {
  const { everybody, queries, together } = await start(t, 'sqlite', { altered: ({ find }) => ({ find }) })
  t.deepEqual(await together(everybody), everybody.map(shownTo))
  t.is(queries.filter(({ kind }) => kind === 'employer').length, PEOPLE)
})

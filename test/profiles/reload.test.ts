import test, { type ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import {
  type AuthenticatedUser,
  type ProfileContext,
  type ProfileSource,
  profiles,
  sessionOrBasicAuth,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { sqlProfiles } from 'koa-strata/sql'
import { type DatabaseName, newDatabase } from '../database/servers.ts'
import { causes, gate, KEY, startApp, type TestContext, WIDE_DEADLINE } from '../sessions/app.ts'
import { directory, logIn, startUsersApp, type UsersContext, type UsersHandler } from '../users/app.ts'
import { testEach } from '../users/sql/people.ts'

type ProfilesContext = UsersContext & ProfileContext
const handlers = (given: Record<string, (ctx: ProfilesContext) => unknown>) => given as Record<string, UsersHandler>

interface Employer {
  user_key: string
  company: string
}

/** An app on a table of employers. At '/long' alice's request stands at the gate between two looks at her profile, and reloads it for a third. */
async function start(t: ExecutionContext, name: DatabaseName) {
  const knex = (await newDatabase(t, name)).open()
  await knex.schema.createTable('employers', table => {
    table.string('user_key').primary()
    table.string('company')
  })
  const employers = sqlProfiles<Employer>(knex, { table: 'employers', fields: ['company'] })
  const between = gate()
  const seen = ({ state: { user } }: ProfilesContext) => [user.isEmployer, user.profile?.company ?? null]
  const app = await startUsersApp(t, {
    above: [profiles({ employer: employers }, { deadline: WIDE_DEADLINE })],
    handlers: handlers({
      async '/long'(ctx) {
        const before = seen(ctx)
        await between.pass()
        const after = seen(ctx)
        await ctx.reloadProfile()
        return [before, after, seen(ctx)]
      },
      async '/create'(ctx) {
        await employers.create(ctx.state.user, { company: 'Made' })
        return seen(ctx)
      },
      async '/change'(ctx) {
        await employers.change(ctx.state.user, { company: 'Changed' })
        return seen(ctx)
      },
      async '/remove'(ctx) {
        await employers.remove(ctx.state.user)
        return seen(ctx)
      },
      '/seen': seen,
    }),
  })
  const alice = app.browser()
  await logIn(alice, 'alice')
  return { alice, between, employers }
}

const NONE = [false, null]
const CHANGES: Record<string, [before: string | null, after: string | null]> = {
  create: [null, 'Made'],
  change: ['Acme', 'Changed'],
  remove: ['Acme', null],
}

for (const [change, [before, after]] of Object.entries(CHANGES)) {
  testEach(
    `R2: a request keeps the profile that it began with when another one does ${change} it, gets the new one on demand, and so does the next request`,
    async (t, name) => {
      const { alice, between, employers } = await start(t, name)
      const [old, next] = [before, after].map(company => (company === null ? NONE : [true, company]))
      if (before !== null) await employers.create({ key: 'local:alice' }, { company: before })
      const long = alice.get('/long')
      await between.reached
      t.deepEqual((await alice.get(`/${change}`)).json, old, 'the request that does it keeps its own too')
      t.deepEqual((await alice.get('/seen')).json, next)
      between.open()
      t.deepEqual((await long).json, [old, old, next])
    },
  )
}

/** A source of profiles that a test can change, and whom it was asked for. */
function changeable() {
  const asked: string[] = []
  const source = {
    asked,
    round: 1,
    /** What it waits for before it answers. */
    before: async (_user: AuthenticatedUser): Promise<void> => {},
    async find(user: AuthenticatedUser) {
      asked.push(user.key)
      const { round } = source
      await source.before(user)
      return user.username === 'nobody' ? null : { of: user.key, round }
    },
  }
  return source
}

const profileOf = (ctx: ProfilesContext) => ctx.state.user.profile

test('After a login, another one and a logout in one request the profile is that of who is there then.', async t => {
  const employee = changeable()
  const [alice, bob] = [
    { username: 'alice', password: 'pw' },
    { username: 'bob', password: 'pw' },
  ]
  const app = await startUsersApp(t, {
    above: [profiles({ employee })],
    handlers: handlers({
      async '/all'(ctx) {
        const steps: unknown[] = []
        const look = async () => {
          steps.push(profileOf(ctx))
          employee.round++
          await ctx.reloadProfile()
          steps.push(profileOf(ctx), ctx.state.user.isEmployee)
        }
        await look()
        for (const credentials of [alice, bob]) {
          await ctx.login((await ctx.authenticate(credentials))!)
          await look()
        }
        await ctx.logout()
        await look()
        return steps
      },
    }),
  })
  const of = (name: string, round: number) => ({ of: `local:${name}`, round })
  t.deepEqual((await app.browser().get('/all')).json, [
    ...[null, null, false],
    ...[of('alice', 2), of('alice', 3), true],
    ...[of('bob', 3), of('bob', 4), true],
    ...[null, null, false],
  ])
  t.deepEqual(employee.asked, ['local:alice', 'local:alice', 'local:bob', 'local:bob'], 'nothing is asked for nobody')
})

test('Behind HTTP Basic it is the profile of who came by it that is looked up again.', async t => {
  const employee = changeable()
  const guard = sessionOrBasicAuth({ realm: 'Test' })
  const app = await startUsersApp(t, {
    above: [profiles({ employee })],
    handlers: handlers({
      async '/feed'(ctx) {
        await guard(ctx as never, async () => {})
        const before = profileOf(ctx)
        employee.round++
        await ctx.reloadProfile()
        return [before, profileOf(ctx)]
      },
    }),
  })
  const authorization = `Basic ${Buffer.from('bob:pw').toString('base64')}`
  t.deepEqual((await app.browser().get('/feed', { authorization })).json, [
    { of: 'local:bob', round: 1 },
    { of: 'local:bob', round: 2 },
  ])
})

test('With two stacks around one another each has its own: the inner one inside, the outer one when it is done.', async t => {
  const [outer, inner] = [changeable(), changeable()]
  const layers = (name: string, source: ProfileSource<object>, options = {}) =>
    stack(
      sessions({ keys: [KEY], cookie: { name } }),
      users({ backends: [directory(name, { alice: {} })], throttle: false }),
      profiles({ employee: source }, options),
    ) as Middleware
  const looks: unknown[] = []
  const look = async (ctx: ProfilesContext) => {
    outer.round++
    inner.round++
    looks.push(profileOf(ctx), ctx.profileUnavailable)
    await ctx.reloadProfile()
    looks.push(profileOf(ctx), ctx.profileUnavailable)
  }
  const innermost = layers('inner', inner, { onUnavailable: 'without' })
  const app = await startApp(t, {
    layers: [
      layers('outer', outer),
      async (ctx: TestContext, next: () => Promise<void>) => {
        const inside = ctx as unknown as ProfilesContext
        const logged = async () => {
          await inside.login((await inside.authenticate({ username: 'alice', password: 'pw' }))!)
          await look(inside)
        }
        await logged()
        await innermost(ctx, async () => {
          await logged()
          inner.before = () => Promise.reject(new Error('down'))
          await look(inside)
        })
        await look(inside)
        ctx.body = 'done'
        await next()
      },
    ],
  })
  t.is((await app.browser().get('/')).text, 'done')
  t.deepEqual(app.errors, [])
  const of = (name: string, round: number) => ({ of: `${name}:alice`, round })
  t.deepEqual(looks, [
    ...[of('outer', 1), false, of('outer', 2), false],
    ...[of('inner', 2), false, of('inner', 3), false],
    ...[of('inner', 3), false, null, true],
    ...[of('outer', 2), false, of('outer', 5), false],
  ])
})

for (const [onUnavailable, kept, status] of [
  ['fail', { of: 'local:alice', round: 1 }, 503],
  ['without', null, null],
] as const) {
  test(`Where the profile cannot be looked up again, and '${onUnavailable}' is asked for, ${kept ? 'that rejects and it stays as it was' : 'the request goes on without one'}, until it can.`, async t => {
    const employee = changeable()
    const app = await startUsersApp(t, {
      above: [profiles({ employee }, { onUnavailable })],
      handlers: handlers({
        async '/reload'(ctx) {
          employee.round = 1
          await ctx.reloadProfile()
          employee.before = () => Promise.reject(new Error('secret db7'))
          const reason = await ctx.reloadProfile().then(
            () => null,
            error => error.status,
          )
          const during = [profileOf(ctx), ctx.state.user.isEmployee, ctx.profileUnavailable]
          employee.before = async () => {}
          employee.round = 2
          await ctx.reloadProfile()
          return [reason, during, [profileOf(ctx), ctx.state.user.isEmployee, ctx.profileUnavailable]]
        },
      }),
    })
    const alice = app.browser()
    await logIn(alice, 'alice')
    t.deepEqual((await alice.get('/reload')).json, [
      status,
      [kept, kept !== null, kept === null],
      [{ of: 'local:alice', round: 2 }, true, false],
    ])
    t.deepEqual(causes(app), [])
  })
}

test('Whoever logs in or out while the profile is looked up again stays, however late that look-up ends.', async t => {
  const employee = changeable()
  const app = await startUsersApp(t, {
    above: [profiles({ employee })],
    handlers: handlers({
      async '/race'(ctx) {
        const late = gate()
        employee.before = user => (user.username === 'alice' ? late.pass() : Promise.resolve())
        const reloading = ctx.reloadProfile()
        await late.reached
        if (ctx.query.out === undefined) await ctx.login((await ctx.authenticate({ username: 'bob', password: 'pw' }))!)
        else await ctx.logout()
        late.open()
        await reloading
        employee.before = async () => {}
        return [ctx.state.user.key, profileOf(ctx)]
      },
    }),
  })
  const alice = app.browser()
  for (const [query, expected] of [
    ['', ['local:bob', { of: 'local:bob', round: 1 }]],
    ['?out', ['', null]],
  ] as const) {
    await logIn(alice, 'alice')
    t.deepEqual((await alice.get(`/race${query}`)).json, expected)
  }
})

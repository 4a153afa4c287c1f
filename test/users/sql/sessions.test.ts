import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { cookieStore, memoryStore, profiles, type SessionsOptions, sessionOrBasicAuth } from 'koa-strata'
import { type SqlUsers, sqlProfiles, sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'
import { type DatabaseName, migratedDatabase } from '../../database/servers.ts'
import { logIn, startUsersApp, type UsersHandler, whoIs } from '../app.ts'

const PASSWORD = 'correct horse battery'

/** Where sessions are kept, and in which database the users. */
interface Setup {
  database: DatabaseName
  open(knex: Knex): SessionsOptions['store']
}

const inDatabase = (database: DatabaseName): Setup => ({ database, open: knex => sqlStore(knex) })
const STORES = {
  memory: { database: 'sqlite', open: () => memoryStore() },
  cookie: { database: 'sqlite', open: () => cookieStore() },
  sqlite: inDatabase('sqlite'),
  mariadb: inDatabase('mariadb'),
  postgresql: inDatabase('postgresql'),
} satisfies Record<string, Setup>

interface Setting {
  app: Awaited<ReturnType<typeof startUsersApp>>
  knex: Knex
  people: SqlUsers
  /** alice's id. */
  id: string
}

async function start(t: ExecutionContext, { database, open }: Setup): Promise<Setting> {
  const { knex } = await migratedDatabase(t, database)
  const people = sqlUsers(knex)
  const { id } = await people.create({ username: 'alice', email: 'alice@example.org', password: PASSWORD })
  await people.create({ username: 'bob', password: PASSWORD })
  await knex.schema.createTable('employers', made => {
    made.string('user_key')
    made.string('company')
  })
  const guard = sessionOrBasicAuth({ realm: 'Test' })
  const handlers: Record<string, UsersHandler> = {
    async '/new-password'(ctx) {
      await people.setPassword(ctx.state.user.id, 'staple correct horse')
      if (ctx.query.keep !== undefined) await ctx.login((await people.find({ id: ctx.state.user.id }))!)
      return 'changed'
    },
    '/may': ctx => String(ctx.state.user.hasPermission('read')),
    '/company': ({ state: { user } }) => (user.isEmployer ? user.profile.company : 'none'),
    async '/feed'(ctx) {
      await guard(ctx as never, async () => {})
      return ctx.state.user.key
    },
  }
  const app = await startUsersApp(t, {
    store: open(knex),
    backends: [people],
    above: [profiles({ employer: sqlProfiles<{ company: string }>(knex, { table: 'employers' }) })],
    handlers,
  })
  return { app, knex, people, id }
}

const ENDING: Record<string, (setting: Setting) => Promise<unknown>> = {
  'a new password': ({ people, id }) => people.setPassword(id, 'staple correct horse'),
  'the same password set again': ({ people, id }) => people.setPassword(id, PASSWORD),
  'no password any more': ({ people, id }) => people.setPassword(id, null),
  deactivation: ({ people, id }) => people.deactivate(id),
  deletion: ({ knex, id }) => knex('users').where({ id }).del(),
  'a password hash changed by other hands': ({ knex, id }) => knex('users').where({ id }).update({ password: '!' }),
  'deactivation by other hands': ({ knex, id }) => knex('users').where({ id }).update({ is_active: false }),
}

for (const [name, setup] of Object.entries<Setup>(STORES)) {
  for (const [what, end] of Object.entries(ENDING)) {
    test(`S4: ${name}: ${what} ends every session of an SQL user at its next request, and nobody else's.`, async t => {
      const setting = await start(t, setup)
      const { app } = setting
      const [one, two, bob] = [app.browser(), app.browser(), app.browser()]
      await logIn(one, 'alice', PASSWORD)
      await logIn(two, 'Alice@Example.org', PASSWORD)
      await logIn(bob, 'bob', PASSWORD)
      t.is(await whoIs(two), `sql:${setting.id}`)
      await end(setting)
      for (const browser of [one, two]) t.deepEqual((await browser.get('/me')).json, { key: '', session: {} })
      t.regex(await whoIs(bob), /^sql:\d+$/)
    })
  }

  test(`S4: ${name}: who changes their own password ends the other sessions, and keeps this one by logging in anew.`, async t => {
    const { app, id } = await start(t, setup)
    const [here, there] = [app.browser(), app.browser()]
    await logIn(here, 'alice', PASSWORD)
    await logIn(there, 'alice', PASSWORD)
    await here.get('/set?draft=1')
    t.is((await here.get('/new-password?keep')).text, 'changed')
    t.deepEqual((await here.get('/me')).json, { key: `sql:${id}`, session: { draft: '1' } })
    t.is(await whoIs(there), '')
    t.is((await logIn(there, 'alice', PASSWORD)).status, 401)
    t.is((await logIn(there, 'alice', 'staple correct horse')).status, 200)
    await here.get('/new-password')
    t.is(await whoIs(here), '')
  })

  test(`S4: ${name}: logoutEverywhere ends every session of an SQL user, or all but this one.`, async t => {
    const { app, id } = await start(t, setup)
    const [here, there, bob] = [app.browser(), app.browser(), app.browser()]
    await logIn(here, 'alice', PASSWORD)
    await logIn(there, 'alice', PASSWORD)
    await logIn(bob, 'bob', PASSWORD)
    const copy = here.copy()
    t.is((await here.get('/everywhere?keep')).text, `sql:${id}`)
    t.is(await whoIs(here), `sql:${id}`)
    for (const browser of [copy, there]) t.is(await whoIs(browser), '')
    t.is((await here.get('/everywhere')).text, 'nobody')
    t.is(await whoIs(here), '')
    t.not(await whoIs(bob), '')
  })

  test(`R2: ${name}: permissions and profiles that change in the database hold at the next request.`, async t => {
    const { app, knex, people, id } = await start(t, setup)
    const alice = app.browser()
    await logIn(alice, 'alice', PASSWORD)
    const seen = async () => [(await alice.get('/may')).text, (await alice.get('/company')).text]
    t.deepEqual(await seen(), ['false', 'none'])
    await people.grant(id, 'read')
    await knex('employers').insert({ user_key: `sql:${id}`, company: 'Acme' })
    t.deepEqual(await seen(), ['true', 'Acme'])
    await people.revoke(id, 'read')
    await knex('employers').update({ company: 'Apex' })
    t.deepEqual(await seen(), ['false', 'Apex'])
    await knex('users').where({ id }).update({ is_superuser: true })
    t.deepEqual(await seen(), ['true', 'Apex'])
  })
}

for (const name of ['sqlite', 'mariadb', 'postgresql'] as const)
  test(`S10: ${name}: an SQL user lists and ends sessions in an SQL store.`, async t => {
    const { app } = await start(t, STORES[name])
    const [here, there] = [app.browser(), app.browser()]
    await logIn(here, 'alice', PASSWORD)
    await logIn(there, 'alice', PASSWORD)
    const listed: { id: string; isCurrent: boolean }[] = (await here.get('/sessions')).json
    t.is(listed.length, 2)
    await here.get(`/end?id=${listed.find(({ isCurrent }) => !isCurrent)!.id}`)
    t.is(await whoIs(there), '')
    t.not(await whoIs(here), '')
  })

test('A database that is down is 503, by session, login and Basic alike, and nothing of it is in the answer.', async t => {
  const { app, knex } = await start(t, STORES.memory)
  const alice = app.browser()
  await logIn(alice, 'alice', PASSWORD)
  await knex.schema.renameTable('users', 'moved')
  const authorization = `Basic ${Buffer.from(`alice:${PASSWORD}`).toString('base64')}`
  const answers = [
    await alice.get('/me'),
    await logIn(app.browser(), 'alice', PASSWORD),
    await app.browser().get('/feed', { authorization }),
  ]
  for (const { status, headers, text } of answers) {
    t.is(status, 503)
    t.is(headers['retry-after'], '2')
    t.is(text, 'Accounts are unavailable at the moment. Please try again shortly.')
  }
  await knex.schema.renameTable('moved', 'users')
  t.not(await whoIs(alice), '')
})

test('Concurrent requests of several users are one query for all of them.', async t => {
  const { knex } = await migratedDatabase(t, 'sqlite')
  const people = sqlUsers(knex)
  for (const username of ['alice', 'bob']) await people.create({ username, password: PASSWORD })
  const enough = Promise.withResolvers<void>()
  let waiting = 0
  const app = await startUsersApp(t, {
    backends: [people],
    outside: [
      async (ctx, next) => {
        if (ctx.path === '/ping') {
          if (++waiting === 5) enough.resolve()
          await enough.promise
        }
        await next()
      },
    ],
  })
  const [alice, bob] = [app.browser(), app.browser()]
  await logIn(alice, 'alice', PASSWORD)
  await logIn(bob, 'bob', PASSWORD)
  const queries: string[] = []
  knex.on('query', ({ sql }) => queries.push(sql))
  await Promise.all([alice, alice, alice, bob, bob].map(browser => browser.get('/ping')))
  t.is(queries.filter(sql => / from `users`/.test(sql)).length, 1)
})

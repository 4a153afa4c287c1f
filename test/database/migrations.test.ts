import test from 'ava'
import type { Knex } from 'knex'
import { migrate } from '../../lib/database/migrations.ts'
import { OptionInvalid } from '../../lib/errors.ts'
import { inProcesses } from './processes.ts'
import { migratedSqlite, openSqlite, sqliteFile } from './sqlite.ts'

const NAMES = ['001 users, groups, permissions, sessions']
const TABLES = [
  'group_members',
  'group_permissions',
  'groups',
  'sessions',
  'strata_migrations',
  'user_permissions',
  'users',
]

async function tablesOf(knex: Knex): Promise<string[]> {
  const names: string[] = await knex('sqlite_master').where({ type: 'table' }).orderBy('name').pluck('name')
  return names.filter(name => !name.startsWith('sqlite_'))
}

async function addUser(knex: Knex, name: string): Promise<number> {
  const [id] = await knex('users').insert({ username: name, username_canonical: name, created_at: 0 })
  return id!
}

test("migrate() makes the library's tables and no others, and answers what ran.", async t => {
  const knex = openSqlite(t, await sqliteFile(t))
  t.deepEqual(await migrate(knex), NAMES)
  t.deepEqual(await tablesOf(knex), TABLES)
})

test('migrate() a second time runs nothing and changes nothing.', async t => {
  const knex = await migratedSqlite(t)
  await addUser(knex, 'ada')
  const before = await knex('sqlite_master').select()
  t.deepEqual(await migrate(knex), [])
  t.deepEqual(await knex('sqlite_master').select(), before)
  t.is((await knex('users')).length, 1)
})

test("migrate() leaves an application's own tables alone.", async t => {
  const knex = openSqlite(t, await sqliteFile(t))
  await knex.schema.createTable('employers', table => {
    table.string('user_key')
  })
  await knex('employers').insert({ user_key: 'sql:1' })
  await migrate(knex)
  t.deepEqual(await tablesOf(knex), ['employers', ...TABLES])
  t.deepEqual(await knex('employers'), [{ user_key: 'sql:1' }])
})

test('migrate() called at once on one knex instance runs each migration once.', async t => {
  const knex = openSqlite(t, await sqliteFile(t))
  const answers = await Promise.all([migrate(knex), migrate(knex), migrate(knex)])
  t.deepEqual(answers.flat(), NAMES)
})

test('migrate() called at once on two knex instances of one file runs each migration once.', async t => {
  const file = await sqliteFile(t)
  const answers = await Promise.all([migrate(openSqlite(t, file)), migrate(openSqlite(t, file))])
  t.deepEqual(answers.flat(), NAMES)
})

test('Two that look first and create afterwards get into each other, so that the checks around this one can fail.', async t => {
  const file = await sqliteFile(t)
  const answers = await Promise.allSettled(
    [openSqlite(t, file), openSqlite(t, file)].map(async knex => {
      if (!(await knex.schema.hasTable('users'))) await knex.schema.createTable('users', table => table.increments())
    }),
  )
  t.deepEqual(answers.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('migrate() called at once by four processes on one file runs each migration once.', async t => {
  for (let round = 0; round < 3; round++) {
    const file = await sqliteFile(t)
    const answers = await inProcesses<string[]>(t, 4, 'migrate', [file])
    t.deepEqual(answers.flat(), NAMES)
    t.deepEqual(await tablesOf(openSqlite(t, file)), TABLES)
  }
})

test('migrate() that fails leaves nothing behind, and can be called again.', async t => {
  const knex = openSqlite(t, await sqliteFile(t))
  await knex.schema.createTable('sessions', table => {
    table.string('sid')
  })
  await t.throwsAsync(migrate(knex), { instanceOf: OptionInvalid })
  t.deepEqual(await tablesOf(knex), ['sessions', 'strata_migrations'])
  t.deepEqual(await knex('strata_migrations'), [])
  await knex.schema.dropTable('sessions')
  t.deepEqual(await migrate(knex), NAMES)
})

test('migrate() names the table of another shape that stands in its way, and what it lacks.', async t => {
  const knex = openSqlite(t, await sqliteFile(t))
  await knex.schema.createTable('sessions', table => {
    table.string('id').primary()
    table.text('data')
  })
  const error = await t.throwsAsync(migrate(knex), { instanceOf: OptionInvalid })
  t.regex(error.message, /table 'sessions'.+user_key, version, expires_at/)
})

test('migrate() takes tables of the right shape for its own, as after an interruption.', async t => {
  const knex = await migratedSqlite(t)
  await addUser(knex, 'ada')
  await knex.schema.dropTable('sessions')
  await knex('strata_migrations').del()
  t.deepEqual(await migrate(knex), NAMES)
  t.is((await knex('users')).length, 1)
  t.deepEqual(await tablesOf(knex), TABLES)
})

for (const [what, value] of Object.entries({
  nothing: undefined,
  'an object': {},
  'a database it does not know': Object.assign(() => {}, { client: { dialect: 'oracle' } }),
})) {
  test(`migrate() refuses ${what} for a knex instance.`, async t => {
    const error = await t.throwsAsync(migrate(value as unknown as Knex), { instanceOf: OptionInvalid })
    t.is(error.option, 'knex')
    t.is(error.where, 'migrate()')
  })
}

test('migrate() can run in a transaction of the application, and goes with it.', async t => {
  const knex = openSqlite(t, await sqliteFile(t))
  await t.throwsAsync(
    knex.transaction(async trx => {
      t.deepEqual(await migrate(trx), NAMES)
      throw new Error('changed my mind')
    }),
    { message: 'changed my mind' },
  )
  t.deepEqual(await tablesOf(knex), [])
})

import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { migrate, missingMigrations } from '../../lib/database/migrations.ts'
import { OptionInvalid } from '../../lib/errors.ts'
import { addUser, definitionsOf, tablesOf } from './catalogue.ts'
import { inProcesses } from './processes.ts'
import { DATABASES, type DatabaseName, migratedDatabase, newDatabase } from './servers.ts'
import { openSqlite, sqliteFile } from './sqlite.ts'

const NAMES = ['001 users, groups, permissions, sessions', '002 identities', '003 login attempts', '004 feed tokens']
const WITHOUT_USERS = ['001 sessions', '003 login attempts', '004 feed tokens']
const TABLES = [
  'feed_tokens',
  'group_members',
  'group_permissions',
  'groups',
  'identities',
  'login_attempts',
  'sessions',
  'strata_migrations',
  'user_permissions',
  'users',
]

/** A test of migrate() on each database. */
const onEach = test.macro({
  title: (title, name: DatabaseName) => `${name}: ${title}`,
  exec: (t, name: DatabaseName, run: (t: ExecutionContext, name: DatabaseName) => Promise<void>) => run(t, name),
})

for (const name of DATABASES) {
  test("migrate() makes the library's tables and no others, and answers what ran.", onEach, name, async t => {
    const knex = (await newDatabase(t, name)).open()
    t.deepEqual(await migrate(knex), NAMES)
    t.deepEqual(await tablesOf(knex), TABLES)
  })

  test('migrate() a second time runs nothing and changes nothing.', onEach, name, async t => {
    const { knex } = await migratedDatabase(t, name)
    await addUser(knex, 'ada')
    const record = await knex('strata_migrations')
    t.deepEqual(await migrate(knex), [])
    t.deepEqual(await tablesOf(knex), TABLES)
    t.deepEqual(await knex('strata_migrations'), record)
    t.is((await knex('users')).length, 1)
  })

  test("migrate() leaves an application's own tables alone.", onEach, name, async t => {
    const knex = (await newDatabase(t, name)).open()
    await knex.schema.createTable('employers', table => {
      table.string('user_key')
    })
    await knex('employers').insert({ user_key: 'sql:1' })
    await migrate(knex)
    t.deepEqual(await tablesOf(knex), ['employers', ...TABLES])
    t.deepEqual(await knex('employers'), [{ user_key: 'sql:1' }])
  })

  test('migrate() called at once on one knex instance runs each migration once.', onEach, name, async t => {
    const knex = (await newDatabase(t, name)).open()
    const answers = await Promise.all([migrate(knex), migrate(knex), migrate(knex)])
    t.deepEqual(answers.flat(), NAMES)
  })

  test('migrate() called at once on two knex instances runs each migration once.', onEach, name, async t => {
    const database = await newDatabase(t, name)
    const answers = await Promise.all([migrate(database.open()), migrate(database.open())])
    t.deepEqual(answers.flat(), NAMES)
  })

  test('migrate() called at once by four processes runs each migration once.', onEach, name, async t => {
    for (let round = 0; round < 3; round++) {
      const database = await newDatabase(t, name)
      const answers = await inProcesses<string[]>(t, 4, 'migrate', database.config)
      t.deepEqual(answers.flat(), NAMES)
      t.deepEqual(await tablesOf(database.open()), TABLES)
    }
  })

  test(
    'Two that look first and create afterwards get into each other, so that the checks around this one can fail.',
    onEach,
    name,
    async t => {
      const database = await newDatabase(t, name)
      const knexes = [database.open(), database.open()]
      const seen = await Promise.all(knexes.map(knex => knex.schema.hasTable('users')))
      t.deepEqual(seen, [false, false])
      const answers = await Promise.allSettled(
        knexes.map(knex => knex.schema.createTable('users', table => table.increments())),
      )
      t.deepEqual(answers.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    },
  )

  test('migrate() that fails can be called again, and has left nothing but what is whole.', onEach, name, async t => {
    const knex = (await newDatabase(t, name)).open()
    await knex.schema.createTable('sessions', table => {
      table.string('sid')
    })
    await t.throwsAsync(migrate(knex), { instanceOf: OptionInvalid })
    const left = {
      sqlite: ['sessions', 'strata_migrations'],
      mariadb: TABLES.filter(table => !['identities', 'login_attempts', 'feed_tokens'].includes(table)),
      postgresql: ['sessions'],
    }
    t.deepEqual(await tablesOf(knex), left[name])
    if (name !== 'postgresql') t.deepEqual(await knex('strata_migrations'), [])
    await knex.schema.dropTable('sessions')
    t.deepEqual(await migrate(knex), NAMES)
    t.deepEqual(await tablesOf(knex), TABLES)
  })

  test(
    'migrate() names the table of another shape that stands in its way, and what it lacks.',
    onEach,
    name,
    async t => {
      const knex = (await newDatabase(t, name)).open()
      await knex.schema.createTable('sessions', table => {
        table.string('id').primary()
        table.text('data')
      })
      const error = await t.throwsAsync(migrate(knex), { instanceOf: OptionInvalid })
      t.regex(error.message, /table 'sessions'.+user_key, version, expires_at/)
    },
  )

  test('migrate() takes tables of the right shape for its own, as after an interruption.', onEach, name, async t => {
    const { knex } = await migratedDatabase(t, name)
    await addUser(knex, 'ada')
    await knex.schema.dropTable('sessions')
    await knex('strata_migrations').del()
    t.deepEqual(await migrate(knex), NAMES)
    t.is((await knex('users')).length, 1)
    t.deepEqual(await tablesOf(knex), TABLES)
  })

  test(
    "migrate() with users: false leaves an application's own table of users alone, and makes all else.",
    onEach,
    name,
    async t => {
      const knex = (await newDatabase(t, name)).open()
      await knex.schema.createTable('users', table => {
        table.increments('uid')
        table.string('login')
      })
      await knex('users').insert({ login: 'ada' })
      const error = await t.throwsAsync(migrate(knex), { instanceOf: OptionInvalid })
      t.regex(error.message, /table 'users'.+users: false/)
      t.deepEqual(await missingMigrations(knex, { users: false }), WITHOUT_USERS)
      t.deepEqual(await migrate(knex, { users: false }), WITHOUT_USERS)
      t.deepEqual(await tablesOf(knex), ['feed_tokens', 'login_attempts', 'sessions', 'strata_migrations', 'users'])
      t.deepEqual(await knex('users'), [{ uid: 1, login: 'ada' }])
      t.deepEqual(await migrate(knex, { users: false }), [])
      t.deepEqual(await missingMigrations(knex, { users: false }), [])
    },
  )

  test(
    'What users: false left out is made by a later call, and a call with it changes nothing then.',
    onEach,
    name,
    async t => {
      const knex = (await newDatabase(t, name)).open()
      await migrate(knex, { users: false })
      await knex('sessions').insert({ id: 'a', data: '', version: '', expires_at: 1 })
      const users = NAMES.slice(0, 2)
      t.deepEqual(await missingMigrations(knex), users)
      t.deepEqual(await migrate(knex), users)
      t.deepEqual(await tablesOf(knex), TABLES)
      t.is((await knex('sessions')).length, 1)
      t.deepEqual(await migrate(knex, { users: false }), [])
      if (name === 'sqlite') return
      const { knex: whole } = await migratedDatabase(t, name)
      t.deepEqual(await definitionsOf(knex), await definitionsOf(whole))
    },
  )

  test('A database of the version before gets what it lacks, and keeps what it has.', onEach, name, async t => {
    const { knex } = await migratedDatabase(t, name)
    await addUser(knex, 'ada')
    for (const table of ['identities', 'login_attempts']) await knex.schema.dropTable(table)
    await knex('strata_migrations').whereNot({ name: NAMES[0] }).del()
    t.deepEqual(await missingMigrations(knex), NAMES.slice(1))
    t.deepEqual(await migrate(knex), NAMES.slice(1))
    t.deepEqual(await tablesOf(knex), TABLES)
    t.is((await knex('users')).length, 1)
  })

  test('Tables of an application whose names differ from ours in case are none of ours.', onEach, name, async t => {
    const knex = (await newDatabase(t, name)).open()
    // To SQLite they are the same.
    const own = name === 'sqlite' ? 'Users_' : 'Users'
    await knex.schema.createTable(own, table => {
      table.string('nick')
    })
    t.deepEqual(await migrate(knex), NAMES)
    t.deepEqual(
      (await tablesOf(knex)).filter(one => one !== own),
      TABLES,
    )
    t.deepEqual(Object.keys(await knex(own).columnInfo()), ['nick'])
  })
}

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

for (const [option, options] of [
  ['users', { users: 'no' }],
  ['users', { users: null }],
  ['user', { user: false }],
  ['options', null],
] as const) {
  test(`The option ${option} of migrate() is checked: ${JSON.stringify(options)}`, async t => {
    const knex = openSqlite(t, await sqliteFile(t))
    const error = await t.throwsAsync(migrate(knex, options as never), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.deepEqual(await tablesOf(knex), [])
  })
}

for (const name of ['sqlite', 'postgresql'] as const) {
  test('migrate() can run in a transaction of the application, and goes with it.', onEach, name, async t => {
    const knex = name === 'sqlite' ? openSqlite(t, await sqliteFile(t)) : (await newDatabase(t, name)).open()
    await t.throwsAsync(
      knex.transaction(async trx => {
        t.deepEqual(await migrate(trx), NAMES)
        throw new Error('changed my mind')
      }),
      { message: 'changed my mind' },
    )
    t.deepEqual(await tablesOf(knex), [])
  })
}

test('mariadb: migrate() commits the transaction that it is called in.', async t => {
  const knex = (await newDatabase(t, 'mariadb')).open()
  await t.throwsAsync(
    knex.transaction(async trx => {
      t.deepEqual(await migrate(trx), NAMES)
      throw new Error('changed my mind')
    }),
    { message: 'changed my mind' },
  )
  t.deepEqual(await tablesOf(knex), TABLES)
})

import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import type { Knex } from 'knex'
import pg from 'pg'
import { migrate, missingMigrations } from '../../lib/database/migrations.ts'
import { OptionInvalid } from '../../lib/errors.ts'
import { sqlStore } from '../../lib/sessions/stores/sql.ts'
import { newId } from '../../lib/testing/store-under-test.ts'
import { startMariadb } from '../servers/mariadb.ts'
import { definitionsOf, tablesOf } from './catalogue.ts'
import { inProcesses } from './processes.ts'
import { configOf, migratedDatabase, newDatabase, onConnect, openKnex } from './servers.ts'

/** Cuts the connections of an instance when it is about to run its statement number `count`. Answers whether it came so far. */
function cutBefore(knex: Knex, count: number): () => boolean {
  let statements = 0
  knex.on('query', () => {
    if (++statements !== count) return
    for (const { resource } of knex.client.pool.used) (resource.stream ?? resource.connection.stream).destroy()
  })
  return () => statements >= count
}

for (const name of ['mariadb', 'postgresql'] as const) {
  test(`${name}: migrate() that was interrupted before any of its statements is finished by the next call.`, async t => {
    const { knex: reference } = await migratedDatabase(t, name)
    const whole = await definitionsOf(reference)
    const names = await reference('strata_migrations').pluck('name')
    t.true(whole.length > 5)
    let interruptions = 0
    for (let count = 1; ; count++) {
      const database = await newDatabase(t, name)
      const first = database.open()
      const cut = cutBefore(first, count)
      const done = await migrate(first).then(
        () => true,
        () => false,
      )
      if (!cut()) break
      interruptions++
      const knex = database.open()
      const before = await missingMigrations(knex)
      t.deepEqual(await migrate(knex), before)
      t.true(!done || before.length === 0, `statement ${count}`)
      t.deepEqual(await knex('strata_migrations').orderBy('name').pluck('name'), names, `statement ${count}`)
      t.deepEqual(await definitionsOf(knex), whole, `statement ${count}`)
      t.deepEqual(await migrate(knex), [])
      await Promise.all([first.destroy(), knex.destroy()])
    }
    t.log(`${interruptions} interruptions`)
    t.true(interruptions > 15, `${interruptions}`)
  })

  test(`${name}: a table that lacks an index or a foreign key is told apart by the check above, so that it can fail.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const whole = await definitionsOf(knex)
    await knex.schema.alterTable('sessions', table => table.dropIndex('expires_at', 'sessions_expires_at_index'))
    const without = await definitionsOf(knex)
    t.notDeepEqual(without, whole)
    await knex.schema.alterTable('group_members', table =>
      table.dropForeign('user_id', 'group_members_user_id_foreign'),
    )
    t.notDeepEqual(await definitionsOf(knex), without)
  })
}

for (const [what, create, connect] of [
  ['a database of the character set latin1', 'character set latin1', ''],
  ['the sql_mode that is empty', undefined, "set session sql_mode = ''"],
  ['the sql_mode ANSI', undefined, "set session sql_mode = 'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_AUTO_VALUE_ON_ZERO'"],
  ['the sql_mode TRADITIONAL', undefined, "set session sql_mode = 'TRADITIONAL'"],
  ['the isolation level SERIALIZABLE', undefined, 'set session transaction isolation level serializable'],
  ['connections of the character set latin1', undefined, 'set names latin1'],
] as const) {
  test(`mariadb: migrate() makes the same tables with ${what}, and a session is kept whole in them.`, async t => {
    const whole = await definitionsOf((await migratedDatabase(t, 'mariadb')).knex)
    const { open } = await newDatabase(t, 'mariadb', create)
    const knex = open(connect ? onConnect(connect) : {})
    await migrate(knex)
    t.deepEqual(await definitionsOf(open()), whole)
    const store = sqlStore(knex)
    const id = newId()
    const data = { text: `'"\\\`?%_\0\n\u2028 ÄŁ☃🦊`, list: [1.5, null, true] }
    const record = { data, user: "sql:'\\🦊\0 ", expiresAt: Date.now() + 1e6 }
    const version = await store.create(id, record)
    t.deepEqual(await store.read(id), { ...record, version: version! })
    t.deepEqual(await store.list(record.user), [{ id, ...record }])
  })
}

for (const [what, statement] of [
  ['the sql_mode NO_BACKSLASH_ESCAPES', "set session sql_mode = 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'"],
  ['autocommit off', 'set autocommit = 0'],
] as const) {
  test(`mariadb: migrate() refuses connections with ${what}, and makes nothing.`, async t => {
    const { open } = await newDatabase(t, 'mariadb')
    const error = await t.throwsAsync(migrate(open(onConnect(statement))), { instanceOf: OptionInvalid })
    t.is(error.option, 'knex')
    t.deepEqual(await tablesOf(open()), [])
  })
}

test('mariadb: under NO_BACKSLASH_ESCAPES a value does get out of its quotation, so that refusing it is not for nothing.', async t => {
  const { knex, open } = await migratedDatabase(t, 'mariadb')
  const id = newId()
  await sqlStore(knex).create(id, { data: {}, user: null, expiresAt: Date.now() + 1e6 })
  const unsafe = open(onConnect("set session sql_mode = 'NO_BACKSLASH_ESCAPES'"))
  t.is((await unsafe('sessions').where({ id: "' or 1 = 1 -- " })).length, 1)
  t.is((await knex('sessions').where({ id: "' or 1 = 1 -- " })).length, 0)
})

test('mariadb: migrate() without a database says so at once.', async t => {
  const { config } = await newDatabase(t, 'mariadb')
  const knex = openKnex(t, { ...config, connection: { ...(config.connection as object), database: '' } })
  await t.throwsAsync(migrate(knex), { code: 'ER_NO_DB_ERROR' })
})

test('mariadb: migrate() works where names of tables are stored in lower case, and knows ours in any case.', async t => {
  const server = await startMariadb(t, { args: ['--lower-case-table-names=1'] })
  const knex = openKnex(t, configOf(server.url))
  const twin = openKnex(t, configOf(server.url.replace(/strata$/, 'STRATA')))
  const answers = await Promise.all([migrate(knex), migrate(twin)])
  t.is(answers.flat().length, new Set(answers.flat()).size)
  t.deepEqual(await migrate(twin), [])
  const store = sqlStore(knex, { table: 'STRATA.Sessions' })
  const id = newId()
  t.truthy(await store.create(id, { data: {}, user: null, expiresAt: Date.now() + 1e6 }))
  t.truthy(await sqlStore(twin).read(id))
})

for (const level of ['serializable', 'repeatable read']) {
  test(`postgresql: migrate() called at once by four processes runs once where transactions are ${level} by default.`, async t => {
    const { config, open } = await newDatabase(t, 'postgresql')
    const connection = {
      ...(config.connection as object),
      options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`,
    }
    const strict = { ...config, connection }
    const [{ transaction_isolation }] = (await openKnex(t, strict).raw('show transaction_isolation')).rows
    t.is(transaction_isolation, level)
    const ran = (await inProcesses<string[]>(t, 4, 'migrate', strict)).flat()
    t.is(ran.length, new Set(ran).size)
    t.deepEqual(await missingMigrations(open()), [])
  })
}

test("postgresql: migrate() makes its tables in the schema that comes first, beside another's of the same names.", async t => {
  const { config, open } = await newDatabase(t, 'postgresql')
  const other = await newDatabase(t, 'postgresql')
  await other.open().schema.createTable('users', table => table.string('nick'))
  const knex = open({ searchPath: [config.searchPath![0]!, other.config.searchPath![0]!] })
  t.true((await migrate(knex)).length > 0)
  t.true((await tablesOf(open())).includes('users'))
  t.deepEqual(await tablesOf(other.open()), ['users'])
})

test('postgresql: migrate() works with numbers of 64 bits that arrive as BigInt.', async t => {
  const { open } = await newDatabase(t, 'postgresql')
  const types = {
    getTypeParser: (id: number, format: 'text') => (id === 20 ? BigInt : pg.types.getTypeParser(id, format)),
  }
  const knex = open({ connection: { types } as Knex.PgConnectionConfig })
  await migrate(knex)
  t.is(typeof (await knex('strata_migrations').first()).run_at, 'bigint')
  t.deepEqual(await migrate(knex), [])
})

test('mariadb: migrate() that waits for another goes on when that one is gone.', async t => {
  const database = await newDatabase(t, 'mariadb')
  const [first, second] = [database.open(), database.open()]
  const holder = await first.client.acquireConnection()
  await first.raw("select get_lock(concat('strata ', md5(lower(database()))), 0)").connection(holder)
  let over = false
  const waiting = migrate(second).finally(() => {
    over = true
  })
  const watcher = database.open()
  const isWaiting = async () =>
    (await watcher.raw('show full processlist'))[0].some(
      (row: { State: string; db: string }) =>
        row.db === watcher.client.config.connection.database && /lock/i.test(row.State),
    )
  while (!(await isWaiting())) await wait(5)
  t.false(over)
  holder.destroy()
  await first.client.releaseConnection(holder)
  t.true((await waiting).length > 0)
})

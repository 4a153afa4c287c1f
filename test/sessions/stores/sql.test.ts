import test from 'ava'
import type { Knex } from 'knex'
import { OptionInvalid } from '../../../lib/errors.ts'
import { parseContent } from '../../../lib/sessions/content.ts'
import { sqlStore } from '../../../lib/sessions/stores/sql.ts'
import { newId } from '../../../lib/testing/store-under-test.ts'
import { inProcesses } from '../../database/processes.ts'
import { DATABASES, migratedDatabase, newDatabase } from '../../database/servers.ts'
import { openSqlite, sqliteFile } from '../../database/sqlite.ts'
import { handedClock } from './setups.ts'

const HOUR = 3_600_000
const record = (data: object = {}, user: string | null = null) => ({ data, user, expiresAt: Date.now() + HOUR })
const NO_TABLE = { sqlite: 'SQLITE_ERROR', mariadb: 'ER_NO_SUCH_TABLE', postgresql: '42P01' }

for (const name of DATABASES) {
  test(`${name}: a row of the table holds the id, the user, the JSON in ASCII, the version and the expiry in milliseconds.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const id = newId()
    const { expiresAt } = record()
    const version = await sqlStore(knex).create(id, { data: { a: ['é🦊'] }, user: 'sql:é', expiresAt })
    const [row] = await knex('sessions')
    t.deepEqual(
      { ...row, user_key: String(row.user_key), expires_at: Number(row.expires_at) },
      { id, user_key: 'sql:é', data: '{"a":["\\u00e9\\ud83e\\udd8a"]}', version, expires_at: expiresAt },
    )
  })

  test(`${name}: sqlStore() keeps sessions in the table it is told, in another schema too.`, async t => {
    const { knex, config } = await migratedDatabase(t, name)
    const schema = {
      sqlite: 'main',
      mariadb: knex.client.config.connection.database,
      postgresql: config.searchPath?.[0],
    }
    await knex.raw('create table app_sessions as select * from sessions')
    for (const table of ['app_sessions', `${schema[name]}.app_sessions`]) {
      const store = sqlStore(knex, { table })
      const id = newId()
      const version = await store.create(id, record())
      t.not(await store.replace(id, version!, record()), 'changed')
      t.true(await store.touch(id, Date.now() + 2 * HOUR))
      t.truthy(await store.read(id))
      t.is((await knex('app_sessions')).length, 1)
      await store.destroy(id)
    }
    t.is((await knex('sessions')).length, 0)
  })

  test(`${name}: sessions outlive the process: another knex instance reads them.`, async t => {
    const { knex, open } = await migratedDatabase(t, name)
    const id = newId()
    await sqlStore(knex).create(id, record({ kept: true }))
    await knex.destroy()
    t.deepEqual((await sqlStore(open()).read(id))?.data, { kept: true })
  })

  for (const data of ['', 'not json', '{"a":', '[1]', '"text"', '12', 'null', 'true', '\u0000', '{"a":"é🦊"}']) {
    // PostgreSQL takes no NUL.
    if (name === 'postgresql' && data === '\u0000') continue
    test(`T2: ${name}: a row whose data is ${JSON.stringify(data)} is answered so that the layer drops it.`, async t => {
      const { knex } = await migratedDatabase(t, name)
      const store = sqlStore(knex)
      const id = newId()
      await store.create(id, record({}, 'sql:1'))
      await knex('sessions').update({ data })
      const found = await store.read(id)
      t.truthy(found)
      t.is(parseContent(found!.data), 'corrupt')
      t.is((found!.data as { _epoch?: unknown })._epoch, undefined)
      const [listed] = await store.list('sql:1')
      t.is(parseContent(listed!.data), 'corrupt')
      await store.destroy(id)
      t.is(await store.read(id), null)
    })
  }

  test(`T2: ${name}: a row whose data is a blob, or a number, is answered so that the layer drops it.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const store = sqlStore(knex)
    for (const data of [Buffer.from('{}'), Buffer.alloc(0), 12]) {
      const id = newId()
      await store.create(id, record())
      await knex('sessions').where({ id }).update({ data })
      t.is(parseContent((await store.read(id))!.data), 'corrupt')
    }
  })

  test(`${name}: a user's key above 1,089 bytes is refused, not cut off.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const store = sqlStore(knex)
    const long = `${'b'.repeat(64)}:${'é'.repeat(512)}x`
    const id = newId()
    await t.throwsAsync(store.create(id, record({}, long)), { instanceOf: RangeError })
    await t.throwsAsync(store.list(long), { instanceOf: RangeError })
    t.is(await store.read(id), null)
  })

  test(`${name}: a store whose table is missing rejects every call, and never tells an error as an absence.`, async t => {
    const store = sqlStore((await newDatabase(t, name)).open())
    for (const call of callsOf(store)) await t.throwsAsync(call(), { code: NO_TABLE[name] })
  })

  test(`${name}: a store whose knex was destroyed rejects.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const store = sqlStore(knex)
    await knex.destroy()
    for (const call of callsOf(store)) await t.throwsAsync(call())
  })

  test(`T6: ${name}: a sweep removes in batches, by key.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const { now } = handedClock()
    const store = sqlStore(knex, { now })
    const rows = Array.from({ length: 250 }, (_, n) => ({
      id: newId(),
      data: '{}',
      version: 'v',
      expires_at: now() - n,
    }))
    await knex.batchInsert('sessions', rows, 50)
    const deletes: unknown[] = []
    knex.on('query-response', (response: unknown, { method, sql }: { method: string; sql: string }) => {
      if (method === 'del' && / in \(/.test(sql)) deletes.push(response)
    })
    t.is(await store.sweep(1000), 250)
    t.deepEqual(deletes, [100, 100, 50])
  })

  test(`S6: ${name}: processes that change one session lose no change.`, async t => {
    const { knex, config } = await migratedDatabase(t, name)
    const id = newId()
    await sqlStore(knex).create(id, record({ count: 0 }))
    const counts = await inProcesses<number>(t, 3, 'count', config, id, '50')
    t.deepEqual(counts, [50, 50, 50])
    t.deepEqual((await sqlStore(knex).read(id))?.data, { count: 150 })
  })

  test(`S6: ${name}: the same processes lose changes where the version is not looked at, so the check above can fail.`, async t => {
    const { knex, config } = await migratedDatabase(t, name)
    const id = newId()
    await sqlStore(knex).create(id, record({ count: 0 }))
    await inProcesses<number>(t, 3, 'count-blindly', config, id, '50')
    t.true((await sqlStore(knex).read(id))?.data.count < 150)
  })
}

/** Every call of a store, about an id that is nobody's. */
function callsOf(store: ReturnType<typeof sqlStore>): (() => Promise<unknown>)[] {
  const id = newId()
  return [
    () => store.read(id),
    () => store.create(id, record()),
    () => store.replace(id, '1', record()),
    () => store.touch(id, Date.now() + HOUR),
    () => store.destroy(id),
    () => store.list('sql:1'),
    () => store.destroyAll('sql:1'),
    () => store.sweep(10),
  ]
}

for (const [option, options] of [
  ['table', { table: '' }],
  ['table', { table: 'two words' }],
  ['table', { table: 'quoted"' }],
  ['table', { table: 1 }],
  ['table', { table: null }],
  ['now', { now: 1 }],
  ['now', { now: null }],
  ['timeout', { timeout: 0 }],
  ['timeout', { timeout: '1000' }],
  ['maxRetries', { maxRetries: 3 }],
  ['options', null],
  ['options', []],
] as const) {
  test(`sqlStore() refuses ${JSON.stringify(options)} and names '${option}'.`, async t => {
    const knex = openSqlite(t, await sqliteFile(t))
    const error = t.throws(() => sqlStore(knex, options as object), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.is(error.where, 'sqlStore()')
  })
}

for (const [what, value] of Object.entries({
  nothing: undefined,
  null: null,
  text: 'sqlite',
  'an object': {},
  'a function': () => {},
  'a function with a client for another database': Object.assign(() => {}, { client: { dialect: 'mssql' } }),
  'a client named as a property of every object': Object.assign(() => {}, { client: { dialect: 'constructor' } }),
})) {
  test(`sqlStore() refuses ${what} for a knex instance.`, t => {
    const error = t.throws(() => sqlStore(value as unknown as Knex), { instanceOf: OptionInvalid })
    t.is(error.option, 'knex')
  })
}

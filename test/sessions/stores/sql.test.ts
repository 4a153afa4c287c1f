import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { migrate } from '../../../lib/database/migrations.ts'
import { OptionInvalid } from '../../../lib/errors.ts'
import { parseContent } from '../../../lib/sessions/content.ts'
import { sqlStore } from '../../../lib/sessions/stores/sql.ts'
import { newId } from '../../../lib/testing/store-under-test.ts'
import { inProcesses } from '../../database/processes.ts'
import { migratedSqlite, openSqlite, sqliteFile } from '../../database/sqlite.ts'
import { handedClock } from './setups.ts'

const HOUR = 3_600_000
const record = (data: object = {}, user: string | null = null) => ({ data, user, expiresAt: Date.now() + HOUR })

test('A row of the table holds the id, the user, the JSON, the version and the expiry in milliseconds.', async t => {
  const knex = await migratedSqlite(t)
  const id = newId()
  const { expiresAt } = record()
  const version = await sqlStore(knex).create(id, { data: { a: [1] }, user: 'sql:1', expiresAt })
  t.deepEqual(await knex('sessions'), [{ id, user_key: 'sql:1', data: '{"a":[1]}', version, expires_at: expiresAt }])
})

test('sqlStore() keeps sessions in the table it is told.', async t => {
  const knex = await migratedSqlite(t)
  await knex.raw('create table "app_sessions" as select * from sessions')
  const store = sqlStore(knex, { table: 'app_sessions' })
  const id = newId()
  await store.create(id, record())
  t.truthy(await store.read(id))
  t.is((await knex('app_sessions')).length, 1)
  t.is((await knex('sessions')).length, 0)
})

test('Sessions outlive the process: another knex instance on the same file reads them.', async t => {
  const file = await sqliteFile(t)
  const first = openSqlite(t, file)
  await migrate(first)
  const id = newId()
  await sqlStore(first).create(id, record({ kept: true }))
  await first.destroy()
  t.deepEqual((await sqlStore(openSqlite(t, file)).read(id))?.data, { kept: true })
})

for (const data of ['', 'not json', '{"a":', '[1]', '"text"', '12', 'null', 'true', '\u0000']) {
  test(`T2: A row whose data is ${JSON.stringify(data)} is answered so that the layer drops it.`, async t => {
    const knex = await migratedSqlite(t)
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

test('A row whose data is a blob, or a number, is answered so that the layer drops it.', async t => {
  const knex = await migratedSqlite(t)
  const store = sqlStore(knex)
  for (const data of [Buffer.from('{}'), Buffer.alloc(0), 12]) {
    const id = newId()
    await store.create(id, record())
    await knex('sessions').where({ id }).update({ data })
    t.is(parseContent((await store.read(id))!.data), 'corrupt')
  }
})

test("A user's key above 1,089 bytes is refused, not cut off.", async t => {
  const store = sqlStore(await migratedSqlite(t))
  const long = `${'b'.repeat(64)}:${'é'.repeat(512)}x`
  const id = newId()
  await t.throwsAsync(store.create(id, record({}, long)), { instanceOf: RangeError })
  await t.throwsAsync(store.list(long), { instanceOf: RangeError })
  t.is(await store.read(id), null)
})

test('A store whose table is missing rejects every call, and never tells an error as an absence.', async t => {
  const store = sqlStore(openSqlite(t, await sqliteFile(t)))
  const id = newId()
  const calls = [
    () => store.read(id),
    () => store.create(id, record()),
    () => store.replace(id, '1', record()),
    () => store.touch(id, Date.now() + HOUR),
    () => store.destroy(id),
    () => store.list('sql:1'),
    () => store.destroyAll('sql:1'),
    () => store.sweep(10),
  ]
  for (const call of calls) await t.throwsAsync(call(), { code: 'SQLITE_ERROR' })
})

test('A store whose knex was destroyed rejects.', async t => {
  const knex = await migratedSqlite(t)
  const store = sqlStore(knex)
  await knex.destroy()
  await t.throwsAsync(store.read(newId()))
})

/** Two connections to one file; the first does not wait for locks by itself. */
async function impatient(t: ExecutionContext): Promise<{ knex: Knex; blocker: Knex }> {
  const knex = await migratedSqlite(t)
  await knex.raw('pragma busy_timeout = 0')
  return { knex, blocker: openSqlite(t, knex.client.config.connection.filename) }
}

test('A statement that finds the database busy is repeated until it is free.', async t => {
  const { knex, blocker } = await impatient(t)
  const store = sqlStore(knex)
  const id = newId()
  await blocker.raw('begin immediate')
  let failures = 0
  knex.on('query-error', async () => {
    if (++failures === 2) await blocker.raw('commit')
  })
  const version = await store.create(id, record({ mark: 1 }))
  t.true(failures >= 2)
  t.is((await store.read(id))?.version, version!)
})

test('A database that stays busy is an error after a bounded number of tries.', async t => {
  const { knex, blocker } = await impatient(t)
  await blocker.raw('begin immediate')
  let failures = 0
  knex.on('query-error', () => {
    failures++
  })
  await t.throwsAsync(sqlStore(knex).create(newId(), record()), { code: 'SQLITE_BUSY' })
  t.true(failures > 1 && failures <= 6, `${failures} tries`)
  await blocker.raw('rollback')
})

test('An error that is no collision is not repeated.', async t => {
  const knex = openSqlite(t, await sqliteFile(t))
  let failures = 0
  knex.on('query-error', () => {
    failures++
  })
  await t.throwsAsync(sqlStore(knex).destroy(newId()))
  t.is(failures, 1)
})

test('A sweep removes in batches, by key.', async t => {
  const knex = await migratedSqlite(t)
  const { now } = handedClock()
  const store = sqlStore(knex, { now })
  await knex.batchInsert(
    'sessions',
    Array.from({ length: 250 }, (_, index) => ({ id: newId(), data: '{}', version: 'v', expires_at: now() - index })),
  )
  const deletes: number[] = []
  knex.on('query-response', (response: unknown, { method }: { method: string }) => {
    if (method === 'del') deletes.push(response as number)
  })
  t.is(await store.sweep(1000), 250)
  t.deepEqual(deletes, [100, 100, 50])
})

test('S6: Processes that change one session through one file lose no change.', async t => {
  const knex = await migratedSqlite(t)
  const id = newId()
  await sqlStore(knex).create(id, record({ count: 0 }))
  const { filename } = knex.client.config.connection
  const counts = await inProcesses<number>(t, 3, 'count', [filename, id, '50'])
  t.deepEqual(counts, [50, 50, 50])
  t.deepEqual((await sqlStore(knex).read(id))?.data, { count: 150 })
})

test('S6: The same processes lose changes where the version is not looked at, so the check above can fail.', async t => {
  const knex = await migratedSqlite(t)
  const id = newId()
  await sqlStore(knex).create(id, record({ count: 0 }))
  const { filename } = knex.client.config.connection
  await inProcesses<number>(t, 3, 'count-blindly', [filename, id, '50'])
  t.true((await sqlStore(knex).read(id))?.data.count < 150)
})

for (const [option, options] of [
  ['table', { table: '' }],
  ['table', { table: 'two words' }],
  ['table', { table: 'quoted"' }],
  ['table', { table: 1 }],
  ['table', { table: null }],
  ['now', { now: 1 }],
  ['now', { now: null }],
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

import { inspect } from 'node:util'
import test from 'ava'
import type { Knex } from 'knex'
import { databaseRecords } from '../../lib/django/database-records.ts'
import { toMoment } from '../../lib/django/moments.ts'
import type { DjangoRecord, DjangoRecords } from '../../lib/django/records.ts'
import { sessionKeys } from '../../lib/django/session-key.ts'
import { OptionInvalid } from '../../lib/errors.ts'
import { DATABASES, type DatabaseName } from '../database/servers.ts'
import { openSqlite, sqliteFile } from '../database/sqlite.ts'
import { handedClock } from '../sessions/stores/setups.ts'
import { newSessionTable, type SessionTable } from './session-table.ts'

const WHERE = 'djangoSessions()'
const HOUR = 3_600_000
const { newId: newKey } = sessionKeys
const NO_TABLE = { sqlite: 'SQLITE_ERROR', mariadb: 'ER_NO_SUCH_TABLE', postgresql: '42P01' }

interface Setup extends SessionTable {
  readonly clock: ReturnType<typeof handedClock>
  readonly records: DjangoRecords
  /** A record with this text that lasts for an hour. */
  lasting(text: string): DjangoRecord
  /** Such records by connections of their own, as another process has them. */
  another(): DjangoRecords
}

async function setUp(name: DatabaseName): Promise<Setup> {
  const made = await newSessionTable(name)
  const clock = handedClock()
  const on = (knex: Knex) => databaseRecords(WHERE, knex, { table: made.table, now: clock.now })
  const lasting = (text: string) => ({ text, expiresAt: clock.now() + HOUR })
  return { ...made, clock, lasting, records: on(made.knex), another: () => on(made.open()) }
}

async function everything(records: DjangoRecords): Promise<{ key: string; text: string }[]> {
  const found = []
  for await (const one of records.all()) found.push(one)
  return found
}

for (const name of DATABASES) {
  test(`${name}: a record is added once, read, swapped and removed by its very text, and touched.`, async t => {
    const { records, lasting } = await setUp(name)
    const key = newKey()
    t.is(await records.read(key), null)
    t.true(await records.add(key, lasting('one')))
    t.false(await records.add(key, lasting('other')))
    t.deepEqual(await records.read(key), lasting('one'))
    for (const before of ['One', 'one ', ' one', 'öne', 'on', ''])
      t.is(await records.swap(key, before, lasting('other')), 'changed', before)
    t.is(await records.swap(key, 'one', lasting('two')), 'swapped')
    t.is(await records.swap(key, 'one', lasting('other')), 'changed')
    t.is(await records.swap(newKey(), 'two', lasting('other')), 'gone')
    const later = { text: 'two', expiresAt: lasting('two').expiresAt + 1234 }
    t.true(await records.touch(key, later.expiresAt))
    t.true(await records.touch(key, later.expiresAt))
    t.false(await records.touch(newKey(), later.expiresAt))
    t.deepEqual(await records.read(key), later)
    t.deepEqual(await everything(records), [{ key, text: 'two' }])
    for (const before of ['Two', 'two ', 'one']) t.is(await records.remove(key, before), 'changed', before)
    t.is(await records.remove(key, 'two'), 'removed')
    t.is(await records.remove(key, 'two'), 'gone')
    t.is(await records.read(key), null)
    t.is(await records.swap(key, 'two', lasting('other')), 'gone')
    t.true(await records.add(key, lasting('three')))
    t.is(await records.remove(key), 'removed')
    t.is(await records.remove(key), 'gone')
  })

  test(`S5: ${name}: a record is there until the moment that it ends, for every call, and not from then on.`, async t => {
    const { knex, table, clock, records } = await setUp(name)
    // One moment has no fraction of a second, as Django writes it then.
    for (const fraction of [0, 1, 999]) {
      const [key, stays] = [newKey(), newKey()]
      const expiresAt = Math.ceil(clock.now() / 1000) * 1000 + 5000 + fraction
      await records.add(key, { text: 'kept', expiresAt })
      await records.add(stays, { text: 'stays', expiresAt: expiresAt + 1 })
      clock.advance(expiresAt - 1 - clock.now())
      t.deepEqual(await records.read(key), { text: 'kept', expiresAt })
      t.is(await records.swap(key, 'kept', { text: 'kept', expiresAt }), 'swapped')
      t.is(await records.remove(key, 'other'), 'changed')
      t.true(await records.touch(key, expiresAt))
      t.false(await records.add(key, { text: 'new', expiresAt }))
      t.is((await everything(records)).length, 2)
      clock.advance(1)
      t.is(await records.read(key), null)
      t.is(await records.swap(key, 'kept', { text: 'new', expiresAt: expiresAt + HOUR }), 'gone')
      t.is(await records.remove(key, 'kept'), 'gone')
      t.false(await records.touch(key, expiresAt + HOUR))
      t.deepEqual(await everything(records), [{ key: stays, text: 'stays' }])
      // Where it was is a place for another one, once.
      t.true(await records.add(key, { text: 'new', expiresAt: expiresAt + 1 }))
      t.false(await records.add(key, { text: 'newer', expiresAt: expiresAt + 1 }))
      t.is((await records.read(key))?.text, 'new')
      clock.advance(1)
      t.deepEqual(await everything(records), [])
      t.is((await knex(table)).length, 2)
      t.is(await records.remove(key), 'removed')
      await records.remove(stays)
    }
  })

  test(`S2, S6: ${name}: of many who swap one text at once exactly one does, even where they put the same in its place.`, async t => {
    const { records, another, lasting } = await setUp(name)
    const processes = [records, another(), another()]
    for (const next of ['the same', null]) {
      const key = newKey()
      await records.add(key, lasting('before'))
      const texts = Array.from({ length: 12 }, (_, n) => next ?? `after ${n}`)
      const answers = await Promise.all(texts.map((text, n) => processes[n % 3]!.swap(key, 'before', lasting(text))))
      t.deepEqual(answers.toSorted(), [...Array(11).fill('changed'), 'swapped'])
      t.is((await records.read(key))?.text, texts[answers.indexOf('swapped')])
    }
  })

  test(`${name}: of many who add one key at once exactly one does, where it is free and where it has expired.`, async t => {
    const { clock, records, another, lasting } = await setUp(name)
    const processes = [records, another(), another()]
    const key = newKey()
    for (let round = 0; round < 3; round++) {
      const texts = Array.from({ length: 12 }, (_, n) => `${round}.${n}`)
      const answers = await Promise.all(texts.map((text, n) => processes[n % 3]!.add(key, lasting(text))))
      t.is(answers.filter(Boolean).length, 1)
      t.deepEqual(await records.read(key), lasting(texts[answers.indexOf(true)]!))
      clock.advance(HOUR)
    }
  })

  test(`S2: ${name}: of a swap and a removal at once exactly one is done; where no text is named both are.`, async t => {
    const { knex, table, records, another, lasting } = await setUp(name)
    const other = another()
    for (let round = 0; round < 20; round++) {
      const key = newKey()
      await records.add(key, lasting('before'))
      const calls = [() => records.swap(key, 'before', lasting('after')), () => other.remove(key, 'before')]
      const answers = await Promise.all((round % 2 ? calls : calls.toReversed()).map(call => call()))
      const there = await records.read(key)
      t.deepEqual(answers.toSorted(), there ? ['changed', 'swapped'] : ['gone', 'removed'])
      t.is(there?.text, there ? 'after' : undefined)
    }

    const key = newKey()
    await records.add(key, lasting('before'))
    const row = () => knex(table).where({ session_key: key })
    t.deepEqual(await Promise.all([row().first('session_data'), row().first('session_data')]), [
      { session_data: 'before' },
      { session_data: 'before' },
    ])
    t.is(await row().update({ session_data: 'after' }), 1)
    t.is(await row().del(), 1)
  })

  test(`S6: ${name}: counting by swaps loses nothing; by what was read alone it does.`, async t => {
    const { knex, table, records, another, lasting } = await setUp(name)
    const processes = [records, another()]
    const counted = async (
      swap: (on: DjangoRecords, key: string, before: string, text: string) => Promise<boolean>,
    ) => {
      const key = newKey()
      await records.add(key, lasting('0'))
      const count = async (on: DjangoRecords) => {
        for (let done = 0; done < 10; ) {
          const { text } = (await on.read(key))!
          if (await swap(on, key, text, String(Number(text) + 1))) done++
        }
      }
      await Promise.all([...processes, ...processes].map(count))
      return Number((await records.read(key))!.text)
    }
    const compared = await counted(async (on, key, before, text) => {
      return (await on.swap(key, before, lasting(text))) === 'swapped'
    })
    t.is(compared, 40)
    const blind = await counted(async (_on, session_key, _before, session_data) => {
      return (await knex(table).where({ session_key }).update({ session_data })) > 0
    })
    t.true(blind < 40, `${blind}`)
  })

  test(`${name}: a record that is removed while another one is added under its key does not keep that out.`, async t => {
    const { table, open, clock, records, lasting } = await setUp(name)
    const knex = open()
    const statements: string[] = []
    knex.on('query', ({ sql }) => statements.push(sql.split(' ')[0]))
    const acquire = knex.client.acquireConnection.bind(knex.client)
    knex.client.acquireConnection = async () => {
      if (statements.length === 1) await records.remove(key)
      return acquire()
    }
    const key = newKey()
    await records.add(key, lasting('one'))
    t.true(await databaseRecords(WHERE, knex, { table, now: clock.now }).add(key, lasting('two')))
    t.deepEqual(statements, ['insert', 'update', 'insert'])
    t.deepEqual(await records.read(key), lasting('two'))
  })

  test(`${name}: all of them come, each once, while others come and go beside.`, async t => {
    const { knex, table, open, clock, records, lasting } = await setUp(name)
    const row = (session_key: string, expiresAt: number) => ({
      session_key,
      session_data: session_key,
      expire_date: toMoment(name, expiresAt),
    })
    const stay = Array.from({ length: 450 }, newKey)
    const go = Array.from({ length: 50 }, newKey)
    const expired = Array.from({ length: 300 }, newKey)
    const live = [...stay, ...go].map(key => row(key, clock.now() + HOUR))
    await knex.batchInsert(table, [...live, ...expired.map(key => row(key, clock.now()))], 200)
    const seen = new Map<string, number>()
    const reader = open()
    let statements = 0
    reader.on('query', () => {
      statements++
    })
    for await (const { key, text } of databaseRecords(WHERE, reader, { table, now: clock.now }).all()) {
      t.is(text, key)
      seen.set(key, (seen.get(key) ?? 0) + 1)
      if (seen.size % 50 !== 0) continue
      const fresh = newKey()
      await records.add(fresh, lasting(fresh))
      await records.remove(go.pop()!)
      await records.touch(stay[seen.size % 450]!, clock.now() + 2 * HOUR)
    }
    t.true(stay.every(key => seen.get(key) === 1))
    t.true([...seen.values()].every(times => times === 1))
    t.false(expired.some(key => seen.has(key)))
    // A few at a time.
    t.true(statements >= 3, `${statements}`)
  })

  test(`${name}: a text of 512 KiB is kept, and swapped and removed by the whole of it.`, async t => {
    const { records, lasting } = await setUp(name)
    const key = newKey()
    const [big, bigger] = ['x'.repeat(512 * 1024), `${'x'.repeat(512 * 1024 - 1)}X`] as const
    await records.add(key, lasting(big))
    t.is(await records.swap(key, bigger, lasting('')), 'changed')
    t.is(await records.swap(key, big, lasting(bigger)), 'swapped')
    t.is(await records.remove(key, big), 'changed')
    t.is((await records.read(key))?.text, bigger)
    t.is(await records.remove(key, bigger), 'removed')
  })

  test(`${name}: records are kept in the table that is named, in another schema too.`, async t => {
    const { knex, table, records, lasting } = await setUp(name)
    const schema = {
      sqlite: 'main',
      mariadb: knex.client.config.connection.database,
      postgresql: knex.client.config.searchPath?.[0],
    }
    const bySchema = databaseRecords(WHERE, knex, { table: `${schema[name]}.${table}`, now: () => 0 })
    const key = newKey()
    t.true(await bySchema.add(key, lasting('one')))
    t.is(await bySchema.swap(key, 'one', lasting('two')), 'swapped')
    t.true(await bySchema.touch(key, lasting('').expiresAt))
    t.deepEqual(await bySchema.read(key), lasting('two'))
    t.deepEqual(await records.read(key), lasting('two'))
    t.is((await everything(bySchema)).length, 1)
    t.is(await bySchema.remove(key, 'two'), 'removed')
    t.is(await records.read(key), null)
  })

  test(`L9: ${name}: without its table every call rejects, with what tells neither a key nor a text.`, async t => {
    const { open, table } = await setUp(name)
    const knex = open()
    const records = databaseRecords(WHERE, knex, { table })
    await knex.schema.dropTable(table)
    const key = newKey()
    const record = { text: 'the-new-text', expiresAt: Date.now() + HOUR }
    const calls = [
      () => records.read(key),
      () => records.add(key, record),
      () => records.swap(key, 'the-old-text', record),
      () => records.remove(key, 'the-old-text'),
      () => records.remove(key),
      () => records.touch(key, Date.now()),
      () => everything(records),
    ]
    const seen: unknown[] = []
    for (const call of calls) seen.push(await t.throwsAsync<Error>(call, { code: NO_TABLE[name] }))
    await knex.raw('create table ?? (session_key int, session_data int, expire_date int)', table)
    seen.push(await records.add(key, record).catch(error => error))
    await knex.destroy()
    for (const call of calls) seen.push(await t.throwsAsync(call))
    t.notRegex(
      inspect(seen, { depth: 10, showHidden: true }),
      new RegExp(`${key}|the-old|the-new|select|insert|delete`),
    )
  })

  test(`S3: ${name}: nothing is changed while Django's cache is down, and a call that it failed after is none that was done.`, async t => {
    const { knex, table, clock, lasting, records: bare } = await setUp(name)
    const key = newKey()
    const asked: string[] = []
    let fails = (_: number) => false
    const forget = async (forgotten: string) => {
      t.is(forgotten, key)
      asked.push(forgotten)
      if (fails(asked.length)) throw new Error('the cache is down')
    }
    const records = databaseRecords(WHERE, knex, { table, now: clock.now, forget })
    const changes = [
      () => records.add(key, lasting('one')),
      () => records.swap(key, 'one', lasting('two')),
      () => records.touch(key, clock.now() + 2 * HOUR),
      () => records.remove(key, 'two'),
      () => records.remove(key),
    ]
    for (const change of changes) {
      const before = await bare.read(key)
      fails = () => true
      await t.throwsAsync(change, { message: 'the cache is down' })
      t.deepEqual(await bare.read(key), before)
      asked.length = 0
      fails = time => time > 1
      await t.throwsAsync(change, { message: 'the cache is down' })
      t.is(asked.length, 2)
    }
    // They were stored nevertheless, one after the other.
    t.is(await bare.read(key), null)
    fails = () => true
    await t.throwsAsync(() => records.read(key), { message: 'the cache is down' })
    fails = () => false
    asked.length = 0
    t.is(await records.read(key), null)
    t.is(asked.length, 1)
    await bare.add(key, lasting('one'))
    await records.read(key)
    await everything(records)
    t.is(asked.length, 1)
  })
}

test('mariadb: texts that its collation takes for the same are told apart, and one by another collation would not be.', async t => {
  const { knex, table, records, lasting } = await setUp('mariadb')
  const key = newKey()
  await records.add(key, lasting('eyJhIjoxfQ'))
  t.is((await knex(table).where({ session_data: 'EYJHIJOXFQ ' })).length, 1)
  t.is(await records.swap(key, 'EYJHIJOXFQ', lasting('other')), 'changed')
  t.is(await records.remove(key, 'eyJhIjoxfQ '), 'changed')
  t.is(await records.swap(key, 'eyJhIjoxfQ', lasting('EYJHIJOXFQ')), 'swapped')
  t.is((await records.read(key))?.text, 'EYJHIJOXFQ')
})

test('mariadb: a change can lock its row by nothing but the key: not by the index of expiries, where few rows live.', async t => {
  const { knex, table, open, clock, lasting } = await setUp('mariadb')
  const watched = open()
  const statements: Knex.Sql[] = []
  watched.on('query', statement => statements.push(statement))
  const records = databaseRecords(WHERE, watched, { table, now: clock.now })
  const [key, other] = [newKey(), newKey()]
  await records.add(other, lasting('other'))
  await records.add(key, lasting('one'))
  statements.length = 0
  await records.swap(key, 'one', lasting('two'))
  await records.touch(key, clock.now() + 2 * HOUR)
  await records.remove(key, 'two')
  t.is(statements.length, 3)
  const indexes = async (sql: string, bindings: readonly Knex.Value[]) => {
    const [[plan]] = await knex.raw(`explain ${sql}`, bindings)
    return plan.possible_keys
  }
  for (const { sql, bindings } of statements) t.is(await indexes(sql, bindings), 'PRIMARY')
  t.is(
    await indexes(`delete from ${table} where session_key = ? and expire_date > ?`, [other, '2025-01-01']),
    `PRIMARY,${table}_expire_date_a5c62663`,
  )
})

test('mariadb without FOUND_ROWS: what changes nothing is done where it finds its row, and nowhere else.', async t => {
  const { table, open, clock, lasting } = await setUp('mariadb')
  const knex = open({ connection: { flags: ['-FOUND_ROWS'] } as object })
  const records = databaseRecords(WHERE, knex, { table, now: clock.now })
  const key = newKey()
  await records.add(key, lasting('one'))
  t.is(await knex(table).update({ session_data: 'one' }), 0)
  t.is(await records.swap(key, 'one', lasting('one')), 'swapped')
  t.is(await records.swap(key, 'two', lasting('one')), 'changed')
  t.is(await records.swap(key, 'One', lasting('One')), 'changed')
  t.is(await records.swap(newKey(), 'one', lasting('one')), 'gone')
  t.true(await records.touch(key, lasting('').expiresAt))
  t.false(await records.touch(newKey(), lasting('').expiresAt))
  const answers = await Promise.all([1, 2, 3].map(() => records.swap(key, 'one', lasting('two'))))
  t.deepEqual(answers.toSorted(), ['changed', 'changed', 'swapped'])
})

for (const [option, options] of [
  ['table', { table: 'two words' }],
  ['table', { table: null }],
  ['timeout', { timeout: 0 }],
  ['timeout', { timeout: '5000' }],
  ['now', { now: 1 }],
] as const) {
  test(`databaseRecords() refuses ${JSON.stringify(options)} in the name of who asked for it.`, async t => {
    const knex = openSqlite(t, await sqliteFile(t))
    const error = t.throws(() => databaseRecords(WHERE, knex, options as object), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.is(error.where, WHERE)
  })
}

test('databaseRecords() refuses what is no knex instance.', t => {
  for (const value of [null, 'sqlite', {}, () => {}, Object.assign(() => {}, { client: { dialect: 'mssql' } })]) {
    const error = t.throws(() => databaseRecords(WHERE, value as Knex), { instanceOf: OptionInvalid })
    t.is(error.option, 'database')
  }
})

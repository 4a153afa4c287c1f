import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import test from 'ava'
import type { Knex } from 'knex'
import pg from 'pg'
import { sqlStore } from '../../../../lib/sessions/stores/sql.ts'
import { sessionStoreChecks } from '../../../../lib/testing/index.ts'
import { newId } from '../../../../lib/testing/store-under-test.ts'
import { lockWaits, migratedDatabase, onConnect } from '../../../database/servers.ts'
import { scaled } from '../../../scale.ts'
import { sqlSetup } from './setup.ts'

const SERVERS = ['mariadb', 'postgresql'] as const
const HOUR = 3_600_000
const record = (data: object = {}, user: string | null = null) => ({ data, user, expiresAt: Date.now() + HOUR })

/** Answers numbers of 64 bits otherwise than pg does by itself. */
const int8As = (parse: (text: string) => unknown): Knex.Config => ({
  connection: {
    types: { getTypeParser: (id: number, format: 'text') => (id === 20 ? parse : pg.types.getTypeParser(id, format)) },
  } as Knex.PgConnectionConfig,
})

/** Turns the snake_case of columns into camelCase, as objection's mappers do. */
function camelCase(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(camelCase)
  if (result?.constructor !== Object) return result
  const camel = (name: string) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [camel(name), value]))
}

/** How people set up their drivers and connections, several of it at once. */
const SETTINGS: Record<string, [name: (typeof SERVERS)[number], config: Knex.Config]> = {
  'mariadb without FOUND_ROWS, with every number as text, in latin1, not strict, SERIALIZABLE': [
    'mariadb',
    {
      connection: {
        flags: ['-FOUND_ROWS'],
        supportBigNumbers: true,
        bigNumberStrings: true,
        decimalNumbers: true,
        dateStrings: true,
        jsonStrings: true,
        charset: 'latin1',
      } as object,
      ...onConnect('set session transaction isolation level serializable', "set session sql_mode = ''"),
    },
  ],
  'mariadb with booleans, in the old utf8, in ANSI mode, READ COMMITTED, with camelCase': [
    'mariadb',
    {
      connection: {
        typeCast: (field: { type: string; string(): string }, next: () => void) =>
          field.type === 'TINY' ? field.string() === '1' : next(),
        charset: 'utf8',
      } as object,
      postProcessResponse: camelCase,
      ...onConnect(
        'set session transaction isolation level read committed',
        "set session sql_mode = 'ANSI,PAD_CHAR_TO_FULL_LENGTH'",
      ),
    },
  ],
  'mariadb with everything as bytes, and strict snapshots': [
    'mariadb',
    {
      connection: { typeCast: false } as object,
      version: '10.11',
      ...onConnect('set session innodb_snapshot_isolation = on'),
    },
  ],
  'postgresql with BigInt, SERIALIZABLE': [
    'postgresql',
    {
      ...int8As(BigInt),
      // It calls off whatever meets: of many at once, too many for the tries there are.
      pool: { max: 1, ...onConnect("set default_transaction_isolation = 'serializable'").pool },
    },
  ],
  'postgresql with numbers, REPEATABLE READ, with camelCase': [
    'postgresql',
    {
      ...int8As(Number),
      postProcessResponse: camelCase,
      ...onConnect("set default_transaction_isolation = 'repeatable read'"),
    },
  ],
}

for (const [as, [name, config]] of Object.entries(SETTINGS)) {
  test(`T1: ${as}: every check of the suite holds.`, async t => {
    const checks = Object.entries(sessionStoreChecks).filter(([, { needs }]) => needs !== 'close')
    t.true(checks.length > 100)
    const inTurn = async () => {
      for (let next = checks.pop(); next; next = checks.pop())
        await t.notThrowsAsync(next[1](await sqlSetup(name, config, as)), next[0])
    }
    await Promise.all(Array.from({ length: 5 }, inTurn))
  })
}

for (const name of SERVERS) {
  test(`T6: ${name}: sweeps in batches beside writers: nobody fails, and nobody waits long.`, async t => {
    const { knex, open } = await migratedDatabase(t, name)
    const sweeper = open()
    const now = Date.now()
    const expired = Array.from({ length: scaled(20_000) }, (_, n) => ({
      id: newId(),
      user_key: Buffer.from(`ldap:${n % 7}`),
      data: '{}',
      version: 'v',
      expires_at: now - n,
    }))
    await knex.batchInsert('sessions', expired, 500)
    const collisions: Record<string, number> = {}
    for (const one of [knex, sweeper])
      one.on('query-error', ({ code }) => {
        collisions[code] = (collisions[code] ?? 0) + 1
      })
    let slowest = 0
    let calls = 0
    const timed = async <Answer>(call: Promise<Answer>): Promise<Answer> => {
      const start = performance.now()
      const answer = await call
      slowest = Math.max(slowest, performance.now() - start)
      calls++
      return answer
    }
    const store = sqlStore(knex)
    let swept = 0
    const sweep = async () => {
      for (let removed = 1; removed > 0; swept += removed) removed = await sqlStore(sweeper).sweep(500)
    }
    const write = async (writer: number) => {
      for (let round = 0; round < scaled(500); round++) {
        const id = newId()
        const version = (await timed(store.create(id, record({ writer }))))!
        const next = await timed(store.replace(id, version, record({ writer, round }, `sql:${writer % 7}`)))
        t.false(['changed', 'gone'].includes(next))
        t.true(await timed(store.touch(id, Date.now() + 2 * HOUR)))
        t.deepEqual((await timed(store.read(id)))?.data, { writer, round })
        await timed(round % 2 ? store.destroy(id) : store.destroyAll(`sql:${writer % 7}`, newId()))
      }
    }
    await Promise.all([sweep(), sweep(), ...Array.from({ length: 7 }, (_, writer) => write(writer))])
    t.log(
      `${calls} calls beside ${swept} swept, the slowest ${Math.round(slowest)} ms, collisions ${inspect(collisions)}`,
    )
    t.true(swept > scaled(20_000) / 2)
    t.is((await knex('sessions').where('expires_at', '<=', now)).length, 0)
    t.true(slowest < 5_000)
  })

  test(`T6: ${name}: a call that deadlocks with a transaction of somebody else is made again.`, async t => {
    const { knex, open } = await migratedDatabase(t, name)
    // MariaDB calls off who has done less, PostgreSQL who has waited for so long first.
    const other = open(name === 'mariadb' ? {} : onConnect("set deadlock_timeout = '30s'"))
    const store = sqlStore(knex)
    const ids = [newId(), newId()].sort() as [string, string]
    for (const id of ids) await store.create(id, record({}, 'sql:1'))
    const codes: string[] = []
    knex.on('query-error', ({ code }) => codes.push(code))
    const heavy = await other.transaction()
    const much = Array.from({ length: 50 }, () => ({ id: newId(), data: '', version: '', expires_at: 1 }))
    await heavy('sessions').insert(much)
    await heavy('sessions').where({ id: ids[1] }).update({ version: 'x' })
    const ended = store.destroyAll('sql:1')
    while ((await lockWaits(knex)) === 0) await wait(10)
    await heavy('sessions').where({ id: ids[0] }).update({ version: 'x' })
    await heavy.commit()
    await ended
    t.deepEqual(codes, [name === 'mariadb' ? 'ER_LOCK_DEADLOCK' : '40P01'])
    t.deepEqual(await store.list('sql:1'), [])
  })

  test(`T6: ${name}: no error of the store tells an id, a key, data, or a statement.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const store = sqlStore(knex)
    const id = newId()
    const secret = record({ secret: 'the-data' }, 'sql:the-key')
    await knex.schema.alterTable('sessions', table => table.renameColumn('expires_at', 'ends_at'))
    const calls = [
      () => store.read(id),
      () => store.create(id, secret),
      () => store.replace(id, 'the-version', secret),
      () => store.touch(id, Date.now() + HOUR),
      () => store.list('sql:the-key'),
      () => store.sweep(10),
    ]
    const seen: unknown[] = []
    for (const call of calls) seen.push(await t.throwsAsync(call))
    await knex.schema.dropTable('sessions')
    for (const call of [...calls, () => store.destroy(id), () => store.destroyAll('sql:the-key')])
      seen.push(await t.throwsAsync(call))
    await knex.raw('create table sessions (id int, user_key int, data int, version int, expires_at int)')
    seen.push(await t.throwsAsync(store.create(id, secret)))
    const told = inspect(seen, { depth: 10, showHidden: true })
    t.notRegex(told, new RegExp(`${id}|the-data|the-key|the-version|select|insert|update \`|delete`))
  })
}

test('mariadb: a session is kept whole in a table of another character set, made by other hands.', async t => {
  const { knex } = await migratedDatabase(t, 'mariadb')
  await knex.raw(`create table own (id varchar(64) primary key, user_key varbinary(1089), data mediumtext not null,
    version varchar(64) not null, expires_at bigint unsigned not null) charset latin1`)
  const store = sqlStore(knex, { table: 'own' })
  const id = newId()
  const kept = { ...record({ text: 'Ä ☃ 🦊 \\ \' " \u2028' }, 'ldap:🦊'), version: '' }
  kept.version = (await store.create(id, kept))!
  t.deepEqual(await store.read(id), kept)
})

test('mariadb without FOUND_ROWS: a touch that changes nothing has found its session, even when another moves it on just then.', async t => {
  const { knex, open } = await migratedDatabase(t, 'mariadb')
  const counting = open({ connection: { flags: ['-FOUND_ROWS'] } as object })
  const id = newId()
  const fresh = record()
  await sqlStore(knex).create(id, fresh)
  const statements: string[] = []
  counting.on('query', ({ sql }) => statements.push(sql.split(' ')[0]))
  const acquire = counting.client.acquireConnection.bind(counting.client)
  counting.client.acquireConnection = async () => {
    if (statements.length === 1) await sqlStore(knex).touch(id, fresh.expiresAt + 1000)
    return acquire()
  }
  t.true(await sqlStore(counting).touch(id, fresh.expiresAt))
  t.deepEqual(statements, ['update', 'select'])
  t.is((await sqlStore(knex).read(id))?.expiresAt, fresh.expiresAt + 1000)
})

import test from 'ava'
import type { Knex } from 'knex'
import pg from 'pg'
import { databaseRecords } from '../../lib/django/database-records.ts'
import { sessionKeys } from '../../lib/django/session-key.ts'
import { sessionStoreChecks } from '../../lib/testing/index.ts'
import { type DatabaseName, onConnect } from '../database/servers.ts'
import { scaled } from '../scale.ts'
import { handedClock } from '../sessions/stores/setups.ts'
import { recordsStore } from './records-store.ts'
import { newSessionTable } from './session-table.ts'

/** Turns the snake_case of columns into camelCase, as objection's mappers do. */
function camelCase(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(camelCase)
  if (result?.constructor !== Object) return result
  const camel = (name: string) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [camel(name), value]))
}

/** Moments as nobody expects them. */
const types = {
  getTypeParser: (id: number, format: 'text') => (id === 1184 ? () => 'a moment' : pg.types.getTypeParser(id, format)),
}

/** How people set up their drivers and connections, several of it at once. */
const SETTINGS: Record<string, [name: DatabaseName, config: Knex.Config]> = {
  sqlite: ['sqlite', {}],
  'mariadb without FOUND_ROWS, in a time zone, with moments as text, in latin1, not strict, SERIALIZABLE': [
    'mariadb',
    {
      connection: { flags: ['-FOUND_ROWS'], dateStrings: true, timezone: '-05:30', charset: 'latin1' } as object,
      ...onConnect(
        'set session transaction isolation level serializable',
        "set session sql_mode = '', time_zone = '+07:00'",
      ),
    },
  ],
  'mariadb with everything as bytes, in ANSI mode, in another time zone, with camelCase': [
    'mariadb',
    {
      connection: { typeCast: false, timezone: '+12:00' } as object,
      postProcessResponse: camelCase,
      ...onConnect("set session sql_mode = 'ANSI,PAD_CHAR_TO_FULL_LENGTH', time_zone = '-11:00'"),
    },
  ],
  'postgresql in a time zone, with dates as in Germany and moments as nobody expects them, REPEATABLE READ, with camelCase':
    [
      'postgresql',
      {
        connection: { types } as Knex.PgConnectionConfig,
        postProcessResponse: camelCase,
        ...onConnect(
          "set time zone 'Asia/Kolkata'; set datestyle = 'German, DMY'",
          "set default_transaction_isolation = 'repeatable read'",
        ),
      },
    ],
}

/** What is about the form of data, which is not that of records, and, but in `npm run soak`, what takes a thousand statements. */
const LEFT_OUT = scaled(1000) === 1000 ? /as it was\.$/ : /as it was\.$|thousand|^Of many who/

for (const [as, [name, config]] of Object.entries(SETTINGS)) {
  test(`T1: ${as}: the checks of session stores hold for a store that is nothing but these records.`, async t => {
    const checks = Object.entries(sessionStoreChecks).filter(
      ([title, { needs }]) => (needs === null || needs === 'clock') && !LEFT_OUT.test(title),
    )
    t.true(checks.length > 50, `${checks.length}`)
    const { open, table } = await newSessionTable(name)
    const processes = [open(config), open(config)]
    let opens = 0
    const recordsAt = (now: () => number) =>
      databaseRecords('djangoSessions()', processes[opens++ % 2]!, { table, now })
    const inTurn = async () => {
      for (let next = checks.pop(); next; next = checks.pop()) {
        const clock = handedClock()
        await t.notThrowsAsync(next[1]({ ...clock, open: async () => recordsStore(recordsAt(clock.now)) }), next[0])
      }
    }
    await Promise.all(Array.from({ length: 5 }, inTurn))

    const key = sessionKeys.newId()
    await recordsAt(Date.now).add(key, { text: 'text', expiresAt: Date.now() + 60_000 })
    const all = []
    for await (const one of recordsAt(Date.now).all()) all.push(one)
    t.deepEqual(
      all.filter(one => one.key === key),
      [{ key, text: 'text' }],
    )
  })
}

import { randomBytes } from 'node:crypto'
import { retried } from '../../database/conflicts.ts'
import { dialectNameOf } from '../../database/dialect-name.ts'
import { bySilence, type Statement } from '../../database/silence.ts'
import type { FailureCounters } from './counters.ts'

/** A knex instance for SQLite, MariaDB or PostgreSQL, as far as it is called here. */
export interface SqlClient {
  raw(sql: string, bindings: readonly (string | number)[]): Statement<unknown>
  readonly client: { readonly dialect: string }
}

/** How long a statement may go without an answer of the server until its connection is given up, in milliseconds. */
const SILENCE = 5_000
/** How often at most what has been forgotten is removed, in milliseconds, and how many rows by one statement: few, so that nobody waits for it. */
const SWEEP_EVERY = 60_000
const SWEEP_BATCH = 100

/**
 * Counters in the table `login_attempts`, which `migrate(knex)` makes. What is forgotten is removed now and then, behind the logins that come.
 * @throws OptionInvalid, naming `option` of `where`, for what is no such instance
 */
export function sqlCounters(where: string, option: string, knex: SqlClient, now: () => number): FailureCounters {
  const dialect = dialectNameOf(where, knex, option)
  const answered = bySilence(SILENCE)
  const run = async (sql: string, ...bindings: (string | number)[]): Promise<Row[]> => {
    const statement = () => knex.raw(sql, bindings)
    return rowsOf(await retried(() => (dialect === 'sqlite' ? statement() : answered(statement()))))
  }
  const [greatest, orUpdate, given] =
    dialect === 'mariadb'
      ? ['greatest', 'on duplicate key update', 'values(token)']
      : [dialect === 'sqlite' ? 'max' : 'greatest', 'on conflict (id) do update set', 'excluded.token']
  // MariaDB assigns from left to right, so the token, by which a call knows that it was let through, comes before the moment that decides it.
  const add = `insert into login_attempts (id, ends_at, token) values (?, ?, ?) ${orUpdate}
    token = case when login_attempts.ends_at <= ? then ${given} else login_attempts.token end,
    ends_at = case when login_attempts.ends_at <= ? then ${greatest}(login_attempts.ends_at, ?) + ? else login_attempts.ends_at end
    returning ends_at as ends, token as token`
  const mark = `insert into login_attempts (id, ends_at) values (?, ?) ${orUpdate}
    ends_at = ${dialect === 'mariadb' ? 'values(ends_at)' : 'excluded.ends_at'}`

  let swept = now()
  const sweep = async () => {
    for (;;) {
      // By key, after looking: one statement that looked for itself would lock rows that writers are about to change.
      const over = await run(
        `select id as id from login_attempts where ends_at <= ? order by ends_at limit ${SWEEP_BATCH}`,
        now(),
      )
      if (over.length === 0) return
      const ids = over.map(({ id }) => textOf(id))
      await run(`delete from login_attempts where id in (${ids.map(() => '?')}) and ends_at + 0 <= ?`, ...ids, now())
    }
  }
  const sweepNow = () => {
    if (now() - swept < SWEEP_EVERY) return
    swept = now()
    // Whatever it was, the next one finds the rows again.
    sweep().catch(() => {})
  }

  return {
    async add(key, { weight, most }) {
      const moment = now()
      const token = randomBytes(9).toString('base64url')
      const fits = moment + most - weight
      const [row] = await run(add, key, moment + weight, token, fits, fits, moment, weight)
      sweepNow()
      return textOf(row!.token) === token ? 0 : Math.max(Number(row!.ends) - fits, 1)
    },
    async takeBack(key, { weight }) {
      await run('update login_attempts set ends_at = ends_at - ? where id = ?', weight, key)
    },
    async clear(key) {
      await run('delete from login_attempts where id = ?', key)
    },
    async mark(key, lasts) {
      await run(mark, key, now() + lasts)
    },
    async marked(key) {
      const [row] = await run('select ends_at as ends from login_attempts where id = ?', key)
      return row ? Math.max(Number(row.ends) - now(), 0) : 0
    },
  }
}

/** Numbers of 64 bits may come as text or BigInt, text as bytes. */
interface Row {
  id?: string | Uint8Array | null
  ends?: number | string | bigint
  token?: string | Uint8Array | null
}

/** The rows in what knex answers to `raw`: mysql2 puts them first in a list, pg into an object. */
function rowsOf(answer: unknown): Row[] {
  if (answer !== null && typeof answer === 'object' && 'rows' in answer) return answer.rows as Row[]
  if (!Array.isArray(answer)) return []
  return Array.isArray(answer[0]) ? answer[0] : answer
}

function textOf(stored: string | Uint8Array | null | undefined): string {
  return typeof stored === 'string' || !stored ? (stored ?? '') : Buffer.from(stored).toString()
}

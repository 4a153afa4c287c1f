import type { Knex } from 'knex'
import { retried } from '../database/conflicts.ts'

/** Rows of the sessions table whose time is over. */
export interface ExpiredRows {
  readonly count: number
  /** When the first of them expired, in epoch milliseconds; null where there is none. */
  readonly oldest: number | null
}

/** Rows that had expired by a moment, in epoch milliseconds. The index of expiries answers it. */
export async function expiredRows(knex: Knex, by: number): Promise<ExpiredRows> {
  const count = () => knex('sessions').where('expires_at', '<=', by).count({ rows: '*' }).min({ oldest: 'expires_at' })
  const [found] = (await retried(count)) as { rows: unknown; oldest: unknown }[]
  return { count: Number(found?.rows), oldest: found?.oldest == null ? null : Number(found.oldest) }
}

import type { Knex } from 'knex'
import { expiredRows } from '../expired.ts'
import { counted, moment } from '../output.ts'
import { type Finding, ok, warning } from './finding.ts'

const HOUR = 3_600_000
/** A site removes five hundred every five minutes at most, so a while after a rush there may be this many. */
const TOLERATED = 1_000

/** Whether expired sessions heap up in the database. @param now in epoch milliseconds */
export async function checkOverdue(knex: Knex, now: () => number = Date.now): Promise<Finding[]> {
  const { count, oldest } = await expiredRows(knex, now() - HOUR)
  const said = `${counted(count, 'session')} expired more than an hour ago${oldest === null ? '' : `, the first on ${moment(new Date(oldest))}`}.`
  if (count <= TOLERATED) return [ok('sweep', said)]
  return [warning('sweep', said, 'Run, perhaps each night: koa-strata clear-sessions')]
}

import type { Knex } from 'knex'
import { dialectOf } from '../../database/dialects.ts'
import { type OpenDatabase, tablesIn } from '../database.ts'
import { type Finding, ok, problem, skipped, warning } from './finding.ts'

/** Whether the library's tables are those of this version. */
export async function checkMigrations({ knex, label }: OpenDatabase): Promise<Finding[]> {
  const { missing, hasUsers } = await tablesIn(knex)
  if (missing.length === 0) return [ok('migrations', `${label}: all have run${hasUsers ? '' : ', without users'}.`)]
  const names = missing.map(name => `'${name}'`).join(', ')
  return [problem('migrations', `${label}: ${names} have not run.`, 'Run: koa-strata migrate')]
}

/** Whether the connection's settings let the library be sure of what it stores. Only MariaDB has such. */
export async function checkSettings({ knex }: OpenDatabase): Promise<Finding[]> {
  if (dialectOf('koa-strata doctor', knex).name !== 'mariadb') return []
  const [rows] = await knex.raw('select @@session.sql_mode as mode, @@session.autocommit as autocommit')
  const modes = String(rows[0].mode).split(',')
  const found: Finding[] = []
  if (modes.includes('NO_BACKSLASH_ESCAPES')) {
    found.push(
      problem(
        'settings',
        'sql_mode has NO_BACKSLASH_ESCAPES.',
        'Values can end their quotation under it: take it out of sql_mode.',
      ),
    )
  }
  if (Number(rows[0].autocommit) === 0)
    found.push(problem('settings', 'autocommit is off.', 'Nothing that is stored would be kept: turn it on.'))
  if (!modes.includes('STRICT_TRANS_TABLES') && !modes.includes('STRICT_ALL_TABLES')) {
    found.push(
      warning(
        'settings',
        'sql_mode is not strict.',
        'What is too long is cut off in silence: add STRICT_TRANS_TABLES.',
      ),
    )
  }
  return found.length > 0 ? found : [ok('settings', 'sql_mode is strict, autocommit is on.')]
}

const NOTED = 2_000
const WRONG = 60_000

/** How far the clocks of this machine and the database's are apart. @param now this machine's, in epoch milliseconds */
export async function checkClock({ knex }: OpenDatabase, now: () => number = Date.now): Promise<Finding[]> {
  const ask = MOMENT[dialectOf('koa-strata doctor', knex).name]
  if (!ask) return [skipped('clock', 'SQLite has the clock of this machine.')]
  const before = now()
  const theirs = await ask(knex)
  const apart = Math.round(Math.abs(theirs - (before + now()) / 2))
  const said = `The database's clock and this machine's are ${apart} ms apart.`
  const advice = 'Sessions expire by the clock of each machine: have all of them follow one, by NTP.'
  if (apart > WRONG) return [problem('clock', said, advice)]
  return [apart > NOTED ? warning('clock', said, advice) : ok('clock', said)]
}

/** The moment at the database, in epoch milliseconds. */
const MOMENT: Record<string, (knex: Knex) => Promise<number>> = {
  mariadb: async knex => Number((await knex.raw('select unix_timestamp(now(6)) * 1000 as moment'))[0][0].moment),
  postgresql: async knex =>
    Number((await knex.raw('select extract(epoch from clock_timestamp()) * 1000 as moment')).rows[0].moment),
}

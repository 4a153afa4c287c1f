import type { Knex } from 'knex'
import { retried } from './conflicts.ts'
import { dialectOf } from './dialects.ts'
import { bySilence, type Statement } from './silence.ts'

/** Runs one statement of knex, which is made anew for each try. */
export type Run = <Answer>(statement: () => Statement<Answer>) => Promise<Answer>

/**
 * Runs statements one by one: again where the database called one off for the sake of another, and not beyond `timeout` milliseconds of a
 * silent connection. Statements of the application's own transaction have no such limit: to give up its connection is for the application.
 * @throws OptionInvalid in the name of `where` when it is no knex instance, or one for another database
 */
export function runOn(where: string, knex: Knex, timeout: number): Run {
  const isLimited = dialectOf(where, knex).name !== 'sqlite' && !knex.isTransaction
  const answered = bySilence(timeout)
  return statement => retried(() => (isLimited ? answered(statement()) : statement()))
}

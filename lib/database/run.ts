import type { Knex } from 'knex'
import { retried } from './conflicts.ts'
import { dialectOf } from './dialects.ts'
import { withoutStatement } from './failure.ts'
import { bySilence, type Statement } from './silence.ts'

/** Runs one statement of knex, which is made anew for each try. Rejects with what the database said, without the statement and its values. */
export type Run = <Answer>(statement: () => Statement<Answer>) => Promise<Answer>

/**
 * Runs statements one by one: again where the database called one off for the sake of another, and not beyond `timeout` milliseconds of a
 * silent connection. Statements of the application's own transaction are run once, since what called one off may have undone those before it,
 * and have no such limit: to give up its connection is for the application.
 * @throws OptionInvalid in the name of `where` when it is no knex instance, or one for another database
 */
export function runOn(where: string, knex: Knex, timeout: number): Run {
  const isLimited = dialectOf(where, knex).name !== 'sqlite'
  if (knex.isTransaction) return once
  const answered = bySilence(timeout)
  return statement => retried(() => (isLimited ? answered(statement()) : statement()))
}

/** Runs a part of somebody else's transaction. Rejects with what the database said, without the statement and its values. */
export async function once<Answer>(statement: () => PromiseLike<Answer>): Promise<Answer> {
  try {
    return await statement()
  } catch (error) {
    throw withoutStatement(error)
  }
}

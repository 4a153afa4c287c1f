import { setTimeout as wait } from 'node:timers/promises'
import { withoutStatement } from './failure.ts'

const DUPLICATES = new Set(['SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_UNIQUE', 'ER_DUP_ENTRY', '23505'])
const COLLISIONS = new Set(['ER_LOCK_DEADLOCK', '40P01', '40001'])
const MOST_TRIES = 6
/** In milliseconds: a driver that has itself waited for so long is not asked again. */
const LONGEST_TRY = 1_000

/** Whether a database refused a row because its key, or another unique value of it, is taken. */
export function isDuplicate(error: unknown): boolean {
  return DUPLICATES.has(codeOf(error))
}

/**
 * Runs one statement, again where the database called it off for the sake of another one (deadlock, serialization failure, busy): at most 6
 * times, and not after a try that took a second. Rejects with what the database said, without the statement and its values.
 */
export async function retried<Answer>(statement: () => PromiseLike<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const start = performance.now()
    try {
      return await statement()
    } catch (error) {
      if (tries === MOST_TRIES || !isCollision(error) || performance.now() - start > LONGEST_TRY)
        throw withoutStatement(error)
      await wait(Math.random() * 2 ** (tries + 2))
    }
  }
}

function isCollision(error: unknown): boolean {
  const code = codeOf(error)
  return COLLISIONS.has(code) || code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

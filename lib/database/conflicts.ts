import { setTimeout as wait } from 'node:timers/promises'
import { withoutStatement } from './failure.ts'

const DUPLICATES = new Set(['SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_UNIQUE', 'ER_DUP_ENTRY', '23505'])
/** Deadlock, waited too long for a lock, read what has changed since; the same on PostgreSQL, and failed to serialize. */
const COLLISIONS = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD', '40P01', '55P03', '40001'])
const MOST_TRIES = 10
/** In milliseconds, since the first try: then no other one begins. Of a deadlock PostgreSQL tells after a second. */
const LONGEST_TRYING = 3_000
/** In milliseconds: how long it waits, at most, until it tries again. */
const LONGEST_PAUSE = 128

/** Whether a database refused a row because its key, or another unique value of it, is taken. */
export function isDuplicate(error: unknown): boolean {
  return DUPLICATES.has(codeOf(error))
}

/**
 * Runs one statement, again where the database called it off for the sake of another one (deadlock, lock not had in time, serialization
 * failure, busy): at most 10 times, and not after 3 seconds. It may be a transaction as a whole, and must not be a part of one: what was done
 * before is undone by some collisions, and by others not. Rejects with what the database said, without the statement and its values.
 */
export async function retried<Answer>(statement: () => PromiseLike<Answer>): Promise<Answer> {
  const start = performance.now()
  for (let tries = 1; ; tries++) {
    try {
      return await statement()
    } catch (error) {
      if (tries === MOST_TRIES || !isCollision(error) || performance.now() - start > LONGEST_TRYING)
        throw withoutStatement(error)
      await wait(Math.random() * Math.min(2 ** (tries + 2), LONGEST_PAUSE))
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

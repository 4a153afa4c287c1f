import { LONGEST_TIMER } from '../options.ts'

/** How many connections are given up in a row until one answers. */
const MOST_GIVEN_UP = 20

/** A statement of knex: it runs when it is awaited. */
export interface Statement<Answer> extends PromiseLike<Answer> {
  timeout(milliseconds: number): unknown
  /** 'start': it has its connection, and is about to be compiled. */
  on(event: 'start', listener: () => void): unknown
}

/**
 * Bounds how long connections may be silent. One that was lost without a word, behind a firewall or a failover, would else hold its place in the
 * pool until the system gives it up, after a quarter of an hour. A statement that gets no answer within `timeout` milliseconds rejects, and its
 * connection gives way to a new one; whether it was run nobody knows. Where twenty in a row were of no use it is the server that does not
 * answer, and it is waited for: no more connections are heaped on it.
 */
export function bySilence(timeout: number): <Answer>(statement: Statement<Answer>) => Promise<Answer> {
  let givenUp = 0
  return async statement => {
    statement.on('start', () => {
      if (givenUp < MOST_GIVEN_UP) statement.timeout(Math.min(timeout, LONGEST_TIMER))
    })
    try {
      const answer = await statement
      givenUp = 0
      return answer
    } catch (error) {
      if (isSilence(error)) givenUp++
      else if (isAnswer(error)) givenUp = 0
      throw error
    }
  }
}

/** knex says by the limit that this was no wait for a connection. */
function isSilence(error: unknown): boolean {
  return error instanceof Error && error.name === 'KnexTimeoutError' && 'timeout' in error
}

/** Whether it comes from the server: MariaDB's errors have a state, PostgreSQL's a severity. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && ('sqlState' in error || 'severity' in error)
}

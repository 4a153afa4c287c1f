import type { ExecutionContext } from 'ava'
import type { Testimony, Witness } from './witness.ts'

/** How long one store call may take, in milliseconds. */
export const DEADLINE = 500
/** What a busy machine may add to it. */
const MARGIN = 5_000
/** The testimony of a fault that cost nobody anything. */
export const UNHARMED = { loggedOut: [], lostChanges: [], uncalledFor: [], revived: [] }

/**
 * Ends the load, says what it was like, and holds what holds in every fault: an answer inside the deadline, a public page as ever, and no 503
 * without Retry-After.
 */
export async function testimonyOf(t: ExecutionContext, witness: Witness): Promise<Testimony> {
  const testimony = await witness.testify()
  const { statuses, publicStatuses, slowest, slowestPublic, acknowledged } = testimony
  const harm = Object.entries(harmOf(testimony)).map(([what, whom]) => `${what} ${whom.length}`)
  const [mine, open] = [statuses, publicStatuses].map(counts => JSON.stringify(counts).replaceAll('"', ''))
  t.log(`with a session ${mine}, slowest ${slowest} ms; without ${open}, slowest ${slowestPublic} ms`)
  t.log(`${acknowledged} changes acknowledged; ${harm.join(', ')}`)
  t.deepEqual(Object.keys(publicStatuses), ['200'])
  t.is(testimony.withoutRetryAfter, 0)
  t.true(slowest < DEADLINE + MARGIN, `slowest ${slowest} ms`)
  t.true(slowestPublic < MARGIN, `slowest public page ${slowestPublic} ms`)
  return testimony
}

/** What it cost whom. */
export function harmOf({ loggedOut, lostChanges, uncalledFor, revived }: Testimony) {
  return { loggedOut, lostChanges, uncalledFor, revived }
}

/** The statuses that requests with a session got. */
export function statusesOf({ statuses }: Testimony): string {
  return Object.keys(statuses).sort().join(' ')
}

import { SessionContended } from '../errors.ts'
import { ENDED, parseContent } from './content.ts'
import type { SessionRecord, SessionStore } from './store.ts'

/** How long a marker tells late requests that the session has ended, in milliseconds. */
const MARKER_LASTS = 60_000
const MOST_TRIES = 30

/** What stands in the place of a session that has ended. */
export function markerOf(now: () => number): SessionRecord {
  return { data: ENDED, user: null, expiresAt: now() + MARKER_LASTS }
}

/**
 * Ends a stored session by putting a short-lived marker in its place: a request that is still on its way with the old cookie is told from one
 * that never had a session, so that it sends no cookie over a newer one.
 * @param version the version that is known of it, if any
 * @returns false where it had ended before
 */
export async function endStoredSession(
  store: SessionStore,
  now: () => number,
  id: string,
  version?: string,
): Promise<boolean> {
  let known = version
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (known === undefined) {
      const found = await store.read(id)
      if (!found || parseContent(found.data) === 'ended') return false
      known = found.version
    }
    const answer = await store.replace(id, known, markerOf(now))
    if (answer === 'gone') return false
    if (answer !== 'changed') return true
    known = undefined
  }
  throw new SessionContended(MOST_TRIES)
}

import { SessionContended } from '../errors.ts'
import { backOff } from './back-off.ts'
import { ENDED, parseContent } from './content.ts'
import type { SessionRecord, SessionStore } from './store.ts'

/** How long a marker tells late requests that the session has ended, in milliseconds. */
const MARKER_LASTS = 60_000
const MOST_TRIES = 30

/**
 * What stands in the place of a session that has ended.
 * @param successor what a store calls the session that goes on in its stead under a new id, if one does
 */
export function markerOf(now: () => number, successor?: string): SessionRecord {
  const data = successor === undefined ? ENDED : { ...ENDED, _successor: successor }
  return { data, user: null, expiresAt: now() + MARKER_LASTS }
}

/** Makes a marker as short-lived as it was meant to be, where a request that was on its way when it was put there has moved its expiry on. */
export async function shortenMarker(
  store: SessionStore,
  now: () => number,
  id: string,
  expiresAt: number,
): Promise<void> {
  const latest = now() + MARKER_LASTS
  if (expiresAt > latest) await store.touch(id, latest).catch(() => {})
}

/**
 * Ends a stored session by putting a short-lived marker in its place: a request that is still on its way with the old cookie is told from one
 * that never had a session, so that it sends no cookie over a newer one.
 * @param version the version that is known of it, if any
 * @param follow whether a session that goes on under a new id is ended there
 * @returns false where it had ended before
 */
export async function endStoredSession(
  store: SessionStore,
  now: () => number,
  id: string,
  { version, follow = true }: { version?: string; follow?: boolean } = {},
): Promise<boolean> {
  let [current, known] = [id, version]
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (known === undefined) {
      const found = await store.read(current)
      if (!found) return false
      if (parseContent(found.data) === 'ended') {
        const { _successor: successor } = found.data
        if (!follow || typeof successor !== 'string') return false
        current = successor
        continue
      }
      known = found.version
    }
    const begun = performance.now()
    const answer = await store.replace(current, known, markerOf(now))
    if (answer === 'gone') return false
    if (answer !== 'changed') return true
    await backOff(tries + 1, begun)
    known = undefined
  }
  throw new SessionContended(MOST_TRIES)
}

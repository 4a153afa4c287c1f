import type { SessionRecord } from '../../store.ts'

/** A record as memcached keeps it. */
export type VersionedRecord = SessionRecord & { version: string }

/** memcached takes seconds up to this for a time to live, and more for a moment. */
const LONGEST_SECONDS = 30 * 86_400
/** The last moment that memcached can be told, in seconds: in January 2038. */
const LAST_MOMENT = 2 ** 31 - 1
/** memcached counts seconds by a clock of its own: it forgets a record only when `expiresAt` is surely over. */
const SLACK_SECONDS = 60

/** The text that memcached keeps of a record. */
export function textOf({ version, expiresAt, user, data }: VersionedRecord): string {
  return JSON.stringify({ version, expiresAt, user, data })
}

/** The record in a text. What is no record is answered so that the session layer knows it for corrupt. */
export function recordIn(text: string | null): VersionedRecord {
  try {
    const { version, expiresAt, user, data } = JSON.parse(text ?? '')
    const isOurs =
      typeof version === 'string' && typeof expiresAt === 'number' && (user === null || typeof user === 'string')
    if (isOurs) return { version, expiresAt, user, data: data ?? '' }
  } catch {}
  return {
    version: 'foreign',
    expiresAt: Number.POSITIVE_INFINITY,
    user: null,
    data: (text ?? '') as unknown as SessionRecord['data'],
  }
}

/**
 * When memcached shall forget what lasts for so long from now, as it is told: seconds, or a moment beyond 30 days. 0, which is never, for what
 * it cannot be told.
 */
export function lifetimeOf(milliseconds: number): number {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000)) + SLACK_SECONDS
  if (seconds <= LONGEST_SECONDS) return seconds
  const moment = Math.ceil(Date.now() / 1000) + seconds
  return moment <= LAST_MOMENT ? moment : 0
}

import type { SessionData } from '../sessions/store.ts'

/** How long Django's sessions last. */
export interface LifetimeOptions {
  /** In milliseconds. */
  readonly age: number
  readonly expireAtBrowserClose: boolean
}

/**
 * How long a session lasts that is stored now, by what it says of itself (`set_expiry()` of Django) or else by the settings: in milliseconds; null
 * where it ends with the browser.
 */
export function lifetimeOf(
  data: SessionData,
  now: number,
  { age, expireAtBrowserClose }: LifetimeOptions,
): number | null {
  const { _session_expiry: own } = data
  if (own === undefined || own === null) return expireAtBrowserClose ? null : age
  if (own === 0) return null
  if (typeof own === 'number') return own * 1000
  const moment = momentOf(own)
  return moment === null ? age : Math.max(moment - now, 0)
}

/** A moment of Python's `isoformat()`, which is UTC where it does not say. */
export function momentOf(text: unknown): number | null {
  if (typeof text !== 'string') return null
  const moment = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(moment) ? null : moment
}

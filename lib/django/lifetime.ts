import type { SessionData } from '../sessions/store.ts'
import { fromMoment } from './moments.ts'

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
  // As Python's `isoformat()` writes it.
  const moment = typeof own === 'string' ? fromMoment(own) : Number.NaN
  return Number.isNaN(moment) ? age : Math.max(moment - now, 0)
}

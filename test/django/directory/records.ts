import { join } from 'node:path'
import { directoryRecords } from '../../../lib/django/directory-records.ts'
import type { DjangoRecord, DjangoRecords } from '../../../lib/django/records.ts'

export const WHERE = 'djangoSessions()'
export const COOKIE = 'sessionid'
export const HOUR = 3_600_000

/** The sessions of a folder, which last for an hour after they were stored, or as long as `lasts` says of their text. */
export function recordsIn(
  directory: string,
  now: () => number = Date.now,
  lasts: (text: string) => number = () => HOUR,
): DjangoRecords {
  const expiryOf = (text: string, modified: number) => modified + lasts(text)
  return directoryRecords(WHERE, directory, { cookieName: COOKIE, expiryOf, now })
}

/** A record with this text that lasts for an hour from now on. */
export function lasting(text: string, now = Date.now()): DjangoRecord {
  return { text, expiresAt: now + HOUR }
}

/** Where a session is. */
export function pathOf(directory: string, key: string): string {
  return join(directory, COOKIE + key)
}

/** A text of several pages, of which no part looks like a whole one. */
export function longText(mark: string): string {
  return `${mark.padEnd(20_000)}!`
}

export function isWhole(text: string): boolean {
  return text.length === 20_001 && text.endsWith(' !')
}

import { createHash, randomBytes } from 'node:crypto'
import type { SessionData, SessionRecord } from '../../store.ts'

/**
 * A record as Redis keeps it: a head of 108 characters, then user and data as JSON. The scripts of scripts.ts read and write the head.
 *
 * | bytes  | hold |
 * | ------ | --- |
 * | 1–22   | version |
 * | 23–38  | expiresAt |
 * | 39–54  | until when the user's index holds the session |
 * | 55–97  | the user's digest |
 * | 98–108 | the tag of the session's entry in the index |
 */
export interface StoredHead {
  version: string
  expiresAt: number
  /** Until when the user's index holds the session. */
  indexedUntil: number
  owner: Owner
}

/** Whose session it is, and under which tag the user's index holds it. */
export interface Owner {
  digest: string
  tag: string
}

/** The last moment that JavaScript knows. */
const LATEST = 8.64e15
const HEAD = /^([\w-]{22})(\d{16})\d{16}[\w-]{54}/
const HEAD_LENGTH = 108
const OWNER_LENGTH = 54
const DIGEST_LENGTH = 43
/** In place of a digest where there is no user. */
export const NOBODY: Owner = {
  digest: '-'.repeat(DIGEST_LENGTH),
  tag: '-'.repeat(OWNER_LENGTH - DIGEST_LENGTH),
}

/** A version that never was. */
export function newVersion(): string {
  return randomBytes(16).toString('base64url')
}

/** A tag that no other entry has. */
export function newTag(): string {
  return randomBytes(8).toString('base64url')
}

/** What the keys of a user's index and the heads of the user's sessions name the user by. */
export function digestOf(user: string): string {
  // JSON keeps apart what UTF-8 does not: halves of surrogate pairs.
  return createHash('sha256').update(JSON.stringify(user)).digest('base64url')
}

/** The moment in whole milliseconds that there can be; what is no number has passed. */
export function momentOf(moment: number): number {
  return moment > 0 ? Math.min(Math.floor(moment), LATEST) : 0
}

/** A moment in 16 digits. */
export function digits(moment: number): string {
  return String(momentOf(moment)).padStart(16, '0')
}

/** What follows the head. */
export function bodyOf({ user, data }: SessionRecord): string {
  return JSON.stringify([user, data])
}

/** The head in text. */
export function headOf({ version, expiresAt, indexedUntil, owner }: StoredHead): string {
  return version + digits(expiresAt) + digits(indexedUntil) + owner.digest + owner.tag
}

/** Whose session a head says it is; null where it is nobody's. */
export function ownerIn(text: string | undefined): Owner | null {
  if (text?.length !== OWNER_LENGTH || text.startsWith(NOBODY.digest)) return null
  return { digest: text.slice(0, DIGEST_LENGTH), tag: text.slice(DIGEST_LENGTH) }
}

/** The record in a text. What is no record is answered so that the session layer knows it for corrupt. */
export function recordIn(text: string): SessionRecord & { version: string } {
  const head = HEAD.exec(text)
  if (!head) return { version: 'foreign', expiresAt: LATEST, user: null, data: text as unknown as SessionData }
  const [, version = '', expiresAt] = head
  return { version, expiresAt: Number(expiresAt), ...bodyIn(text.slice(HEAD_LENGTH)) }
}

function bodyIn(json: string): Pick<SessionRecord, 'user' | 'data'> {
  try {
    const [user, data] = JSON.parse(json)
    if (user === null || typeof user === 'string') return { user, data }
  } catch {}
  return { user: null, data: json as unknown as SessionData }
}

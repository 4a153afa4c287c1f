import { checkMethods } from '../options.ts'

/** What a session holds: top-level keys with values that JSON keeps exactly. */
// biome-ignore lint/suspicious/noExplicitAny: an application's own values, which `unknown` would make unusable without a cast
export type SessionData = Record<string, any>

/** A session as a store keeps it. */
export interface SessionRecord {
  /** A plain object of JSON values. Stores keep it whole and do not look into it. */
  data: SessionData
  /** The key of the user who is logged in (`backend:id`), for `list` and `destroyAll`; null while nobody is. */
  user: string | null
  /** When the record may be forgotten, in epoch milliseconds. */
  expiresAt: number
}

/**
 * Where sessions live. Ids reach a store only as the SHA-256 of the cookie's id, 64 lower-case hex digits. `version` is the store's own text
 * that differs after every `create` and `replace` of an id. Every method may be called concurrently, from several processes, and rejects
 * when the store cannot answer: an error is never told as an absence. `koa-strata/testing` holds the checks of this contract.
 */
export interface SessionStore {
  /** The record, a copy of its own for each caller; null: absent or expired. */
  read(id: string): Promise<(SessionRecord & { version: string }) | null>
  /** Adds a record and answers its version; null, and nothing is overwritten, where a live one has this id. */
  create(id: string, record: SessionRecord): Promise<string | null>
  /** Compare-and-swap: the new version; 'changed' where the version is another by now; 'gone' where the record is absent or expired. */
  replace(id: string, version: string, record: SessionRecord): Promise<string | 'changed' | 'gone'>
  /** Sets `expiresAt` and leaves data and version; false: absent or expired. */
  touch(id: string, expiresAt: number): Promise<boolean>
  /** Removes the record; removing an absent one is no error. */
  destroy(id: string): Promise<void>
  /** The live sessions of a user. */
  list?(userKey: string): Promise<(SessionRecord & { id: string })[]>
  /** Removes the sessions of a user, but for the one with `exceptId`. */
  destroyAll?(userKey: string, exceptId?: string): Promise<void>
  /** Removes at most `limit` expired records and answers how many. */
  sweep?(limit: number): Promise<number>
  /** Lets go of what the store itself opened; what it was handed stays open. */
  close?(): Promise<void>
}

const METHODS = ['read', 'create', 'replace', 'touch', 'destroy']

/** @throws OptionInvalid where an option is no session store */
export function checkSessionStore(where: string, option: string, store: unknown): asserts store is SessionStore {
  checkMethods(where, option, store, METHODS)
}

import { isPlainObject } from '../options.ts'
import { isReservedKey, isStorable } from './data.ts'
import { applyChanges, type Changes } from './merge.ts'
import type { SessionData } from './store.ts'

/** Who is logged in by a session. */
export interface SessionLogin {
  /** The backend's name. */
  backend: string
  /** The user's id in that backend. */
  id: string
  /** What the login is bound to: it ends when the user's stamp is another. */
  stamp: string
  /** The user as JSON, where the backend cannot load one. */
  snapshot?: SessionData
  /** What has to vouch for it at each request, where it does not hold by itself. */
  via?: string
}

/** What stands in the place of a session that ended, so that a late request is told from one that never had a session. */
export const ENDED: SessionData = Object.freeze({ _ended: true })

/**
 * Whose values of the data a request sees. Where it cannot tell whether the login holds, since another application has the backend, whoever
 * asks is a guest there: the user's values stay the user's, and a guest's are kept beside them.
 */
export type View = 'user' | 'guest'

/** Stored data, taken apart. */
export interface SessionContent {
  /** What `ctx.session` shows. */
  values: SessionData
  /** What it shows to a guest. */
  guest: SessionData
  /** When the session began, in epoch milliseconds. */
  created: number
  login: SessionLogin | null
}

/** Takes stored data apart. 'ended': a session stood here a moment ago. 'corrupt': this is no data of a session. */
export function parseContent(data: unknown): SessionContent | 'ended' | 'corrupt' {
  if (!isStorable(data)) return 'corrupt'
  if (data._ended === true) return 'ended'
  const { _created: created, _login: login } = data
  if (typeof created !== 'number' || !Number.isSafeInteger(created)) return 'corrupt'
  if (login !== undefined && !isLogin(login)) return 'corrupt'
  return { values: valuesOf(data), guest: valuesOf(data, 'guest'), created, login: login ?? null }
}

/** The part of the data that `ctx.session` shows. Keys it cannot hold are another application's: they stay where they are. */
export function valuesOf(data: SessionData, view: View = 'user'): SessionData {
  const from = view === 'user' ? data : guestOf(data)
  const values: SessionData = {}
  for (const key of Object.keys(from)) {
    if (!isReservedKey(key)) values[key] = from[key]
  }
  return values
}

/** The data with changes to what this view of it shows. */
export function withChanges(data: SessionData, changes: Changes, view: View): SessionData {
  if (view === 'user') return applyChanges(data, changes)
  return changes.size === 0 ? data : { ...data, _guest: applyChanges(guestOf(data), changes) }
}

function guestOf({ _guest: guest }: SessionData): SessionData {
  return isPlainObject(guest) ? guest : {}
}

/** The data of a session that begins. */
export function newContent(created: number, login: SessionLogin | null = null): SessionData {
  return login ? { _created: created, _login: login } : { _created: created }
}

/** The key of the user who is logged in by this data, or null. */
export function userOf(data: SessionData): string | null {
  const login = data._login as SessionLogin | undefined
  return login ? userKey(login.backend, login.id) : null
}

/** One text for a user of a backend. Backend names hold no ':', so that no two users share one. */
export function userKey(backend: string, id: string): string {
  return `${backend}:${id}`
}

function isLogin(value: unknown): value is SessionLogin {
  if (!isPlainObject(value)) return false
  const { backend, id, stamp, snapshot, via } = value
  return (
    [backend, id, stamp].every(part => typeof part === 'string') &&
    (snapshot === undefined || isPlainObject(snapshot)) &&
    (via === undefined || typeof via === 'string')
  )
}

import { isPlainObject } from '../options.ts'
import { isReservedKey, isStorable } from './data.ts'
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

/** Stored data, taken apart. */
export interface SessionContent {
  /** What `ctx.session` shows. */
  values: SessionData
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
  return { values: valuesOf(data), created, login: login ?? null }
}

/** The part of the data that `ctx.session` shows. Keys it cannot hold are another application's: they stay where they are. */
export function valuesOf(data: SessionData): SessionData {
  const values: SessionData = {}
  for (const key of Object.keys(data)) {
    if (!isReservedKey(key)) values[key] = data[key]
  }
  return values
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

import { descriptionOf } from '../../../described.ts'
import type { SessionCookie } from '../../../sessions/cookie.ts'
import { ForeignSessions } from '../../../sessions/foreign.ts'
import type { SessionsDescription } from '../../../sessions/layer.ts'
import type { SessionStore } from '../../../sessions/store.ts'
import { memoryStore } from '../../../sessions/stores/memory.ts'
import type { UserBackend } from '../../../users/backend.ts'
import type { UsersDescription } from '../../../users/layer.ts'
import type { SqlUsersDescription } from '../../../users/sql/users.ts'
import type { InspectedApp } from '../app.ts'
import { parsedCookie } from '../cookies.ts'
import { signingBytes } from '../keys.ts'
import { keyFingerprint } from './fingerprint.ts'

/** A session cookie: name, domain and path tell one from another in a browser (RFC 6265 §5.3), and so does being partitioned. */
export interface CookieFacts {
  /** With its prefix. */
  readonly name: string
  /** null: the host's own. */
  readonly domain: string | null
  readonly path: string
  readonly isSecure: boolean
  readonly sameSite: string
  readonly isPartitioned: boolean
}

/** The columns that a user's stamp is made from, as far as a table has them. */
export const STAMP_COLUMNS = ['password', 'stampOrigin', 'isActive', 'epoch'] as const

/** A user backend, as far as another application's must be like it. */
export interface BackendFacts {
  readonly name: string
  /** Whether sessions carry its users, in place of loading them. */
  readonly isCarried: boolean
  /** Whether it ends sessions by itself, or has that kept beside the sessions. */
  readonly endsSessions: boolean
  /** Those of `STAMP_COLUMNS` that its table has; null where it is no `sqlUsers()`. */
  readonly stampColumns: readonly string[] | null
}

/** A layer of sessions with its users, as far as another application's must be like it. Nothing of it is secret. */
export interface LoginFacts {
  readonly cookie: CookieFacts
  /** Fingerprints, in their order; null for one that cannot sign. */
  readonly keys: readonly (string | null)[]
  /** In milliseconds. */
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  /** Where the data of sessions is. */
  readonly data: 'store' | 'cookie'
  /** Where sessions are, or of those in cookies the epochs: a store, the memory of one process, nowhere. */
  readonly records: 'store' | 'memory' | 'none'
  /** null: no `users()` was found. */
  readonly backends: readonly BackendFacts[] | null
}

/** A layer of sessions of the application that is looked at. */
export interface OwnLogin {
  readonly facts: LoginFacts
  /** The store of its records; null where that is none that others could reach, or it was not reached itself. */
  readonly store: SessionStore | null
  readonly backends: readonly UserBackend[]
}

/**
 * The logins of an application.
 * @param named the store to take in place of the application's own: null where it cannot be reached, undefined where none was named
 */
export function loginsOf(inspected: InspectedApp, salt: string, named: SessionStore | null | undefined): OwnLogin[] {
  return inspected.sessions.filter(isOursAlone).map(sessions => {
    const { options, cookie, idleTimeout, absoluteTimeout } = sessions
    const keys = options.keys ?? inspected.app.keys
    const { data, records, store } = recordsOf(sessions, named)
    const users = usersBehind(inspected.parts, sessions)
    const facts: LoginFacts = {
      cookie: cookieFacts(cookie),
      keys: Array.isArray(keys) ? keys.map(key => keyFact(salt, key)) : [],
      idleTimeout,
      absoluteTimeout,
      data,
      records,
      backends: users?.backends.map(backendFacts) ?? null,
    }
    return { facts, store, backends: users?.backends ?? [] }
  })
}

function keyFact(salt: string, key: unknown): string | null {
  const bytes = signingBytes(key)
  return bytes && keyFingerprint(salt, bytes)
}

function cookieFacts(cookie: SessionCookie): CookieFacts {
  const { name, attributes } = parsedCookie(cookie.set('', 1000))
  return {
    name,
    domain: attributes.get('domain') ?? null,
    path: attributes.get('path') ?? '/',
    isSecure: attributes.has('secure'),
    sameSite: attributes.get('samesite') ?? 'Lax',
    isPartitioned: attributes.has('partitioned'),
  }
}

/** What another framework keeps too is compared with that framework, by nobody here. */
function isOursAlone({ options }: SessionsDescription): boolean {
  return !(options.store instanceof ForeignSessions)
}

type Records = Pick<LoginFacts, 'data' | 'records'> & Pick<OwnLogin, 'store'>

function recordsOf({ options: { store } }: SessionsDescription, named: SessionStore | null | undefined): Records {
  if (store && 'epochs' in store) return { data: 'cookie', ...placeOf(store.epochs) }
  if (named !== undefined) return { data: 'store', records: 'store', store: named }
  return { data: 'store', ...placeOf((store as SessionStore | undefined) ?? memoryStore()) }
}

function placeOf(store: SessionStore | undefined): Omit<Records, 'data'> {
  if (!store) return { records: 'none', store: null }
  return descriptionOf('memoryStore()', store) ? { records: 'memory', store: null } : { records: 'store', store }
}

function backendFacts(backend: UserBackend): BackendFacts {
  const table = descriptionOf<SqlUsersDescription>('sqlUsers()', backend)?.table
  return {
    name: backend.name,
    isCarried: backend.fromSession !== undefined,
    endsSessions: backend.endSessions !== undefined,
    stampColumns: table ? STAMP_COLUMNS.filter(column => table.columns.has(column)) : null,
  }
}

/** The `users()` behind a layer of sessions, before the next one of these. */
function usersBehind(parts: readonly unknown[], sessions: SessionsDescription): UsersDescription | null {
  const at = parts.findIndex(part => descriptionOf('sessions()', part) === sessions)
  for (const part of parts.slice(at + 1)) {
    if (descriptionOf('sessions()', part)) return null
    const users = descriptionOf<UsersDescription>('users()', part)
    if (users) return users
  }
  return null
}

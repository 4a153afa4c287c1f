import type { ParameterizedContext } from 'koa'
import { BackendInvalid, BackendUnavailable, StrataError } from '../errors.ts'
import { publish } from '../events.ts'
import { checkText } from '../options.ts'
import { userKey } from '../sessions/content.ts'
import type { SessionData } from '../sessions/store.ts'
import type { AuthenticatedUser } from './user.ts'

/** What somebody shows to log in. Every field is text; by convention `username` (a name or an e-mail address) and `password`. */
export type Credentials = Readonly<Record<string, string>>

/**
 * A place that knows users: a table, a directory, an identity provider. Every method may be called concurrently and rejects when the backend
 * cannot answer; absence is null, never an error.
 */
export interface UserBackend {
  /** Part of every user's key: letters, digits, '-' and '_', at most 64 characters. Renaming it ends the sessions of its users. */
  readonly name: string
  /**
   * The user with these credentials, or null where they are not known here: the next backend is asked then. Throw `AccessDenied` to refuse
   * them for good; whatever else is thrown is answered with 503.
   */
  authenticate?(credentials: Credentials, ctx: ParameterizedContext): Promise<AuthenticatedUser | null>
  /** The user with this id as they are now, or null. */
  load(id: string): Promise<AuthenticatedUser | null>
  /** The users with these ids, in their order: concurrent loads become one call. */
  loadMany?(ids: string[]): Promise<(AuthenticatedUser | null)[]>
  /**
   * The user whom a trusted proxy vouches for by this name, which is not empty, or null where nobody goes by it here. It comes from
   * `remoteUser()` and never from credentials.
   */
  identify?(name: string, ctx: ParameterizedContext): Promise<AuthenticatedUser | null>
  /**
   * Whether a user's stamp becomes another with their password, and `authenticate` refuses nobody whose password is right but those who are not
   * active: then credentials that were right are right for as long as name, address and stamp are the same, and feeds ask `authenticate` about them
   * twice a day. A backend that wraps another one and refuses more says false. @default false
   */
  readonly stampFollowsPassword?: boolean
  /**
   * Gives the user another stamp, so that all their sessions end, and answers it: the one that this very call made, even if another call came
   * right behind it. Null where the user is gone. A backend that cannot has it done beside the sessions.
   */
  endSessions?(id: string): Promise<string | null>
  /** The user as JSON for the session to carry, in place of loading. Comes with `fromSession`. */
  toSession?(user: AuthenticatedUser): SessionData
  /** The user that `toSession` described, or null where it is no such description. */
  fromSession?(snapshot: SessionData): AuthenticatedUser | null
}

/** The longest id of a user, in bytes of UTF-8. */
export const LONGEST_ID = 1024

const NAME = /^[a-z][\w-]{0,63}$/i

/** Whether a backend can have this name. */
export function isBackendName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name)
}

/** @throws OptionInvalid where a backend's name is none */
export function checkBackendName(where: string, name: unknown, option = 'name'): asserts name is string {
  checkText(where, option, name, NAME, "must start with a letter and hold letters, digits, '-' and '_', 64 at most.")
}

/** The problem with an id of a user, or null. */
export function idProblem(id: unknown): string | null {
  if (typeof id !== 'string' || id === '') return 'must be text that is not empty'
  if (Buffer.byteLength(id) > LONGEST_ID) return `must be at most ${LONGEST_ID} bytes of UTF-8`
  return id.isWellFormed() ? null : 'must be well-formed Unicode'
}

/** Whose key it is, as `userKey()` makes them; null where it is nobody's. */
export function identityOf(key: string): { backend: string; id: string } | null {
  const colon = key.indexOf(':')
  const [backend, id] = [key.slice(0, Math.max(colon, 0)), key.slice(colon + 1)]
  return isBackendName(backend) && idProblem(id) === null ? { backend, id } : null
}

function isListOfText(value: unknown): boolean {
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}

/** What is wrong with a user of this backend, as the rest of a sentence; null where nothing is. */
export function userProblem(backend: UserBackend, user: AuthenticatedUser): string | null {
  if (
    typeof user !== 'object' ||
    user.isAuthenticated !== true ||
    typeof user.hasPermission !== 'function' ||
    typeof user.stamp !== 'string' ||
    !isListOfText(user.formerStamps ?? [])
  ) {
    return 'what is no AuthenticatedUser. Make it a DetachedUser, or an object with all that AuthenticatedUser names.'
  }
  const problem = idProblem(user.id)
  if (problem) return `a user whose id ${problem}.`
  if (user.backend !== backend.name || user.key !== userKey(backend.name, user.id)) {
    return `a user of backend '${user.backend}'. Users carry the name of their own backend, and '<backend>:<id>' as key.`
  }
  return null
}

/** Refuses what a backend answered where it is no user of this backend. @throws BackendInvalid */
export function checkUser(backend: UserBackend, user: AuthenticatedUser): AuthenticatedUser {
  const problem = userProblem(backend, user)
  if (problem) throw new BackendInvalid(backend.name, `answered ${problem}`)
  return user
}

/**
 * The error to throw for a backend, or a profile source, that failed, or said by an error of 503 that it is busy: the event that tells operators
 * of it is published.
 */
export function backendFailure(backend: string, error: unknown): StrataError {
  publish('koa-strata:backend-error', { backend, error })
  return error instanceof StrataError && error.status === 503 ? error : new BackendUnavailable(backend, error)
}

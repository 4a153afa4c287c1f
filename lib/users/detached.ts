import { OptionInvalid } from '../errors.ts'
import { isPlainObject, knownOptions } from '../options.ts'
import { userKey } from '../sessions/content.ts'
import type { SessionData } from '../sessions/store.ts'
import { checkBackendName, idProblem } from './backend.ts'
import { type AuthenticatedUser, describeUser } from './user.ts'

/** Who a detached user is. */
export interface DetachedUserInit {
  /** The backend that vouches for them. */
  backend: string
  /** Any text of at most 1,024 bytes: slashes, spaces, any script. */
  id: string
  /** @default the id */
  username?: string | undefined
  /** @default null */
  email?: string | null | undefined
  /** What they may do. @default nothing */
  permissions?: Iterable<string> | undefined
  /** Whatever else the backend knows of them: JSON values. @default {} */
  attributes?: SessionData | undefined
  /** A text that changes when their sessions shall end, as the time of their last change of password. @default '' */
  stamp?: string | undefined
}

const FIELDS = ['backend', 'id', 'username', 'email', 'permissions', 'attributes', 'stamp']

/**
 * A user whom a backend vouches for and no table knows: authenticated, active, never stored, logged in like any other. Neither staff nor
 * superuser: the rights of local users are not theirs, whatever their name.
 * @throws OptionInvalid naming what is wrong
 */
export class DetachedUser implements AuthenticatedUser {
  readonly id: string
  readonly backend: string
  readonly key: string
  readonly username: string
  readonly email: string | null
  readonly permissions: ReadonlySet<string>
  readonly attributes: Readonly<SessionData>
  readonly stamp: string
  readonly isAuthenticated = true
  readonly isAnonymous = false
  readonly isActive = true
  readonly isStaff = false
  readonly isSuperuser = false

  constructor(init: DetachedUserInit) {
    const where = 'DetachedUser'
    knownOptions(where, init, FIELDS)
    const { backend, id, username = id, email = null, permissions = [], attributes = {}, stamp = '' } = init
    checkBackendName(where, backend, 'backend')
    const problem = idProblem(id)
    if (problem) throw new OptionInvalid(where, 'id', `${problem}.`)
    const granted = listed(permissions)
    if (!granted?.every(one => typeof one === 'string'))
      throw new OptionInvalid(where, 'permissions', 'must be a list of texts.')
    if (typeof username !== 'string') throw new OptionInvalid(where, 'username', 'must be text.')
    if (email !== null && typeof email !== 'string') throw new OptionInvalid(where, 'email', 'must be text or null.')
    if (!isPlainObject(attributes)) throw new OptionInvalid(where, 'attributes', 'must be a plain object.')
    if (typeof stamp !== 'string') throw new OptionInvalid(where, 'stamp', 'must be text.')
    this.id = id
    this.backend = backend
    this.key = userKey(backend, id)
    this.username = username
    this.email = email
    this.permissions = new Set(granted)
    this.attributes = Object.freeze({ ...attributes })
    this.stamp = stamp
  }

  hasPermission(permission: string): boolean {
    return this.permissions.has(permission)
  }

  /** What may be shown. */
  toJSON(): object {
    return describeUser(this)
  }
}

function listed(given: unknown): string[] | null {
  return given !== null && typeof given === 'object' && Symbol.iterator in given
    ? [...(given as Iterable<string>)]
    : null
}

import { userKey } from '../sessions/content.ts'
import { type AuthenticatedUser, describeUser } from '../users/user.ts'
import type { DjangoKeys } from './signing.ts'
import { type Granted, NOTHING } from './users/permissions.ts'
import type { DjangoUserRecord } from './users/table.ts'

/** A user of a Django site, as its database had them when they were asked for. Nothing in it writes to the database. */
export class DjangoUser implements AuthenticatedUser {
  /** The primary key: a UUID in lower case with hyphens, as Django's sessions name it. */
  readonly id: string
  readonly backend: string
  readonly key: string
  readonly username: string
  readonly email: string | null
  readonly firstName: string
  readonly lastName: string
  /** As `app_label.codename`: own ones and those of the user's groups; none while the user is inactive. */
  readonly permissions: ReadonlySet<string>
  /** The names of the user's groups; none while the user is inactive. */
  readonly groups: ReadonlySet<string>
  /** Django's session auth hash, by its SECRET_KEY. */
  readonly stamp: string
  /** The same by each of its SECRET_KEY_FALLBACKS. */
  readonly formerStamps: readonly string[]
  readonly isAuthenticated = true
  readonly isAnonymous = false
  readonly isActive: boolean
  readonly isStaff: boolean
  readonly isSuperuser: boolean
  /** Null where the model does not say. */
  readonly dateJoined: Date | null
  /** When the user logged in the last time before this one, or null. */
  readonly lastLogin: Date | null

  constructor(backend: string, user: DjangoUserRecord, keys: DjangoKeys, granted: Granted = NOTHING) {
    const { permissions, groups } = user.isActive ? granted : NOTHING
    this.id = user.id
    this.backend = backend
    this.key = userKey(backend, user.id)
    this.username = user.username
    this.email = user.email
    this.firstName = user.firstName
    this.lastName = user.lastName
    this.permissions = permissions
    this.groups = groups
    ;[this.stamp, ...this.formerStamps] = keys.sessionAuthHashes(user.password)
    this.isActive = user.isActive
    this.isStaff = user.isStaff
    this.isSuperuser = user.isSuperuser
    this.dateJoined = dateOf(user.dateJoined)
    this.lastLogin = dateOf(user.lastLogin)
  }

  /** Whether Django's `ModelBackend` grants it: `app_label.codename`. */
  hasPermission(permission: string): boolean {
    if (!this.isActive || typeof permission !== 'string') return false
    return this.isSuperuser || this.permissions.has(permission)
  }

  /** What may be shown. */
  toJSON(): object {
    return describeUser(this)
  }
}

function dateOf(moment: number | null): Date | null {
  return moment === null ? null : new Date(moment)
}

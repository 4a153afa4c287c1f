import { userKey } from '../../sessions/content.ts'
import { type AuthenticatedUser, describeUser } from '../user.ts'
import type { UserRecord } from './columns.ts'
import { stampOf } from './stamp.ts'

/** A user of `sqlUsers()`, as the database had them when they were asked for. Nothing in it writes to the database. */
export class SqlUser implements AuthenticatedUser {
  readonly id: string
  readonly backend: string
  readonly key: string
  readonly username: string
  readonly email: string | null
  /** Own ones and those of the user's groups; none while the user is inactive. */
  readonly permissions: ReadonlySet<string>
  readonly stamp: string
  readonly isAuthenticated = true
  readonly isAnonymous = false
  readonly isActive: boolean
  readonly isStaff: boolean
  readonly isSuperuser: boolean
  /** Null where a table of the application does not say. */
  readonly createdAt: Date | null
  /** When the user logged in the last time before this one, or null. */
  readonly lastLogin: Date | null

  constructor(backend: string, user: UserRecord, permissions: Iterable<string> = []) {
    this.id = user.id
    this.backend = backend
    this.key = userKey(backend, user.id)
    this.username = user.username
    this.email = user.email
    this.isActive = user.isActive
    this.isStaff = user.isStaff
    this.isSuperuser = user.isSuperuser
    this.permissions = new Set(user.isActive ? permissions : [])
    this.stamp = stampOf(user)
    this.createdAt = dateOf(user.createdAt)
    this.lastLogin = dateOf(user.lastLogin)
  }

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

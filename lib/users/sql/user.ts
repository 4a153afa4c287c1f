import { userKey } from '../../sessions/content.ts'
import { type AuthenticatedUser, describeUser } from '../user.ts'
import { type StampColumns, stampOf } from './stamp.ts'

/** A row of the users table, as the drivers answer it. */
export interface UserRow extends StampColumns {
  readonly id: number | string | bigint
  readonly username: string
  readonly username_canonical: string
  readonly email: string | null
  readonly email_canonical: string | null
  readonly is_active: unknown
  readonly is_staff: unknown
  readonly is_superuser: unknown
  readonly last_login: number | string | bigint | null
  readonly created_at: number | string | bigint
}

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
  readonly createdAt: Date
  /** When the user logged in the last time before this one, or null. */
  readonly lastLogin: Date | null

  constructor(backend: string, row: UserRow, permissions: Iterable<string> = []) {
    this.id = String(row.id)
    this.backend = backend
    this.key = userKey(backend, this.id)
    this.username = row.username
    this.email = row.email
    this.isActive = isTrue(row.is_active)
    this.isStaff = isTrue(row.is_staff)
    this.isSuperuser = isTrue(row.is_superuser)
    this.permissions = new Set(this.isActive ? permissions : [])
    this.stamp = stampOf(row, this.isActive)
    this.createdAt = new Date(Number(row.created_at))
    this.lastLogin = row.last_login === null ? null : new Date(Number(row.last_login))
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

/** Drivers answer booleans as true, 1, 1n or '1'; whatever else is false. */
export function isTrue(stored: unknown): boolean {
  return Number(stored) === 1
}

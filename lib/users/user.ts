/** A user, whoever vouches for them: what every request has one of. */
export interface User {
  /** The id in the backend: any text, empty for anonymous users. */
  readonly id: string
  /** The backend's name, empty for anonymous users. */
  readonly backend: string
  /** `backend:id`. Two users are the same exactly when their keys are. */
  readonly key: string
  readonly username: string
  readonly email: string | null
  readonly isAuthenticated: boolean
  readonly isAnonymous: boolean
  /** Whether the user may log in and stay logged in. */
  readonly isActive: boolean
  readonly isStaff: boolean
  readonly isSuperuser: boolean
  /** Whether the user has the permission, own or by a group. A superuser who is active has every one; unknown ones are denied. */
  hasPermission(permission: string): boolean
}

/** A user who has logged in, or could. */
export interface AuthenticatedUser extends User {
  readonly isAuthenticated: true
  readonly isAnonymous: false
  /** What sessions are bound to: they end when it becomes another. Not a secret, and not for showing. */
  readonly stamp: string
  /** Stamps that hold as well, as those by keys that are being replaced: a session that is bound to one of them is bound to `stamp` at its next request. */
  readonly formerStamps?: readonly string[]
}

/** Nobody in particular: the user of a request without a login. Has no rights. */
export class AnonymousUser implements User {
  readonly id = ''
  readonly backend = ''
  readonly key = ''
  readonly username = ''
  readonly email = null
  readonly isAuthenticated = false
  readonly isAnonymous = true
  readonly isActive = false
  readonly isStaff = false
  readonly isSuperuser = false

  hasPermission(_permission: string): boolean {
    return false
  }

  /** What may be shown. */
  toJSON(): object {
    return describeUser(this)
  }
}

/** What of a user may be shown: no stamp, no permissions. */
export function describeUser({ id, backend, key, username, email, isAuthenticated, isStaff }: User): object {
  return { id, backend, key, username, email, isAuthenticated, isStaff }
}

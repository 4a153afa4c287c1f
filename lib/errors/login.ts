import { StrataError } from './strata-error.ts'

/** Credentials are not an object of strings (400). */
export class CredentialsInvalid extends StrataError {
  readonly code = 'CREDENTIALS_INVALID'
  constructor(field: string) {
    super(`Credentials must be text: '${field}' is not.`, { status: 400 })
  }
}

/** Too many logins failed for this account or from this network (429, RFC 6585 §4). Nothing was checked; Retry-After says when it will be. */
export class TooManyAttempts extends StrataError {
  readonly code = 'TOO_MANY_ATTEMPTS'
  /** In seconds. */
  readonly retryAfter: number
  /** @param retryAfter whole seconds until another attempt is looked at */
  constructor(retryAfter: number) {
    super('Too many logins have failed. Please try again later.', {
      status: 429,
      headers: { 'Retry-After': String(retryAfter) },
    })
    this.retryAfter = retryAfter
  }
}

/** More passwords wait to be hashed than will be in reasonable time (503): this says nothing about the credentials. */
export class PasswordsBusy extends StrataError {
  readonly code = 'PASSWORDS_BUSY'
  constructor() {
    super('Too many people are logging in at this moment. Please try again shortly.', {
      status: 503,
      headers: { 'Retry-After': '5' },
    })
  }
}

/** For user backends to throw: these credentials are refused, and no further backend is asked. */
export class AccessDenied extends StrataError {
  readonly code = 'ACCESS_DENIED'
  constructor(message = 'Access denied.') {
    super(message, { status: 403 })
  }
}

/** A user backend or a profile source failed (503): this says nothing about the credentials. */
export class BackendUnavailable extends StrataError {
  readonly code = 'BACKEND_UNAVAILABLE'
  readonly backend: string
  /** @param backend the backend's or the source's name, for logs */
  constructor(backend: string, cause: unknown) {
    super('Accounts are unavailable at the moment. Please try again shortly.', {
      status: 503,
      headers: { 'Retry-After': '2' },
      cause,
    })
    this.backend = backend
  }
}

/** A user backend or profile source broke its contract: a mistake in its code. */
export class BackendInvalid extends StrataError {
  readonly code = 'BACKEND_INVALID'
  readonly backend: string
  constructor(backend: string, problem: string) {
    super(`Backend '${backend}' ${problem}`)
    this.backend = backend
  }
}

/** `ctx.login()` was handed somebody who cannot log in. */
export class LoginInvalid extends StrataError {
  readonly code = 'LOGIN_INVALID'
  constructor(problem: string) {
    super(`ctx.login(): ${problem}`)
  }
}

/** The route needs a logged-in user (401). The challenge names the cookie, as RFC 9110 §15.5.2 wants one. */
export class LoginRequired extends StrataError {
  readonly code = 'LOGIN_REQUIRED'
  constructor() {
    super('Please log in first.', { status: 401, headers: { 'WWW-Authenticate': 'Cookie realm="login"' } })
  }
}

/** The user is known and lacks the permission (403). */
export class PermissionDenied extends StrataError {
  readonly code = 'PERMISSION_DENIED'
  readonly permission: string
  constructor(permission: string) {
    super('You do not have the permission that this page needs.', { status: 403 })
    this.permission = permission
  }
}

/** A state-changing request came from another site (403). */
export class CrossSiteRequest extends StrataError {
  readonly code = 'CROSS_SITE_REQUEST'
  constructor() {
    super('This request came from another site and was not carried out.', { status: 403 })
  }
}

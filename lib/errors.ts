import { StrataError } from './strata-error.ts'

export { type ErrorHeaders, StrataError } from './strata-error.ts'

/** An option is missing, of the wrong type, contradictory or unknown. Thrown at construction, or at the first request for what comes from `app`. */
export class OptionInvalid extends StrataError {
  readonly code = 'OPTION_INVALID'
  readonly where: string
  readonly option: string
  /** @param where the function the option was handed to, as `sessions()` @param option its name @param problem what to do about it */
  constructor(where: string, option: string, problem: string) {
    super(`${where}: option '${option}' ${problem}`)
    this.where = where
    this.option = option
  }
}

/** A layer or guard ran without the layer it stands on. */
export class LayerMissing extends StrataError {
  readonly code = 'LAYER_MISSING'
  constructor(who: string, needs: string, add: string) {
    super(`${who} needs ${needs}. Add app.use(${add}) before it, or put ${add} before it in stack().`)
  }
}

/** The session store failed or did not answer within the deadline (503, RFC 9110 §15.6.4). */
export class SessionStoreUnavailable extends StrataError {
  readonly code = 'SESSION_STORE_UNAVAILABLE'
  constructor(cause?: unknown) {
    super('Sessions are unavailable at the moment. Please try again shortly.', {
      status: 503,
      headers: { 'Retry-After': '2' },
      cause,
    })
  }
}

/** Other requests changed the session again and again while this one tried to (503): nothing of this change was stored. */
export class SessionContended extends StrataError {
  readonly code = 'SESSION_CONTENDED'
  constructor(tries: number) {
    super(`The session was changed by other requests ${tries} times in a row. Please try again.`, {
      status: 503,
      headers: { 'Retry-After': '1' },
    })
  }
}

/** `ctx.session` holds a value that JSON would change or drop, a reserved key, or too much. Nothing was stored. */
export class SessionDataInvalid extends StrataError {
  readonly code = 'SESSION_DATA_INVALID'
  readonly key: string
  /** @param key where the value stands, as `cart.items[0]`; empty for the session as a whole */
  constructor(key: string, problem: string) {
    super(`ctx.session${key && '.'}${key} ${problem}`)
    this.key = key
  }
}

/** The session cookie would be larger than browsers keep (4,096 bytes with its attributes, RFC 6265 §6.1). Nothing was sent. */
export class SessionCookieTooLarge extends StrataError {
  readonly code = 'SESSION_COOKIE_TOO_LARGE'
  constructor(bytes: number) {
    super(
      `The session cookie would be ${bytes} bytes; browsers keep 4,096. Store less in ctx.session, or use a store other than cookieStore().`,
    )
  }
}

/** A session had to begin after the response's head was sent, so its cookie could not be. Nothing was stored. */
export class SessionTooLate extends StrataError {
  readonly code = 'SESSION_TOO_LATE'
  constructor() {
    super(
      'A new session needs a Set-Cookie header, and the response has begun. Change ctx.session, log in or out before sending the body.',
    )
  }
}

/** The store cannot list a user's sessions: memcached has no way to, and `cookieStore()` keeps none. */
export class SessionsNotListable extends StrataError {
  readonly code = 'SESSIONS_NOT_LISTABLE'
  constructor() {
    super(
      'This session store cannot list sessions: memcachedStore() and cookieStore() never can. Use one that has list(), such as ' +
        'sqlStore() or redisStore(). ctx.logoutEverywhere() needs no list.',
    )
  }
}

/** Sessions of this user could not be ended on the server: neither the backend nor the sessions keep an epoch for them. */
export class SessionsNotEndable extends StrataError {
  readonly code = 'SESSIONS_NOT_ENDABLE'
  constructor(backend: string) {
    super(
      `Backend '${backend}' cannot end its users' sessions, and cookieStore() keeps nothing that could. ` +
        'Give it a store for that, cookieStore({ epochs: sqlStore(db) }), or the backend an endSessions(id).',
    )
  }
}

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

/** The user is known and has no profile of the kind (403). */
export class ProfileRequired extends StrataError {
  readonly code = 'PROFILE_REQUIRED'
  readonly kind: string
  constructor(kind: string) {
    super(`This page is for people with a profile as ${kind}.`, { status: 403 })
    this.kind = kind
  }
}

/** HTTP Basic credentials are missing or wrong (401 with the challenge, RFC 7617 §2). */
export class BasicRequired extends StrataError {
  readonly code = 'BASIC_REQUIRED'
  constructor(challenge: string) {
    super('Please log in, or send a user name and password.', {
      status: 401,
      headers: { 'WWW-Authenticate': challenge },
    })
  }
}

/** Basic credentials would travel in the clear (403, and no challenge that would ask for them). */
export class HttpsRequired extends StrataError {
  readonly code = 'HTTPS_REQUIRED'
  constructor() {
    super('This address is served over https only.', { status: 403 })
  }
}

/** A proxy's user header came twice, in two spellings, or holds what is no name (400): somebody else than the proxy may have sent it. */
export class RemoteUserInvalid extends StrataError {
  readonly code = 'REMOTE_USER_INVALID'
  readonly header: string
  /** @param header the name of the header @param problem as the rest of a sentence */
  constructor(header: string, problem: string) {
    super(`The header ${header} ${problem}.`, { status: 400 })
    this.header = header
  }
}

/** A state-changing request came from another site (403). */
export class CrossSiteRequest extends StrataError {
  readonly code = 'CROSS_SITE_REQUEST'
  constructor() {
    super('This request came from another site and was not carried out.', { status: 403 })
  }
}

/** What is wrong with the fields of a user (422), each in words that a form can show beside it. */
export class UserInvalid extends StrataError {
  readonly code = 'USER_INVALID'
  readonly fields: Readonly<Record<string, string>>
  /** @param fields the message for each wrong field */
  constructor(fields: Readonly<Record<string, string>>) {
    super(Object.values(fields).join(' '), { status: 422 })
    this.fields = fields
  }
}

/** Another user has this name or e-mail address (409). */
export class UserExists extends StrataError {
  readonly code = 'USER_EXISTS'
  readonly field: 'username' | 'email'
  constructor(field: 'username' | 'email') {
    super(field === 'email' ? 'This e-mail address is taken.' : 'This name is taken.', { status: 409 })
    this.field = field
  }
}

/** No user has this id (404). */
export class UserUnknown extends StrataError {
  readonly code = 'USER_UNKNOWN'
  constructor() {
    super('There is no such user.', { status: 404 })
  }
}

/** Another group has this name (409). */
export class GroupExists extends StrataError {
  readonly code = 'GROUP_EXISTS'
  constructor() {
    super('There is a group of this name.', { status: 409 })
  }
}

/** No group has this name (404). */
export class GroupUnknown extends StrataError {
  readonly code = 'GROUP_UNKNOWN'
  constructor() {
    super('There is no such group.', { status: 404 })
  }
}

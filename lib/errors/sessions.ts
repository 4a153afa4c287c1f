import { StrataError } from './strata-error.ts'

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

/** The store cannot list a user's sessions: memcached and Django have no way to, and `cookieStore()` keeps none. */
export class SessionsNotListable extends StrataError {
  readonly code = 'SESSIONS_NOT_LISTABLE'
  constructor() {
    super(
      'This session store cannot list sessions: memcachedStore(), cookieStore() and djangoSessions() never can. Use one that has list(), such as ' +
        'sqlStore() or redisStore(). ctx.logoutEverywhere() needs no list.',
    )
  }
}

/** Sessions of this user could not be ended on the server: neither the backend nor the sessions keep what could. */
export class SessionsNotEndable extends StrataError {
  readonly code = 'SESSIONS_NOT_ENDABLE'
  constructor(backend: string) {
    super(
      `Backend '${backend}' cannot end its users' sessions, and sessions in cookies keep nothing that could. ` +
        'Give them a store for that, as cookieStore({ epochs: sqlStore(db) }), or the backend an endSessions(id). ' +
        "Of Django's own users a new password alone ends sessions in signed cookies.",
    )
  }
}

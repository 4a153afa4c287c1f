import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { LoginFailure } from './login-failure.ts'

/** What logout tokens are checked against. */
export interface LogoutTokensOptions {
  issuer: string
  /** The id of this client. */
  audience: string
  /** The provider's keys. */
  keys: JWTVerifyGetKey
  /** What they are signed with: the same as ID tokens. */
  algorithm: string
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: () => number
}

/** A logout token that says nothing to this application (OpenID Connect Back-Channel Logout 1.0 §2.6). */
export class LogoutTokenInvalid extends Error {
  override readonly name = 'LogoutTokenInvalid'
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
/** How old a token may be, and how far the clocks may be apart, in seconds. */
const [OLDEST, TOLERANCE] = [300, 30]
/** What jose says where it could not get the keys, beside errors of the network. */
const NO_KEYS = ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC']

/** Reads what a provider sends to tell that somebody has logged out there. */
export class LogoutTokens {
  readonly #options: Required<LogoutTokensOptions>
  /** The tokens that have done their work, by when they expire. One process remembers its own: to end sessions again does little harm. */
  readonly #done = new Map<string, number>()

  constructor(options: LogoutTokensOptions) {
    this.#options = { now: Date.now, ...options }
  }

  /**
   * Whom the token logs out. `done` is to be called when that has been done: the token is good once.
   * @throws LogoutTokenInvalid; LoginFailure where nobody can say, since the keys are not to be had
   */
  async read(token: unknown): Promise<{ iss: string; sub: string; done(): void }> {
    if (typeof token !== 'string') throw new LogoutTokenInvalid('logout_token is missing.')
    const { iss, sub, jti, exp, events, nonce } = await this.#verify(token)
    if (sub === undefined || sub === '') throw new LogoutTokenInvalid('The token names no subject.')
    if (!isObject(events) || !isObject(events[EVENT]))
      throw new LogoutTokenInvalid('The token is about something else.')
    // An ID token has one; nobody shall log people out by theirs.
    if (nonce !== undefined) throw new LogoutTokenInvalid('The token has a nonce.')
    if (this.#done.has(jti!)) throw new LogoutTokenInvalid('The token was used before.')
    return { iss: iss!, sub, done: () => this.#remember(jti!, exp!) }
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { issuer, audience, keys, algorithm, now } = this.#options
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [algorithm],
        requiredClaims: ['iat', 'exp', 'jti', 'events'],
        maxTokenAge: OLDEST,
        clockTolerance: TOLERANCE,
        currentDate: new Date(now()),
      })
      return payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || NO_KEYS.includes(error.code))
        throw new LoginFailure('unavailable', 'The keys of the provider are not to be had.')
      throw new LogoutTokenInvalid(`The token was refused: ${error.code}.`)
    }
  }

  #remember(jti: string, exp: number): void {
    const now = this.#options.now() / 1000
    for (const [old, until] of this.#done) if (until < now) this.#done.delete(old)
    this.#done.set(jti, exp + TOLERANCE)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

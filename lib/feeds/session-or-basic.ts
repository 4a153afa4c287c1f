import type { Middleware, Next, ParameterizedContext } from 'koa'
import { BasicRequired, HttpsRequired, PermissionDenied, StrataError } from '../errors.ts'
import { publish } from '../events.ts'
import { checkClock, checkDuration, checkOneOf, knownOptions } from '../options.ts'
import { sessionOf } from '../sessions/layer.ts'
import { checkPermission, isGranted, type LoggedIn } from '../users/guards.ts'
import { type Identification, requestUserOf } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import { basicChallenge, hasAuthorization, readBasic } from './basic.ts'
import { checkFeed, ownerOf } from './token-owner.ts'
import { type FeedTokens, isFeedToken } from './tokens.ts'
import { takeUrlToken } from './url-token.ts'
import { verifiedCredentials } from './verified.ts'

/** Options of `sessionOrBasicAuth()` and `permissionOrBasicAuth()`. */
export interface BasicAuthOptions {
  /** What browsers and readers show with the question for a password: printable ASCII. */
  realm: string
  /** Whether credentials over plain http are refused (403). Behind a proxy that ends TLS, see `trustedProxies()`. @default true where NODE_ENV is 'production' */
  requireHttps?: boolean | undefined
  /** Whether a name and password that are right make a session, whose cookie is sent. Tokens never do. @default false */
  remember?: boolean | undefined
  /**
   * Where feed tokens are known, as `sqlFeedTokens(knex)`. They are taken in the address (`?token=…`, which is taken out of it, and the answer has
   * `Referrer-Policy: no-referrer`) and as the password of HTTP Basic, beside the name or e-mail address of their owner. A log outside has to write
   * addresses when requests are over: what it writes before the guard has run holds the token. @default none
   */
  tokens?: FeedTokens | undefined
  /** What this feed is called, for tokens that are for some feeds only. @default one that only tokens for all feeds open */
  feed?: string | undefined
  /**
   * For how many milliseconds a name and password that were right pass without the backends being asked for them again; false: they are asked at
   * each poll, as they must be where an answer depends on more of the request than these. The user is loaded at each poll, unless it is one whom
   * sessions carry. Where that shows another password at once, since the first of the backends is asked and its stamps follow the password, as
   * those of `sqlUsers()` do, the two are looked at anew every 12 hours, whatever this is. @default 300,000
   */
  cache?: number | false | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

const KNOWN = ['realm', 'requireHttps', 'remember', 'tokens', 'feed', 'cache', 'now']

/**
 * Route middleware for feeds: passes with a logged-in session; else with a feed token in the address, where there are `tokens`; else with HTTP
 * Basic (RFC 7617; user name or e-mail address); else 401 with the challenge. Of several the first that is right decides, and where none is, the
 * last that was shown. A poll makes no session and gets no cookie, unless `remember`: its handler finds `ctx.session` empty, whatever cookie came
 * along, and what it writes there is not kept. Responses, errors too, are `Cache-Control: private` at least and vary by Cookie and Authorization.
 * @throws OptionInvalid at construction, naming the option that is wrong
 */
export function sessionOrBasicAuth(options: BasicAuthOptions): Middleware<LoggedIn> {
  return basicAuth('sessionOrBasicAuth()', options, null)
}

/**
 * Like `sessionOrBasicAuth()`, for users with the permission: what was shown is right where its user has it. 403 where that is not so for the last
 * that was shown, and whoever it belongs to is known.
 * @throws OptionInvalid at construction, naming the option that is wrong
 */
export function permissionOrBasicAuth(permission: string, options: BasicAuthOptions): Middleware<LoggedIn> {
  checkPermission('permissionOrBasicAuth()', permission)
  return basicAuth('permissionOrBasicAuth()', options, permission)
}

/** Who has shown something that is right, and whether it was a password; or what to refuse it with. */
type Finding = { user: AuthenticatedUser; byPassword: boolean } | StrataError

/** @param permission what the user must have, or null for nothing but a login */
function basicAuth(where: string, options: BasicAuthOptions, permission: string | null): Middleware<LoggedIn> {
  knownOptions(where, options, KNOWN)
  const { realm, requireHttps = process.env.NODE_ENV === 'production', remember = false } = options
  const { tokens, feed, cache = 300_000, now = Date.now } = options
  const challenge = basicChallenge(where, realm)
  checkOneOf(where, 'requireHttps', requireHttps, [true, false])
  checkOneOf(where, 'remember', remember, [true, false])
  checkFeed(where, tokens, feed)
  if (cache !== false) checkDuration(where, 'cache', cache)
  checkClock(where, now)
  const mayPass = (user: AuthenticatedUser) => permission === null || isGranted(user, permission)

  return async function basicAuthGuard(ctx: ParameterizedContext, next: Next) {
    const current = requestUserOf(ctx, where)
    const { answer, live } = sessionOf(ctx, where)
    answer.keepPrivate('Authorization')
    const urlToken = tokens && takeUrlToken(ctx)
    if (urlToken !== undefined) answer.hideAddress()
    // Read through ctx.state, so that the response varies by the cookie.
    const { user } = ctx.state
    if (!user.isAuthenticated || !mayPass(user)) {
      const { user: shown, byPassword } = await admit(ctx, current.by, urlToken)
      if (remember && byPassword) await ctx.login(shown)
      else {
        live.setAside()
        await current.become(shown)
      }
    }
    await next()
  }

  /** Whoever has shown something that is right beside the session. @throws StrataError with the reason why nobody has */
  async function admit(ctx: ParameterizedContext, by: Identification, urlToken: string | undefined) {
    const ways: (() => Promise<Finding>)[] = []
    if (urlToken !== undefined) ways.push(() => withToken(ctx, by, urlToken))
    if (hasAuthorization(ctx.req)) ways.push(() => withHeader(ctx, by))
    if (ctx.state.user.isAuthenticated && ways.length === 0) throw new PermissionDenied(permission!)
    if (requireHttps && !ctx.secure) throw new HttpsRequired()
    let refusal: StrataError = new BasicRequired(challenge)
    for (const way of ways) {
      const found = await way()
      if (!(found instanceof StrataError) && mayPass(found.user)) return found
      refusal = found instanceof StrataError ? found : new PermissionDenied(permission!)
    }
    // For an error page of the application's own, which may not look at the error's header.
    if (refusal instanceof BasicRequired) ctx.set('WWW-Authenticate', challenge)
    throw refusal
  }

  async function withHeader(ctx: ParameterizedContext, by: Identification): Promise<Finding> {
    const credentials = readBasic(ctx.req)
    if (!credentials) return new BasicRequired(challenge)
    if (tokens && isFeedToken(credentials.password))
      return withToken(ctx, by, credentials.password, credentials.username)
    const user =
      cache === false
        ? await by.authenticate(credentials)
        : await verifiedCredentials(by).userWith(credentials, { by, ip: ctx.ip, lasts: cache, now: now() })
    return user ? { user, byPassword: true } : new BasicRequired(challenge)
  }

  async function withToken(
    ctx: ParameterizedContext,
    by: Identification,
    token: string,
    name?: string,
  ): Promise<Finding> {
    const owner = await ownerOf({ token, name, feed }, tokens!, by)
    if (owner instanceof StrataError) return owner
    if (owner) return { user: owner, byPassword: false }
    publish('koa-strata:login-failed', { reason: 'unknown', backend: null, ip: ctx.ip })
    return new BasicRequired(challenge)
  }
}

import type { Middleware, Next, ParameterizedContext } from 'koa'
import { BasicRequired, HttpsRequired, PermissionDenied } from '../errors.ts'
import { checkOneOf, knownOptions } from '../options.ts'
import { sessionOf } from '../sessions/layer.ts'
import { checkPermission, isGranted, type LoggedIn } from '../users/guards.ts'
import { type RequestUser, requestUserOf } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import { basicChallenge, hasAuthorization, readBasic } from './basic.ts'

/** Options of `sessionOrBasicAuth()` and `permissionOrBasicAuth()`. */
export interface BasicAuthOptions {
  /** What browsers and readers show with the question for a password: printable ASCII. */
  realm: string
  /** Whether credentials over plain http are refused (403). Behind a proxy that ends TLS, set `app.proxy`. @default true where NODE_ENV is 'production' */
  requireHttps?: boolean | undefined
  /** Whether credentials that are right make a session, whose cookie is sent. @default false */
  remember?: boolean | undefined
}

/**
 * Route middleware for feeds: passes with a logged-in session, whatever the Authorization header says; else with HTTP Basic (RFC 7617; user
 * name or e-mail address), else 401 with the challenge. A poll with Basic makes no session and gets no cookie, unless `remember`: its handler
 * finds `ctx.session` empty, whatever cookie came along, and what it writes there is not kept. Responses, errors too, are
 * `Cache-Control: private` at least and vary by Cookie and Authorization.
 * @throws OptionInvalid at construction, naming the option that is wrong
 */
export function sessionOrBasicAuth(options: BasicAuthOptions): Middleware<LoggedIn> {
  return basicAuth('sessionOrBasicAuth()', options, null)
}

/**
 * Like `sessionOrBasicAuth()`, for users with the permission. A session whose user has it passes, whatever the Authorization header says; else
 * the credentials in that header are tried, and decide: 401 where they are wrong, 403 where their user lacks the permission too. A session whose
 * user lacks it, without such a header, gets 403.
 * @throws OptionInvalid at construction, naming the option that is wrong
 */
export function permissionOrBasicAuth(permission: string, options: BasicAuthOptions): Middleware<LoggedIn> {
  checkPermission('permissionOrBasicAuth()', permission)
  return basicAuth('permissionOrBasicAuth()', options, permission)
}

/** @param permission what the user must have, or null for nothing but a login */
function basicAuth(where: string, options: BasicAuthOptions, permission: string | null): Middleware<LoggedIn> {
  knownOptions(where, options, ['realm', 'requireHttps', 'remember'])
  const { realm, requireHttps = process.env.NODE_ENV === 'production', remember = false } = options
  const challenge = basicChallenge(where, realm)
  const mayPass = (user: AuthenticatedUser) => permission === null || isGranted(user, permission)
  checkOneOf(where, 'requireHttps', requireHttps, [true, false])
  checkOneOf(where, 'remember', remember, [true, false])

  return async function basicAuthGuard(ctx: ParameterizedContext, next: Next) {
    const current = requestUserOf(ctx, where)
    sessionOf(ctx, where).answer.keepPrivate('Authorization')
    await admit(ctx, current)
    await next()
  }

  async function admit(ctx: ParameterizedContext, current: RequestUser): Promise<void> {
    // Read through ctx.state, so that the response varies by the cookie.
    const { user } = ctx.state
    if (user.isAuthenticated && mayPass(user)) return
    if (user.isAuthenticated && !hasAuthorization(ctx.req)) throw new PermissionDenied(permission!)
    if (requireHttps && !ctx.secure) throw new HttpsRequired()
    const credentials = readBasic(ctx.req)
    const known = credentials && (await current.by.authenticate(credentials))
    if (!known) {
      // For an error page of the application's own, which may not look at the error's header.
      ctx.set('WWW-Authenticate', challenge)
      throw new BasicRequired(challenge)
    }
    if (!mayPass(known)) throw new PermissionDenied(permission!)
    if (remember) return ctx.login(known)
    sessionOf(ctx, where).live.setAside()
    await current.become(known)
  }
}

import type { Middleware, Next, ParameterizedContext } from 'koa'
import { LoginRequired, OptionInvalid, PermissionDenied } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { requestUserOf } from './request-user.ts'
import type { AuthenticatedUser } from './user.ts'

/** Options of the guards. */
export interface GuardOptions {
  /**
   * Where people log in. An anonymous GET or HEAD is sent there (303, RFC 9110 §15.4.4) with the address it asked for as `next`; see
   * `nextPath()`. @default none: 401
   */
  redirect?: string | undefined
}

/** `ctx.state` behind a guard: somebody is logged in. */
export interface LoggedIn {
  readonly user: AuthenticatedUser
}

/**
 * Lets logged-in users pass; others are sent to log in, or get 401. Guards stand on routes, or in a stack: `router.use()` of a router with a prefix minds
 * the case of the path, which its routes do not (@koa/router 15), and another spelling would pass it by.
 */
export function requireLogin(options: GuardOptions = {}): Middleware<LoggedIn> {
  const admit = loginGuard('requireLogin()', options)
  return async function requireLoginGuard(ctx, next) {
    if (admit(ctx)) await next()
  }
}

/** Lets users with the permission pass; anonymous ones are sent to log in, or get 401; all others get 403. */
export function requirePermission(permission: string, options: GuardOptions = {}): Middleware<LoggedIn> {
  checkPermission('requirePermission()', permission)
  const admit = loginGuard('requirePermission()', options)
  return async function requirePermissionGuard(ctx: ParameterizedContext<LoggedIn>, next: Next) {
    if (!admit(ctx)) return
    if (!isGranted(ctx.state.user, permission)) throw new PermissionDenied(permission)
    await next()
  }
}

/** Whether the user has the permission. Whatever a backend answers in place of true, a promise among it, grants nothing. */
export function isGranted(user: AuthenticatedUser, permission: string): boolean {
  return user.hasPermission(permission) === true
}

/** @throws OptionInvalid where a permission is no name */
export function checkPermission(where: string, permission: unknown): void {
  if (typeof permission !== 'string' || permission === '')
    throw new OptionInvalid(where, 'permission', "must be a name, as 'openings.publish'.")
}

/**
 * Makes the check that somebody is logged in: true where the request may go on, false where it was sent to log in.
 * @throws OptionInvalid at construction; LoginRequired (401) and LayerMissing at a request
 */
export function loginGuard(where: string, options: GuardOptions): (ctx: ParameterizedContext) => boolean {
  knownOptions(where, options, ['redirect'])
  const { redirect } = options
  if (redirect !== undefined && (typeof redirect !== 'string' || !/^[\x21\x22\x24-\x7e]+$/.test(redirect))) {
    throw new OptionInvalid(where, 'redirect', "must be the address of the login page without a fragment, as '/login'.")
  }
  return ctx => {
    requestUserOf(ctx, where)
    if (ctx.state.user.isAuthenticated) return true
    if (redirect === undefined || !['GET', 'HEAD'].includes(ctx.method)) throw new LoginRequired()
    ctx.status = 303
    ctx.redirect(`${redirect}${redirect.includes('?') ? '&' : '?'}next=${encodeURIComponent(ctx.originalUrl)}`)
    return false
  }
}

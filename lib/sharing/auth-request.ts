import type { Middleware, ParameterizedContext } from 'koa'
import { PermissionDenied } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { checkPermission, isGranted, loginGuard } from '../users/guards.ts'
import type { UserState } from '../users/layer.ts'
import { checkHeaderName, userHeaderValue } from './user-header.ts'

/** Options of `authRequest()`. */
export interface AuthRequestOptions {
  /** What the user must be permitted. @default nothing: it is enough to be logged in */
  permission?: string | undefined
  /** The header that names the user, for nginx to pass on. @default 'X-Remote-User' */
  header?: string | undefined
}

const WHERE = 'authRequest()'

/**
 * A route that answers nginx's `auth_request` (ngx_http_auth_request_module): may whoever sends this request pass? 204 for a user who may, with
 * their name in the header, as bytes of UTF-8 that `remoteUser()` reads; 401 for nobody, 403 without the permission. So nginx protects whatever
 * else it serves by this login. The answer is `no-store`: a logout holds at the next request. Put `sessionOrBasicAuth()` before it on the route
 * where feed readers come too.
 *
 * The name is the `username`, which users of two backends may share: then protect by permission. Requests fail with RemoteUserInvalid (400) where
 * the name cannot be a header, and nginx lets nobody pass then.
 * @throws OptionInvalid at construction, naming the option that is wrong; LayerMissing at a request without `users()` before
 */
export function authRequest(options: AuthRequestOptions = {}): Middleware<UserState> {
  knownOptions(WHERE, options, ['permission', 'header'])
  const { permission, header = 'X-Remote-User' } = options
  if (permission !== undefined) checkPermission(WHERE, permission)
  checkHeaderName(WHERE, header)
  const admit = loginGuard(WHERE, {})

  return async function authRequestRoute(ctx: ParameterizedContext<UserState>): Promise<void> {
    ctx.set('Cache-Control', 'no-store')
    admit(ctx)
    const { user } = ctx.state
    if (permission !== undefined && !(user.isAuthenticated && isGranted(user, permission)))
      throw new PermissionDenied(permission)
    ctx.set(header, userHeaderValue(header, user.username))
    ctx.status = 204
  }
}

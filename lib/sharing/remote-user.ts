import type { Next, ParameterizedContext } from 'koa'
import { AccessDenied, BackendInvalid, OptionInvalid, RemoteUserInvalid } from '../errors.ts'
import { publish } from '../events.ts'
import { checkOneOf, checkOptionalFunction, knownOptions } from '../options.ts'
import { storeId } from '../sessions/id.ts'
import { sessionOf } from '../sessions/layer.ts'
import type { Layer } from '../stack.ts'
import { backendFailure, checkBackendName, checkUser, type UserBackend } from '../users/backend.ts'
import { type Identification, requestUserOf } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import { peersOf } from './peers.ts'
import { checkHeaderName, checkUserName, dropUserHeader, hasUserHeader, readUserHeader } from './user-header.ts'

/** Options of `remoteUser()`. */
export interface RemoteUserOptions {
  /** The header in which the proxy names the user. @default 'X-Remote-User' */
  header?: string | undefined
  /**
   * Whose header counts: addresses, networks in CIDR notation, and 'unix' for whoever connects to a Unix socket that the server listens on by
   * its path. It is the address of the connection itself that counts, whatever `X-Forwarded-For` and `app.proxy` say.
   */
  trust: readonly string[]
  /** The backend of `users()` that knows who goes by the name: `remoteUsers()`, or another one that has `identify()`. @default 'remote' */
  backend?: string | undefined
  /** Whether a login by the header stays while the header is missing, as where the proxy asks who it is on one path alone. @default false: the header's absence logs out */
  persistent?: boolean | undefined
  /** Makes of what the header says a name that the backend knows, as without a realm; null or empty: nobody. @default the name as it is */
  clean?: ((name: string) => string | null) | undefined
}

const WHERE = 'remoteUser()'

/**
 * Logs in whom a proxy names in a header, and nobody else: from connections that are not listed the header is dropped, from `ctx.headers` too.
 * It stands behind `users()`. The proxy must set the header at each request, or remove what the client sent, in each spelling.
 *
 * - The login is an ordinary one, with a new session id, and is made once: later requests that say the same name store nothing, and do not ask
 *   the backend whose it is. When a name goes over to somebody else, end the sessions of the one before: `ctx.endSessions(user)`.
 * - The session holds only while the header does. At a request without it, or past the proxy, the user is logged out unless `persistent`; at one
 *   that names somebody else, that one is logged in and starts with empty data.
 * - While the header names somebody, the request is theirs, whoever else had logged in to the session; or nobody's, where nobody active goes by
 *   the name. A session that began with a login of another kind is left alone where there is no header, or where it is the same user's.
 * - A client that keeps no cookies is logged in at each request, and leaves a session each time.
 * - `ctx.logout()` holds until the next request that the header comes with: to log out for good is the proxy's to offer.
 *
 * The session is bound to the header and the backend by their names. After a change of either nothing looks after the sessions there were: end
 * them, as by another name of the backend.
 *
 * Requests fail with RemoteUserInvalid (400) where the header comes twice, in another spelling (`X_Remote_User`), with control characters or more
 * than 1,024 bytes; with BackendUnavailable (503) where the backend cannot say; with OptionInvalid where `users()` has no such backend.
 * @throws OptionInvalid at construction, naming the option that is wrong
 */
export function remoteUser(options: RemoteUserOptions): Layer<'users', never, unknown, unknown> {
  knownOptions(WHERE, options, ['header', 'trust', 'backend', 'persistent', 'clean'])
  const { header = 'X-Remote-User', trust, backend = 'remote', persistent = false, clean = name => name } = options
  checkHeaderName(WHERE, header)
  const peers = peersOf(WHERE, 'trust', trust)
  checkBackendName(WHERE, backend, 'backend')
  checkOneOf(WHERE, 'persistent', persistent, [true, false])
  checkOptionalFunction(WHERE, 'clean', clean)
  // Neither name holds a ':'.
  const ours = `remote-user:${header.toLowerCase()}:${backend}:`

  return async function remoteUserLayer(ctx: ParameterizedContext, next: Next): Promise<void> {
    await recognise(ctx)
    await next()
  } as Layer<'users', never, unknown, unknown>

  async function recognise(ctx: ParameterizedContext): Promise<void> {
    const current = requestUserOf(ctx, WHERE)
    const { by } = current
    const source = backendOf(by, backend)
    const isOurs = by.via?.startsWith(ours) ?? false
    const said = saidBy(ctx, isOurs)
    if (said === null) {
      if (isOurs && !persistent) await ctx.logout()
      return
    }
    const name = cleaned(said)
    // A digest, so that the longest of names fit into a cookie.
    const via = ours + storeId(name)
    if (by.via === via) return
    const user = name === '' ? null : await identify(source, name, ctx)
    if (user && user.key !== current.user.key) await by.logIn(user, via)
    if (!user && current.user.isAuthenticated) await ctx.logout()
  }

  function saidBy(ctx: ParameterizedContext, isOurs: boolean): string | null {
    const from = peers.at(ctx.req)
    if (from === 'unknown' && (isOurs || hasUserHeader(ctx.req, header)))
      throw new RemoteUserInvalid(header, 'cannot be believed: the connection is gone')
    if (from !== 'listed') {
      dropUserHeader(ctx.req, header)
      return null
    }
    sessionOf(ctx, WHERE).answer.dependsOn(header)
    return readUserHeader(ctx.req, header)
  }

  /** The name that the backend is asked for; empty for nobody. */
  function cleaned(said: string): string {
    const name: unknown = clean(said) ?? ''
    if (typeof name !== 'string') throw new OptionInvalid(WHERE, 'clean', 'must answer text, or null.')
    if (name !== '') checkUserName(header, name)
    return name
  }
}

function backendOf(by: Identification, name: string): UserBackend {
  const backend = by.backend(name)
  if (backend?.identify) return backend
  throw new OptionInvalid(
    WHERE,
    'backend',
    backend
      ? `names '${name}', a backend without identify(), which cannot tell who goes by a name.`
      : `names '${name}', and users() has no such backend. Add remoteUsers() to its backends, or name one of them.`,
  )
}

/** The active user who goes by this name, or null. @throws BackendUnavailable where the backend cannot say */
async function identify(
  backend: UserBackend,
  name: string,
  ctx: ParameterizedContext,
): Promise<AuthenticatedUser | null> {
  const refused = (reason: 'unknown' | 'inactive' | 'denied') => {
    publish('koa-strata:login-failed', { reason, backend: backend.name, ip: ctx.ip })
    return null
  }
  let user: AuthenticatedUser | null
  try {
    user = await backend.identify!(name, ctx)
  } catch (error) {
    if (error instanceof AccessDenied) return refused('denied')
    if (error instanceof BackendInvalid) throw error
    throw backendFailure(backend.name, error)
  }
  if (!user) return refused('unknown')
  return checkUser(backend, user).isActive ? user : refused('inactive')
}

import type { Next, ParameterizedContext } from 'koa'
import { type Description, describe } from '../described.ts'
import { LoginInvalid } from '../errors.ts'
import { publish } from '../events.ts'
import { knownOptions } from '../options.ts'
import { userKey } from '../sessions/content.ts'
import { type SessionAccess, sessionOf } from '../sessions/layer.ts'
import { KeyedQueue } from '../sessions/queue.ts'
import type { Layer } from '../stack.ts'
import { authenticateWith } from './authenticate.ts'
import type { UserBackend } from './backend.ts'
import { Backends } from './backends.ts'
import { Logins } from './login.ts'
import { type AnyUser, exposeUser, type Identification, RequestUser } from './request-user.ts'
import { type ListedSession, listSessions } from './session-list.ts'
import type { ThrottleOptions } from './throttle/options.ts'
import { type RequestThrottle, requestThrottle } from './throttle/request.ts'
import { AnonymousUser, type AuthenticatedUser } from './user.ts'

/** Options of `users()`. */
export interface UsersOptions {
  /**
   * Who knows users: asked in this order for credentials; a session remembers its own. Where that is none of these, as it may be another
   * application's, the request is a guest's, with values of its own in the session: that login goes on until somebody logs in or out.
   */
  backends: readonly UserBackend[]
  /** How failed logins are limited, those of forms and of HTTP Basic together; false for no limits. @default in the memory of each process */
  throttle?: ThrottleOptions | false | undefined
}

/** What `users()` adds to `ctx.state`. */
export interface UserState {
  /** The user of this request, always there. */
  readonly user: AnonymousUser | AuthenticatedUser
}

/** What `users()` adds to `ctx`. */
export interface UserContext {
  /**
   * The user who has these credentials, or null. Nobody is logged in by asking.
   * @throws CredentialsInvalid (400) where a field is no text
   * @throws TooManyAttempts (429) where too many logins have failed for the account or from the network: for the login page to catch, and to show
   * @throws BackendUnavailable (503) where a backend cannot say
   */
  authenticate(credentials: object): Promise<AuthenticatedUser | null>
  /**
   * Logs the user in, at once and even if the handler throws afterwards: the session has a new id, and keeps its data unless another user
   * was logged in.
   */
  login(user: AuthenticatedUser): Promise<void>
  /** Logs out. Somebody who came by HTTP Basic leaves this request alone, not the session of the cookie beside it. When it resolves, the session has ended on the server. @throws SessionStoreUnavailable (503) where that could not be done */
  logout(): Promise<void>
  /** Ends every session of the user, this one too unless `keepCurrent`, which gives it a new id. */
  logoutEverywhere(options?: { keepCurrent?: boolean }): Promise<void>
  /**
   * The sessions that the user, or another one of these backends, is logged in by, the last used first.
   * @throws SessionsNotListable where the store cannot list
   */
  listSessions(user?: AuthenticatedUser): Promise<ListedSession[]>
  /**
   * Ends every session of a user of these backends, whoever asks: for pages of administrators, and for identity providers that tell of a logout.
   * Who may ask is the application's to check. The user need not be there any more, nor ever have been.
   */
  endSessions(user: { backend: string; id: string }): Promise<void>
}

/** What a layer of users was made with. */
export interface UsersDescription extends Description {
  readonly by: 'users()'
  /** In their order. */
  readonly backends: readonly UserBackend[]
}

const ANONYMOUS = new AnonymousUser()

/**
 * A user on every request: `ctx.state.user`, anonymous if need be. A session holds only as long as its login does: a new password, a
 * deactivation or `logoutEverywhere` ends it at its next request.
 * @throws OptionInvalid at construction, naming the option that is wrong
 */
export function users(options: UsersOptions): Layer<'sessions', 'users', UserState, UserContext> {
  knownOptions('users()', options, ['backends', 'throttle'])
  const backends = new Backends('users()', options.backends)
  const { throttle: limits = {} } = options
  const throttleOf = limits === false ? null : requestThrottle('users()', limits)
  const endings = new KeyedQueue()

  const layer = async function usersLayer(ctx: ParameterizedContext, next: Next): Promise<void> {
    const access = sessionOf(ctx, 'users()')
    const logins = new Logins(backends, access.epochs, access.setting)
    const current = new RequestUser(await userOfSession(access, logins))
    const throttle = throttleOf?.(ctx, access)
    current.by = identification(ctx, access, { backends, logins, throttle, current })
    const onRead = () => access.answer.dependsOn('Cookie')
    const restore = exposeUser(ctx, current, onRead, userContext(ctx, access, logins, current, endings))
    try {
      await next()
    } finally {
      restore()
    }
  } as Layer<'sessions', 'users', UserState, UserContext>
  return describe(layer, { by: 'users()', backends: [...backends] } satisfies UsersDescription)
}

async function userOfSession({ live, gone }: SessionAccess, logins: Logins): Promise<AnyUser> {
  if (!live.login) return ANONYMOUS
  const found = await logins.userBy(live.login)
  if (typeof found !== 'string') {
    if (found.login !== live.login) await live.rebind(found.login)
    return found.user
  }
  gone(found, userKey(live.login.backend, live.login.id))
  // A backend that is not here may be another application's: its login is not ours to end, nor to displace.
  if (found === 'backend-gone') live.becomeGuest()
  else await live.expel()
  return ANONYMOUS
}

interface IdentificationParts {
  backends: Backends
  logins: Logins
  throttle: RequestThrottle | undefined
  current: RequestUser
}

function identification(
  ctx: ParameterizedContext,
  { live }: SessionAccess,
  { backends, logins, throttle, current }: IdentificationParts,
): Identification {
  return {
    layer: backends,
    authenticate: (credentials, recall) => authenticateWith({ backends, ctx, throttle, recall }, credentials),
    remember: user => logins.remember(user),
    recall: remembered => logins.recall(remembered),
    find: user => logins.activeUser(user),
    async logIn(user, via) {
      if (!user?.isAuthenticated) throw new LoginInvalid('hand it a user that ctx.authenticate() answered.')
      if (!user.isActive) throw new LoginInvalid('this user is not active.')
      const login = await logins.bind(user)
      await live.logIn(via === undefined ? login : { ...login, via })
      throttle?.recognise(user)
      publish('koa-strata:login', { user: user.key, ip: ctx.ip })
      await current.become(user)
    },
    get via() {
      return live.login?.via
    },
    backend: name => backends.get(name),
  }
}

function userContext(
  ctx: ParameterizedContext,
  access: SessionAccess,
  logins: Logins,
  current: RequestUser,
  endings: KeyedQueue,
): UserContext {
  const { live } = access
  // HTTP Basic makes somebody the user of one request, beside a session that is another's or nobody's.
  const bySession = ({ key }: { key: string }) =>
    live.login !== null && userKey(live.login.backend, live.login.id) === key
  const endOthers = async (user: AuthenticatedUser): Promise<void> => {
    // The other click of a double click has been here: ending once more would end what it kept.
    if (!(await live.carrier.isLive())) return current.become(ANONYMOUS)
    const via = live.login?.via
    const kept = await logins.endOthers(user, live.carrier.storeId)
    publish('koa-strata:logout', { user: user.key, ip: ctx.ip, everywhere: true })
    const login = kept && { ...kept.login, ...(via !== undefined && { via }) }
    if (login && (await live.logIn(login, { afresh: false }))) return current.become(kept.user)
    await live.end()
    await current.become(ANONYMOUS)
  }
  const context: UserContext = {
    authenticate: credentials => current.by.authenticate(credentials),
    login: user => current.by.logIn(user),
    async logout() {
      const { user } = current
      if (!user.isAuthenticated || bySession(user)) {
        if (live.login && !live.carrier.endsOnServer && logins.canEnd(live.login)) await logins.endAll(live.login)
        await live.end()
      }
      await current.become(ANONYMOUS)
      if (user.isAuthenticated) publish('koa-strata:logout', { user: user.key, ip: ctx.ip, everywhere: false })
    },
    async logoutEverywhere({ keepCurrent = false } = {}) {
      const { user } = current
      if (!user.isAuthenticated) return
      if (keepCurrent && bySession(user)) return endings.run(user.key, () => endOthers(user))
      if (!keepCurrent) return context.endSessions(user)
      await logins.endAll(user)
      publish('koa-strata:logout', { user: user.key, ip: ctx.ip, everywhere: true })
    },
    async endSessions(user) {
      const key = userKey(user.backend, user.id)
      await logins.endAll(user)
      publish('koa-strata:logout', { user: key, ip: ctx.ip, everywhere: true })
      if (bySession({ key })) await live.end()
      if (current.user.key === key) await current.become(ANONYMOUS)
    },
    async listSessions(user = signedIn(current.user)) {
      access.answer.dependsOn('Cookie')
      if (!user) return []
      const stamp = bySession(user) ? live.login!.stamp : await logins.stampOf(user)
      return listSessions(access, user.key, stamp, context.logout)
    },
  }
  return context
}

function signedIn(user: AnyUser): AuthenticatedUser | undefined {
  return user.isAuthenticated ? user : undefined
}

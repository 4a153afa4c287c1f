import type { ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import {
  type AuthenticatedUser,
  type Credentials,
  cookieStore,
  memoryStore,
  type SessionsOptions,
  sessions,
  type UserBackend,
  type UserContext,
  type UsersOptions,
  users,
} from 'koa-strata'
import {
  type Answer,
  type Browser,
  KEY,
  startApp,
  type TestApp,
  type TestContext,
  WIDE_DEADLINE,
} from '../sessions/app.ts'
import { STORES, type StoreCase } from '../sessions/stores.ts'

/** What a directory keeps of somebody. A test changes it to change the user. */
export interface Account {
  password: string
  username: string
  stamp: string
  isActive: boolean
  isStaff: boolean
  isSuperuser: boolean
  permissions: string[]
}

/** A backend whose users a test can change. */
export interface Directory extends UserBackend {
  readonly accounts: Map<string, Account>
  /** The credentials it was asked about. */
  readonly asked: Credentials[]
  /** The ids it was asked to load. */
  readonly loaded: string[]
}

/** A backend of users with these ids. Everybody's password is 'pw' unless said otherwise. */
export function directory(
  name: string,
  people: Record<string, Partial<Account>>,
  own: Partial<UserBackend> = {},
): Directory {
  const accounts = new Map<string, Account>()
  const asked: Credentials[] = []
  const loaded: string[] = []
  for (const [id, given] of Object.entries(people)) accounts.set(id, { ...fresh(id), ...given })
  const find = (id: string): AuthenticatedUser | null => {
    const account = accounts.get(id)
    return account ? userOf(name, id, account) : null
  }
  return {
    name,
    accounts,
    asked,
    loaded,
    async authenticate(credentials) {
      asked.push(credentials)
      const { username = '', password } = credentials
      return accounts.get(username)?.password === password ? find(username) : null
    },
    async load(id) {
      loaded.push(id)
      return find(id)
    },
    ...own,
  }
}

/** A directory that ends its users' sessions itself, by another stamp. */
export function stampingDirectory(name: string, people: Record<string, Partial<Account>>): Directory {
  const backend: Directory = directory(name, people, {
    async endSessions(id) {
      const account = backend.accounts.get(id)
      if (!account) return null
      account.stamp += '+'
      return account.stamp
    },
  })
  return backend
}

function fresh(id: string): Account {
  return {
    password: 'pw',
    username: id,
    stamp: '1',
    isActive: true,
    isStaff: false,
    isSuperuser: false,
    permissions: [],
  }
}

/** A user as a plain object, as a backend may answer one. */
export function userOf(backend: string, id: string, given: Partial<Account> = {}): AuthenticatedUser {
  const { username, stamp, isActive, isStaff, isSuperuser, permissions } = { ...fresh(id), ...given }
  return {
    id,
    backend,
    key: `${backend}:${id}`,
    username,
    email: null,
    isAuthenticated: true,
    isAnonymous: false,
    isActive,
    isStaff,
    isSuperuser,
    stamp,
    hasPermission: permission => isActive && (isSuperuser || permissions.includes(permission)),
  }
}

export type UsersContext = TestContext & UserContext
export type UsersHandler = (ctx: UsersContext) => unknown

export interface UsersAppOptions extends SessionsOptions {
  backends?: UserBackend[]
  /** @default limits without a device cookie */
  throttle?: UsersOptions['throttle']
  handlers?: Record<string, UsersHandler>
  /** Layers behind `users()`. */
  above?: unknown[]
  /** Middleware before the sessions. */
  outside?: Middleware[]
}

/** Without a second cookie, where a test looks at what becomes of the session's. */
const NO_DEVICES = { deviceCookie: false }

/** Whoever logs in at '/login?u=…&p=…', '/me', '/logout' and so on. */
const HANDLERS: Record<string, UsersHandler> = {
  async '/login'(ctx) {
    const user = await ctx.authenticate({ username: String(ctx.query.u), password: String(ctx.query.p) })
    if (!user) {
      ctx.status = 401
      return 'wrong'
    }
    await ctx.login(user)
    return user.key
  },
  '/me': ctx => ({ key: ctx.state.user.key, session: ctx.session.toJSON() }),
  '/user': ctx => ctx.state.user,
  '/ping': () => 'pong',
  '/set'(ctx) {
    Object.assign(ctx.session, ctx.query)
    return 'set'
  },
  async '/logout'(ctx) {
    await ctx.logout()
    return 'out'
  },
  async '/everywhere'(ctx) {
    await ctx.logoutEverywhere({ keepCurrent: ctx.query.keep !== undefined })
    return ctx.state.user.key || 'nobody'
  },
  '/sessions': ctx => ctx.listSessions(),
  async '/end'(ctx) {
    for (const one of await ctx.listSessions()) {
      if (ctx.query.id === undefined || ctx.query.id === one.id) await one.end()
    }
    return ctx.state.user.key || 'nobody'
  },
}

/** Serves sessions and users: alice, bob and carol of the directory 'local' unless others are given. */
export function startUsersApp(t: ExecutionContext, options: UsersAppOptions = {}): Promise<TestApp> {
  const { backends = [directory('local', { alice: {}, bob: {}, carol: {} })], throttle = NO_DEVICES, ...rest } = options
  const { handlers, above = [], outside = [], ...given } = rest
  const layers = [
    sessions({ keys: [KEY], deadline: WIDE_DEADLINE, ...given }),
    users({ backends, throttle }),
    ...above,
  ] as Middleware[]
  return startApp(t, { layers, outside, handlers: { ...HANDLERS, ...handlers } as Record<string, never> })
}

type Carried = Required<Pick<SessionsOptions, 'store' | 'now'>>

async function opened(t: ExecutionContext, setup: StoreCase['setup']): Promise<Carried> {
  const { open, now } = await setup(t)
  return { store: await open(), now }
}

/** Logs somebody in by this browser. */
export function logIn(browser: Browser, username: string, password = 'pw'): Promise<Answer> {
  return browser.get(`/login?u=${encodeURIComponent(username)}&p=${encodeURIComponent(password)}`)
}

/** The key of the user whom this browser is logged in as; empty for anonymous. */
export async function whoIs(browser: Browser): Promise<string> {
  return (await browser.get('/me')).json.key
}

/** Every way in which sessions are carried: what `sessions()` is made with for it. */
export const CARRIERS: Readonly<Record<string, (t: ExecutionContext) => Promise<Carried>>> = {
  ...Object.fromEntries(
    Object.entries(STORES).map(([name, { setup }]) => [name, (t: ExecutionContext) => opened(t, setup)]),
  ),
  cookie: async () => ({ store: cookieStore({ epochs: memoryStore() }), now: Date.now }),
}

import Router, { type RouterMiddleware } from '@koa/router'
import type { ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import {
  AccessDenied,
  type AuthenticatedUser,
  type LoggedIn,
  memoryStore,
  profiles,
  type SessionStore,
  type SessionsOptions,
  sessionOrBasicAuth,
  sessions,
  stack,
  type UserBackend,
  type UsersOptions,
  users,
} from 'koa-strata'
import { KEY, recorded, startApp, type TestApp, type TestContext } from '../sessions/app.ts'

/** Without a second cookie, where a test looks at what becomes of the session's. */
const NO_DEVICES = { deviceCookie: false }

interface Person {
  username: string
  email?: string
  password: string
  permissions?: string[]
  isActive?: boolean
}

const EVERYBODY: Person[] = [
  { username: 'Aladdin', password: 'open sesame' },
  { username: 'test', password: '123£' },
  { username: 'zoë', email: 'zoe@example.org', password: 'pässwörd☃' },
  { username: 'latin', password: 'pässwörd' },
  { username: 'colon', password: 'a:b::c' },
  { username: 'other', password: 'other pw' },
  { username: 'plain', password: 'plain pw' },
  { username: 'reader', password: 'reader pw', permissions: ['reports.read'] },
  { username: 'chief', password: 'chief pw', permissions: ['reports.read'] },
  { username: 'asleep', password: 'asleep pw', isActive: false },
]

function userOf({ username, email, permissions = [], isActive = true }: Person): AuthenticatedUser {
  return {
    id: username,
    backend: 'people',
    key: `people:${username}`,
    username,
    email: email ?? null,
    isAuthenticated: true,
    isAnonymous: false,
    isActive,
    isStaff: false,
    isSuperuser: false,
    stamp: '1',
    hasPermission: permission => permissions.includes(permission),
  }
}

/** A backend that knows a few people by name or address. 'broken' makes it fail, 'denied' is refused for every backend. */
export function people(): UserBackend & { asked: string[] } {
  const asked: string[] = []
  return {
    name: 'people',
    asked,
    async authenticate({ username, password }) {
      asked.push(username ?? '')
      if (username === 'broken') throw new Error('the directory does not answer')
      if (username === 'denied') throw new AccessDenied()
      const found = EVERYBODY.find(one => [one.username, one.email].includes(username) && one.password === password)
      return found ? userOf(found) : null
    },
    async load(id) {
      const found = EVERYBODY.find(({ username }) => username === id)
      return found ? userOf(found) : null
    },
  }
}

/** The value of an Authorization header with these credentials in UTF-8. */
export function basic(username: string, password: string, encoding: BufferEncoding = 'utf8'): string {
  return `Basic ${Buffer.from(`${username}:${password}`, encoding).toString('base64')}`
}

export interface FeedAppOptions extends SessionsOptions {
  /** @default limits without a device cookie */
  throttle?: UsersOptions['throttle']
  /** Middleware around the layers. */
  outside?: Middleware[]
  /** The routes. Without any: '/feed' behind `guard`. */
  routes?: (router: Router) => void
  /** What stands before the feed. */
  guard?: Middleware<LoggedIn>
  /** What answers behind the guard. @default the user's name */
  handler?: (ctx: TestContext) => unknown
}

export interface FeedApp extends TestApp {
  store: ReturnType<typeof recorded>
  asked: string[]
  /** The errors that Koa does not show to the client: none is expected. */
  readonly hidden: Error[]
}

/** Serves sessions, users and profiles with a feed, and '/login/<name>' and '/me' beside it. */
export async function feedApp(t: ExecutionContext, options: FeedAppOptions = {}): Promise<FeedApp> {
  const {
    outside,
    routes,
    guard,
    handler = ctx => ctx.state.user.username,
    store: given,
    throttle = NO_DEVICES,
    ...others
  } = options
  const store = recorded((given as SessionStore | undefined) ?? memoryStore())
  const backend = people()
  const identity = stack(
    sessions({ keys: [KEY], store, ...others }),
    users({ backends: [backend], throttle }),
    profiles({
      employee: { find: async user => (user.username === 'zoë' ? { skills: ['snow'] } : null) },
    }),
  )
  const router = new Router()
  router.get('/login/:name', async context => {
    const ctx = context as unknown as TestContext & { login(user: AuthenticatedUser): Promise<void> }
    const user = await backend.load(context.params.name!)
    await ctx.login(user!)
    ctx.session.note = `note of ${user!.username}`
    ctx.body = 'in'
  })
  router.get('/note', context => {
    const ctx = context as unknown as TestContext
    ctx.session.note = 'note of nobody'
    ctx.body = 'noted'
  })
  router.get('/me', context => {
    const ctx = context as unknown as TestContext
    ctx.body = JSON.stringify({ name: ctx.state.user.username, note: ctx.session.note ?? null })
  })
  if (guard) {
    const answer: RouterMiddleware = async context => {
      const body = await handler(context as unknown as TestContext)
      if (body !== undefined) context.body = body
    }
    router.all('/feed', guard as unknown as RouterMiddleware, answer)
  }
  routes?.(router)
  const app = await startApp(t, { outside, layers: [identity as unknown as Middleware, router.routes() as Middleware] })
  return Object.assign(app, {
    store,
    asked: backend.asked,
    get hidden() {
      return app.errors.filter(error => !(error as Error & { expose?: boolean }).expose)
    },
  })
}

/** The challenge of `jobsFeed()`. */
export const CHALLENGE = 'Basic realm="Jobs", charset="UTF-8"'
/** Credentials that are right. */
export const RIGHT = basic('Aladdin', 'open sesame')

/** A feed that any login opens. */
export function jobsFeed(t: ExecutionContext, options: FeedAppOptions = {}): Promise<FeedApp> {
  return feedApp(t, { guard: sessionOrBasicAuth({ realm: 'Jobs' }), ...options })
}

/** The fields that a Vary names. */
export function fieldsOf(vary: string | undefined): string[] {
  return (vary ?? '')
    .split(',')
    .map(field => field.trim().toLowerCase())
    .sort()
}

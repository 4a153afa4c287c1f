/** A project that installed koa-strata and Koa alone: everything behind the root door, with types, without knex. */
import Koa from 'koa'
import {
  type AuthenticatedUser,
  type ContextOf,
  type Credentials,
  cookieStore,
  DetachedUser,
  detachedUsers,
  memoryStore,
  OptionInvalid,
  type ProfileSource,
  permissionOrBasicAuth,
  profiles,
  requireLogin,
  requirePermission,
  requireProfile,
  type SessionStore,
  type StateOf,
  StrataError,
  sameOrigin,
  sessionOrBasicAuth,
  sessions,
  stack,
  type UserBackend,
  users,
} from 'koa-strata'

interface Employer {
  company: string
}

const employers: ProfileSource<Employer> = {
  find: async (user: AuthenticatedUser) => (user.key === 'directory:1' ? { company: 'Acme' } : null),
}
const directory: UserBackend = detachedUsers({
  name: 'directory',
  authenticate: async ({ username, password }: Credentials) =>
    username === 'ann' && password === 'pässwörd☃' ? { id: '1', username: 'ann' } : null,
})
const store: SessionStore = memoryStore()

export const identity = stack(
  sessions({ store, keys: ['0123456789abcdef0123456789abcdef'], idleTimeout: 60_000 }),
  users({ backends: [directory] }),
  profiles({ employer: employers }),
)
export const inTheCookie = stack(sessions({ store: cookieStore() }), users({ backends: [directory] }))

type State = StateOf<typeof identity>
type Context = ContextOf<typeof identity>

const app = new Koa<State, Context>()
app.use(sameOrigin())
app.use(identity)
app.use(async (ctx, next) => {
  ctx.session.views = (ctx.session.views ?? 0) + 1
  const { user } = ctx.state
  if (user.isEmployer) ctx.body = user.profile.company
  else if (user.isAuthenticated) await ctx.logoutEverywhere({ keepCurrent: true })
  await next()
})

export const guards = [
  requireLogin({ redirect: '/login' }),
  requirePermission('openings.publish'),
  requireProfile('employer'),
  permissionOrBasicAuth('openings.publish', { realm: 'Staff' }),
]
export const feed = sessionOrBasicAuth({ realm: 'Jobs', requireHttps: false })
export const somebody = new DetachedUser({ backend: 'directory', id: '1' })
export const isOurs = (error: unknown): boolean => error instanceof OptionInvalid && error instanceof StrataError

// @ts-expect-error without sessions() before it
stack(users({ backends: [directory] }))
// @ts-expect-error a misspelt option
sessions({ stroe: store })

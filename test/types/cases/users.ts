/** The user of a request can be told apart and not be replaced, and what a backend answers is a user. */
import Router from '@koa/router'
import {
  type ContextOf,
  DetachedUser,
  detachedUsers,
  type ListedSession,
  permissionOrBasicAuth,
  profiles,
  requireProfile,
  type StateOf,
  sessions,
  stack,
  type UserBackend,
  users,
} from 'koa-strata'

const ldap = detachedUsers({ name: 'ldap', authenticate: async ({ username = '' }) => ({ id: username }) })
const identity = stack(sessions(), users({ backends: [ldap] }))
const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()

router.get('/', async ctx => {
  const { user } = ctx.state
  if (user.isAuthenticated) {
    const stamp: string = user.stamp
    const anonymous: false = user.isAnonymous
    ctx.body = [stamp, anonymous]
  } else {
    const email: null = user.email
    ctx.body = email
    // error: TS2339: Property 'stamp' does not exist on type 'AnonymousUser'.
    user.stamp
  }
  // error: TS2339: Property 'profile' does not exist on type 'AnonymousUser | AuthenticatedUser'.
  //   Property 'profile' does not exist on type 'AnonymousUser'.
  user.profile

  // error: TS2540: Cannot assign to 'user' because it is a read-only property.
  ctx.state.user = new DetachedUser({ backend: 'ldap', id: 'a' })
  // error: TS2540: Cannot assign to 'id' because it is a read-only property.
  user.id = 'b'

  await ctx.login(new DetachedUser({ backend: 'ldap', id: 'a', permissions: new Set(['read']) }))
  await ctx.logoutEverywhere({ keepCurrent: true })
  // error: TS2561: Object literal may only specify known properties, but 'keepcurrent' does not exist in type '{ keepCurrent?: boolean | undefined; }'. Did you mean to write 'keepCurrent'?
  await ctx.logoutEverywhere({ keepcurrent: true })
  for (const listed of await ctx.listSessions()) {
    const shown: ListedSession = listed
    await shown.end()
    // error: TS2540: Cannot assign to 'isCurrent' because it is a read-only property.
    listed.isCurrent = true
  }
})

router.get('/reports.atom', permissionOrBasicAuth('reports.read', { realm: 'Reports' }), ctx => {
  const authenticated: true = ctx.state.user.isAuthenticated
  ctx.body = [authenticated, ctx.state.user.stamp]
})

// error: TS2554: Expected 2 arguments, but got 1.
permissionOrBasicAuth({ realm: 'Reports' })

const profiled = stack(
  identity,
  profiles({
    employer: { find: async () => ({ company: 'Acme' }) },
    employee: { find: async () => ({ skills: ['x'] }) },
  }),
)
const companies = new Router<StateOf<typeof profiled>, ContextOf<typeof profiled>>()
companies.get('/', requireProfile('employee'), ctx => {
  const employer: false = ctx.state.user.isEmployer
  const skills: string[] = ctx.state.user.profile.skills
  ctx.body = [employer, skills]
  // error: TS2540: Cannot assign to 'user' because it is a read-only property.
  ctx.state.user = null
})

// error: TS2322: Type '{ find: () => Promise<{}>; }' is not assignable to type 'never'.
profiles({ active: { find: async () => ({}) } })
// error: TS2322: Type '{ find: () => Promise<{}>; }' is not assignable to type 'never'.
profiles({ authenticated: { find: async () => ({}) } })
// error: TS2322: Type '{ find: () => Promise<{}>; }' is not assignable to type 'never'.
profiles({ superuser: { find: async () => ({}) } })
// error: TS2741: Property 'find' is missing in type '{}' but required in type 'ProfileSource<any>'.
profiles({ employer: {} })

// error: TS2741: Property 'backends' is missing in type '{}' but required in type 'UsersOptions'.
users({})
// error: TS2353: Object literal may only specify known properties, and 'cache' does not exist in type 'UsersOptions'.
users({ backends: [ldap], cache: true })

detachedUsers({ name: 'oidc' })
// error: TS2741: Property 'name' is missing in type '{}' but required in type 'DetachedUsersOptions'.
detachedUsers({})
// error: TS2322: Type '() => Promise<{ uid: number; }>' is not assignable to type '(credentials: Readonly<Record<string, string>>, ctx: ParameterizedContext) => Promise<DetachedIdentity | null>'.
//   Type 'Promise<{ uid: number; }>' is not assignable to type 'Promise<DetachedIdentity | null>'.
//     Type '{ uid: number; }' is not assignable to type 'DetachedIdentity | null'.
detachedUsers({ name: 'ldap', authenticate: async () => ({ uid: 5 }) })
// error: TS2353: Object literal may only specify known properties, and 'isSuperuser' does not exist in type 'DetachedUserInit'.
new DetachedUser({ backend: 'ldap', id: 'a', isSuperuser: true })

export const backend: UserBackend = {
  name: 'rows',
  // error: TS2322: Type 'Promise<{ id: string; username: string; }>' is not assignable to type 'Promise<AuthenticatedUser | null>'.
  //   Type '{ id: string; username: string; }' is missing the following properties from type 'AuthenticatedUser': isAuthenticated, isAnonymous, stamp, backend, and 6 more.
  load: async id => ({ id, username: 'alice' }),
}

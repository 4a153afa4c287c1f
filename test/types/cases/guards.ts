/** Behind a guard of a route the user is what the guard has let pass. */
import Router from '@koa/router'
import {
  type ContextOf,
  detachedUsers,
  profiles,
  requireLogin,
  requirePermission,
  requireProfile,
  type StateOf,
  sessionOrBasicAuth,
  sessions,
  stack,
  users,
} from 'koa-strata'

const identity = stack(
  sessions(),
  users({ backends: [detachedUsers({ name: 'ldap', authenticate: async () => null })] }),
  profiles({
    employer: { find: async () => ({ company: 'Acme' }) },
    employee: { find: async () => ({ skills: ['typing'] }) },
  }),
)
const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()

router.get('/open', ctx => {
  // error: TS2339: Property 'stamp' does not exist on type 'ProfiledUser<ProfilesOf<{ employer: { find: () => Promise<{ company: string; }>; }; employee: { find: () => Promise<{ skills: string[]; }>; }; }>>'.
  //   Property 'stamp' does not exist on type 'AnonymousUser & Flags<"employee" | "employer", never> & { readonly profile: null; }'.
  ctx.body = ctx.state.user.stamp
})

router.get('/account', requireLogin(), ctx => {
  const anonymous: false = ctx.state.user.isAnonymous
  ctx.body = [anonymous, ctx.state.user.stamp]
  // error: TS18047: 'ctx.state.user.profile' is possibly 'null'.
  // error: TS2339: Property 'company' does not exist on type '{ company: string; } | { skills: string[]; }'.
  //   Property 'company' does not exist on type '{ skills: string[]; }'.
  ctx.body = ctx.state.user.profile.company
})

router.get('/staff', requirePermission('openings.publish'), ctx => {
  ctx.body = ctx.state.user.stamp
})

router.get('/company', requireProfile('employer'), ctx => {
  const company: string = ctx.state.user.profile.company
  ctx.body = company
  // error: TS2339: Property 'skills' does not exist on type '{ company: string; }'.
  ctx.body = ctx.state.user.profile.skills
})

router.get('/either', requireProfile(['employer', 'employee']), ctx => {
  const { user } = ctx.state
  ctx.body = user.isEmployer ? user.profile.company : user.profile.skills
})

router.get('/jobs.atom', sessionOrBasicAuth({ realm: 'Jobs' }), ctx => {
  const name: string = ctx.state.user.username
  ctx.body = [name, ctx.state.user.stamp]
  if (ctx.state.user.isEmployee) ctx.body = ctx.state.user.profile.skills
})

// error: TS2741: Property 'realm' is missing in type '{}' but required in type 'BasicAuthOptions'.
sessionOrBasicAuth({})
// error: TS2322: Type 'number' is not assignable to type 'string'.
requireLogin({ redirect: 1 })

/** Profiles are a discriminated union: each flag leaves the profile of its kind, and inline sources keep their types. */
import Router from '@koa/router'
import { type ContextOf, detachedUsers, profiles, type StateOf, sessions, stack, users } from 'koa-strata'

const identity = stack(
  sessions(),
  users({ backends: [detachedUsers({ name: 'ldap', authenticate: async () => null })] }),
  profiles({
    employer: { find: async () => ({ company: 'Acme' }) },
    employee: { find: async user => ({ skills: [user.username] }) },
  }),
)
const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()

router.get('/', ctx => {
  const { user } = ctx.state
  if (user.isEmployer) {
    const company: string = user.profile.company
    ctx.body = company
    // error: TS2339: Property 'skills' does not exist on type '{ company: string; }'.
    user.profile.skills
  } else if (user.isEmployee) {
    const skills: string[] = user.profile.skills
    ctx.body = skills
    // error: TS2339: Property 'company' does not exist on type '{ skills: string[]; }'.
    user.profile.company
  } else {
    const none: null = user.profile
    ctx.body = none
  }
  // error: TS18047: 'user.profile' is possibly 'null'.
  // error: TS2339: Property 'company' does not exist on type '{ company: string; } | { skills: string[]; }'.
  //   Property 'company' does not exist on type '{ skills: string[]; }'.
  user.profile.company
  // error: TS2551: Property 'isEmployeee' does not exist on type 'ProfiledUser<ProfilesOf<{ employer: { find: () => Promise<{ company: string; }>; }; employee: { find: (user: AuthenticatedUser) => Promise<{ skills: string[]; }>; }; }>>'. Did you mean 'isEmployee'?
  //   Property 'isEmployeee' does not exist on type 'AnonymousUser & Flags<"employee" | "employer", never> & { readonly profile: null; }'.
  user.isEmployeee
})

// Flags of the user itself are no kinds.
// error: TS2322: Type '{ find: () => Promise<{}>; }' is not assignable to type 'never'.
profiles({ staff: { find: async () => ({}) } })
// error: TS2322: Type '{ find: () => Promise<{}>; }' is not assignable to type 'never'.
profiles({ anonymous: { find: async () => ({}) } })

// A source is asked for users, not for ids.
// error: TS2322: Type '(id: string) => Promise<{ id: string; }>' is not assignable to type '(user: AuthenticatedUser) => Promise<any>'.
//   Types of parameters 'id' and 'user' are incompatible.
//     Type 'AuthenticatedUser' is not assignable to type 'string'.
profiles({ employer: { find: async (id: string) => ({ id }) } })

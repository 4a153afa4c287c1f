/** `realms()` gives what all its realms give, as the union of what they are; a router within one has that realm's own types. */
import Router from '@koa/router'
import type { Middleware } from 'koa'
import { type ContextOf, detachedUsers, profiles, requireLogin, type StateOf, sessions, stack, users } from 'koa-strata'
import { atHost, atPath } from '../../../lib/sharing/realm-matches.ts'
import { realms } from '../../../lib/sharing/realms.ts'

const backends = [detachedUsers({ name: 'ldap', authenticate: async () => null })]
const plain: Middleware = async (_ctx, next) => next()
const adminStack = stack(sessions({ cookie: { name: 'admin' } }), users({ backends }))
const siteStack = stack(sessions(), users({ backends }), profiles({ reader: { find: async () => ({ shelf: 1 }) } }))

const both = realms({
  admin: { match: atPath('/admin'), stack: adminStack },
  site: { stack: siteStack },
})
const shared = new Router<StateOf<typeof both>, ContextOf<typeof both>>()

shared.get('/', requireLogin(), async ctx => {
  const name: string = ctx.state.user.username
  ctx.session.views = 1
  await ctx.logout()
  const realm: 'admin' | 'site' = ctx.realm
  // error: TS2322: Type '"admin" | "site"' is not assignable to type '"admin"'.
  //   Type '"site"' is not assignable to type '"admin"'.
  const admin: 'admin' = ctx.realm
  // error: TS2339: Property 'profile' does not exist on type 'AuthenticatedUser | (AuthenticatedUser & Flags<"reader", "reader"> & { readonly profile: { shelf: number; }; }) | (AuthenticatedUser & Flags<...> & { ...; })'.
  //   Property 'profile' does not exist on type 'AuthenticatedUser'.
  ctx.body = [name, realm, admin, ctx.state.user.profile]
  // error: TS2540: Cannot assign to 'realm' because it is a read-only property.
  ctx.realm = 'site'
})

const site = new Router<StateOf<typeof siteStack>, ContextOf<typeof siteStack>>()
site.get('/shelf', ctx => {
  if (ctx.state.user.isReader) ctx.body = ctx.state.user.profile.shelf
})
realms({
  admin: { match: atPath('/admin'), stack: adminStack },
  site: { stack: stack(siteStack, site.routes()) },
})

// What all give can be built on, and what one of them lacks cannot.
stack(both, profiles({ employer: { find: async () => null } }))
stack(
  realms({ a: { match: () => true, stack: plain }, b: { stack: siteStack } }),
  // error: TS2345: Argument of type 'Layer<"users", "profiles", ProfileState<ProfilesOf<{ employer: { find: () => Promise<null>; }; }>>, ProfileContext>' is not assignable to parameter of type 'LayerOutOfOrder<"put users() before this layer">'.
  //   Types of property '[traits]' are incompatible.
  //     Type '{ needs: "users"; gives: "profiles"; state: ProfileState<ProfilesOf<{ employer: { find: () => Promise<null>; }; }>>; context: ProfileContext; } | undefined' is not assignable to type '"put users() before this layer"'.
  //       Type 'undefined' is not assignable to type '"put users() before this layer"'.
  profiles({ employer: { find: async () => null } }),
)

// Where each has a match, a request may be none's.
const hosts = realms({
  admin: { match: atHost('admin.example'), stack: adminStack },
  site: { match: atHost('www.example'), stack: siteStack },
})
// error: TS2345: Argument of type 'Layer<"users", "profiles", ProfileState<ProfilesOf<{ employer: { find: () => Promise<null>; }; }>>, ProfileContext>' is not assignable to parameter of type 'LayerOutOfOrder<"put users() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "users"; gives: "profiles"; state: ProfileState<ProfilesOf<{ employer: { find: () => Promise<null>; }; }>>; context: ProfileContext; } | undefined' is not assignable to type '"put users() before this layer"'.
//       Type 'undefined' is not assignable to type '"put users() before this layer"'.
stack(hosts, profiles({ employer: { find: async () => null } }))
const anywhere = new Router<StateOf<typeof hosts>, ContextOf<typeof hosts>>()
anywhere.get('/', ctx => {
  const realm: 'admin' | 'site' | null = ctx.realm
  // error: TS2322: Type '"admin" | "site" | null' is not assignable to type '"admin" | "site"'.
  //   Type 'null' is not assignable to type '"admin" | "site"'.
  const some: 'admin' | 'site' = ctx.realm
  ctx.body = [realm, some]
})

// What a realm needs is needed before all.
const needy = realms({ admin: { match: atPath('/admin'), stack: users({ backends }) }, site: { stack: plain } })
stack(sessions(), needy)
// error: TS2345: Argument of type 'Layer<"sessions", never, unknown, ContextIn<{ admin: { match: (ctx: ParameterizedContext) => boolean; stack: Layer<"sessions", "users", UserState, UserContext>; }; site: { ...; }; }>>' is not assignable to parameter of type 'LayerOutOfOrder<"put sessions() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "sessions"; gives: never; state: unknown; context: ContextIn<{ admin: { match: (ctx: ParameterizedContext) => boolean; stack: Layer<"sessions", "users", UserState, UserContext>; }; site: { ...; }; }>; } | undefined' is not assignable to type '"put sessions() before this layer"'.
//       Type 'undefined' is not assignable to type '"put sessions() before this layer"'.
stack(needy)
// error: TS2741: Property 'stack' is missing in type '{ match: (ctx: Application.ParameterizedContext) => boolean; }' but required in type 'Realm'.
realms({ admin: { match: atPath('/admin') } })
// error: TS2322: Type '() => Promise<boolean>' is not assignable to type '(ctx: ParameterizedContext) => boolean'.
//   Type 'Promise<boolean>' is not assignable to type 'boolean'.
realms({ admin: { match: async () => true, stack: plain } })
// error: TS2345: Argument of type 'RegExp' is not assignable to parameter of type 'string'.
atPath(/^\/admin/)

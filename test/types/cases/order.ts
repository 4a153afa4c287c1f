/** A layer that stands before one it needs is a compile error on that layer, which says what to put before it. */
import type { Middleware } from 'koa'
import { detachedUsers, profiles, sessions, stack, users } from 'koa-strata'

const backends = [detachedUsers({ name: 'ldap', authenticate: async () => null })]
const find = async () => ({ company: 'Acme' })
const plain: Middleware = async (_ctx, next) => next()

stack(sessions(), users({ backends }), profiles({ employer: { find } }))

// Missing altogether.
// error: TS2345: Argument of type 'Layer<"sessions", "users", UserState, UserContext>' is not assignable to parameter of type 'LayerOutOfOrder<"put sessions() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "sessions"; gives: "users"; state: UserState; context: UserContext; } | undefined' is not assignable to type '"put sessions() before this layer"'.
//       Type 'undefined' is not assignable to type '"put sessions() before this layer"'.
stack(users({ backends }))

// There, but behind.
// error: TS2345: Argument of type 'Layer<"sessions", "users", UserState, UserContext>' is not assignable to parameter of type 'LayerOutOfOrder<"put sessions() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "sessions"; gives: "users"; state: UserState; context: UserContext; } | undefined' is not assignable to type '"put sessions() before this layer"'.
//       Type 'undefined' is not assignable to type '"put sessions() before this layer"'.
stack(users({ backends }), sessions())

// Only the layer right before it is missing.
// error: TS2345: Argument of type 'Layer<"users", "profiles", ProfileState<ProfilesOf<{ employer: { find: () => Promise<{ company: string; }>; }; }>>, ProfileContext>' is not assignable to parameter of type 'LayerOutOfOrder<"put users() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "users"; gives: "profiles"; state: ProfileState<ProfilesOf<{ employer: { find: () => Promise<{ company: string; }>; }; }>>; context: ProfileContext; } | undefined' is not assignable to type '"put users() before this layer"'.
//       Type 'undefined' is not assignable to type '"put users() before this layer"'.
stack(sessions(), profiles({ employer: { find } }))

// Two layers out of order: the first is named.
// error: TS2345: Argument of type 'Layer<"users", "profiles", ProfileState<ProfilesOf<{ employer: { find: () => Promise<{ company: string; }>; }; }>>, ProfileContext>' is not assignable to parameter of type 'LayerOutOfOrder<"put users() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "users"; gives: "profiles"; state: ProfileState<ProfilesOf<{ employer: { find: () => Promise<{ company: string; }>; }; }>>; context: ProfileContext; } | undefined' is not assignable to type '"put users() before this layer"'.
//       Type 'undefined' is not assignable to type '"put users() before this layer"'.
stack(profiles({ employer: { find } }), users({ backends }), sessions())

// Plain Koa middleware may stand anywhere, and gives nothing.
stack(plain, sessions(), async (_ctx, next) => next(), users({ backends }), plain)
// error: TS2345: Argument of type 'Layer<"sessions", "users", UserState, UserContext>' is not assignable to parameter of type 'LayerOutOfOrder<"put sessions() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "sessions"; gives: "users"; state: UserState; context: UserContext; } | undefined' is not assignable to type '"put sessions() before this layer"'.
//       Type 'undefined' is not assignable to type '"put sessions() before this layer"'.
stack(plain, users({ backends }))

// A stack counts for all it is made of.
stack(stack(sessions(), users({ backends })), profiles({ employer: { find } }))
// error: TS2345: Argument of type 'Layer<"users", "profiles", ProfileState<ProfilesOf<{ employer: { find: () => Promise<{ company: string; }>; }; }>>, ProfileContext>' is not assignable to parameter of type 'LayerOutOfOrder<"put users() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "users"; gives: "profiles"; state: ProfileState<ProfilesOf<{ employer: { find: () => Promise<{ company: string; }>; }; }>>; context: ProfileContext; } | undefined' is not assignable to type '"put users() before this layer"'.
//       Type 'undefined' is not assignable to type '"put users() before this layer"'.
stack(stack(sessions()), profiles({ employer: { find } }))

// What is no middleware at all.
// error: TS2345: Argument of type 'string' is not assignable to parameter of type 'AnyLayer | AnyMiddleware'.
stack('sessions')

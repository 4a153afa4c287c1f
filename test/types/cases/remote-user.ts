/** `remoteUser()` stands behind `users()`, and leaves what a stack carries as it is. */
import Router from '@koa/router'
import {
  type ContextOf,
  detachedUsers,
  profiles,
  requireProfile,
  type StateOf,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { remoteUser, remoteUsers } from '../../../lib/sharing.ts'

const identity = stack(
  sessions(),
  users({ backends: [remoteUsers({ permissions: name => [name] })] }),
  remoteUser({ trust: ['10.0.0.0/8', 'unix'] }),
  profiles({ employer: { find: async () => ({ company: 'Acme' }) } }),
)
const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()

router.get('/', requireProfile('employer'), async ctx => {
  const company: string = ctx.state.user.profile.company
  await ctx.logout()
  ctx.session.seen = company
  // error: TS2322: Type 'string' is not assignable to type 'number'.
  const wrong: number = ctx.state.user.profile.company
  ctx.body = wrong
})

// error: TS2345: Argument of type 'Layer<"users", never, unknown, unknown>' is not assignable to parameter of type 'LayerOutOfOrder<"put users() before this layer">'.
//   Types of property '[traits]' are incompatible.
//     Type '{ needs: "users"; gives: never; state: unknown; context: unknown; } | undefined' is not assignable to type '"put users() before this layer"'.
//       Type 'undefined' is not assignable to type '"put users() before this layer"'.
stack(sessions(), remoteUser({ trust: ['::1'] }), users({ backends: [remoteUsers()] }))

// error: TS2741: Property 'trust' is missing in type '{ header: string; }' but required in type 'RemoteUserOptions'.
remoteUser({ header: 'X-User' })
// error: TS2322: Type 'string' is not assignable to type 'readonly string[]'.
remoteUser({ trust: '127.0.0.1' })
// error: TS2353: Object literal may only specify known properties, and 'identify' does not exist in type 'RemoteUsersOptions'.
remoteUsers({ identify: async () => null })

detachedUsers({
  name: 'ldap',
  authenticate: async () => null,
  identify: async id => ({ id }),
})

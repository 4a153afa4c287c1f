import type { Middleware, Next, ParameterizedContext } from 'koa'
import { LayerMissing, OptionInvalid, ProfileRequired } from '../errors.ts'
import { type GuardOptions, loginGuard } from '../users/guards.ts'
import { requestUserOf } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import { type FlagOf, flagOf, kindProblem } from './profile.ts'

/** `ctx.state` behind `requireProfile(kind)`: together with the router's own state it leaves the users of that kind. */
export interface HasProfile<Kind extends string> {
  readonly user: AuthenticatedUser & { readonly [Flag in FlagOf<Kind>]: true } & { readonly profile: unknown }
}

/**
 * Lets users with a profile of this kind pass; anonymous ones are sent to log in, or get 401; all others get 403. Behind it
 * `ctx.state.user.profile` has the kind's type.
 * @throws OptionInvalid at the first request where `profiles()` has no such kind
 */
export function requireProfile<const Kind extends string>(
  kind: Kind,
  options: GuardOptions = {},
): Middleware<HasProfile<Kind>> {
  const where = 'requireProfile()'
  const problem = kindProblem(kind)
  if (problem) throw new OptionInvalid(where, 'kind', problem)
  const admit = loginGuard(where, options)
  const flag = flagOf(kind)
  return async function requireProfileGuard(ctx: ParameterizedContext, next: Next) {
    assertKind(requestUserOf(ctx, where).user)
    if (!admit(ctx)) return
    if (ctx.state.user[flag] !== true) throw new ProfileRequired(kind)
    await next()
  }

  /** Before it matters who is asking, so that the first visitor of the page brings a mistake to light. */
  function assertKind(user: object): void {
    if (!('profile' in user)) throw new LayerMissing(where, 'ctx.state.user.profile', 'profiles(…)')
    if (flag in user) return
    const known = Object.keys(user).filter(name => name !== 'profile')
    throw new OptionInvalid(
      where,
      'kind',
      `'${kind}' is no kind of profiles(). The flags there are: ${known.join(', ')}.`,
    )
  }
}

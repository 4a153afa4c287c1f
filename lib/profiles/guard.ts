import type { Middleware, Next, ParameterizedContext } from 'koa'
import { LayerMissing, OptionInvalid, ProfileRequired } from '../errors.ts'
import { type GuardOptions, loginGuard } from '../users/guards.ts'
import { requestUserOf } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import { type FlagOf, flagOf, kindProblem } from './profile.ts'
import { profileFailureOf } from './unavailable.ts'

/** `ctx.state` behind `requireProfile(kind)`: together with the router's own state it leaves the users of that kind, or of those kinds. */
export interface HasProfile<Kind extends string> {
  readonly user: {
    [One in Kind]: AuthenticatedUser & { readonly [Flag in FlagOf<One>]: true } & { readonly profile: unknown }
  }[Kind]
}

/**
 * Lets users with a profile of this kind pass, or of one of these kinds; anonymous ones are sent to log in, or get 401; all others get 403.
 * Behind it `ctx.state.user.profile` has the type of the kind, or of one of the kinds. Where it could not be found out whether there is a profile,
 * the answer is 503 and never 403.
 * @throws OptionInvalid at the first request where `profiles()` has no such kind
 */
export function requireProfile<const Kind extends string>(
  kind: Kind | readonly Kind[],
  options: GuardOptions = {},
): Middleware<HasProfile<Kind>> {
  const where = 'requireProfile()'
  const kinds: readonly string[] = Array.isArray(kind) ? kind : [kind]
  for (const one of kinds.length > 0 ? kinds : ['']) {
    const problem = kindProblem(one)
    if (problem) throw new OptionInvalid(where, 'kind', problem)
  }
  const flags = kinds.map(flagOf)
  const admit = loginGuard(where, options)
  return async function requireProfileGuard(ctx: ParameterizedContext, next: Next) {
    const { user } = requestUserOf(ctx, where)
    assertKinds(user)
    if (!admit(ctx)) return
    const failure = profileFailureOf(user)
    if (failure) throw failure
    if (!flags.some(flag => ctx.state.user[flag] === true)) throw new ProfileRequired(kinds.join(' or '))
    await next()
  }

  /** Before it matters who is asking, so that the first visitor of the page brings a mistake to light. */
  function assertKinds(user: object): void {
    if (!('profile' in user)) throw new LayerMissing(where, 'ctx.state.user.profile', 'profiles(…)')
    const unknown = kinds.find((_, index) => !(flags[index]! in user))
    if (unknown === undefined) return
    const known = Object.keys(user).filter(name => name !== 'profile')
    throw new OptionInvalid(
      where,
      'kind',
      `'${unknown}' is no kind of profiles(). The flags there are: ${known.join(', ')}.`,
    )
  }
}

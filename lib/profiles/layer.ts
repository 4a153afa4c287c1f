import type { Next, ParameterizedContext } from 'koa'
import { coalesce } from '../coalesce.ts'
import { Deadline } from '../deadline.ts'
import { OptionInvalid } from '../errors.ts'
import {
  checkDuration,
  checkMethods,
  checkOneOf,
  checkOptionalFunction,
  isPlainObject,
  knownOptions,
} from '../options.ts'
import type { Layer } from '../stack.ts'
import { backendFailure } from '../users/backend.ts'
import { type AnyUser, requestUserOf } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import { withFields } from './enriched-user.ts'
import {
  type AnySources,
  flagOf,
  kindProblem,
  type ProfileSource,
  type ProfileState,
  type ProfilesOf,
  type Sources,
} from './profile.ts'
import { profileFailureOf, withoutProfile } from './unavailable.ts'

/** Options of `profiles()`. */
export interface ProfilesOptions {
  /**
   * How long one call of a source may take, in milliseconds: then it is no longer waited for. Behind a source that is frozen no queue grows: once
   * 64 calls are late, only one each deadline, or each second where that is shorter, is let through, to see whether it is back. @default 5,000
   */
  deadline?: number | undefined
  /**
   * What becomes of a request whose user's profile cannot be looked up: 503, or it goes on without: `profile` is null, every flag is false, and
   * `ctx.profileUnavailable` says so. No later kind is asked then, and `requireProfile()` is still 503. @default 'fail'
   */
  onUnavailable?: 'fail' | 'without' | undefined
}

/** What `profiles()` adds to `ctx`. */
export interface ProfileContext {
  /**
   * Looks the profile of this request's user up again. A request keeps the one that it began with, whatever changes meanwhile, until it logs
   * somebody in or out, or asks for this.
   * @throws BackendUnavailable (503), and the profile stays as it was; with `onUnavailable: 'without'` the request goes on without one instead
   */
  reloadProfile(): Promise<void>
  /** Whether a source could not say, so that a profile of null does not mean that there is none. Only with `onUnavailable: 'without'`. */
  readonly profileUnavailable: boolean
}

/** One kind, and how its profiles are found. */
interface Finder {
  readonly kind: string
  readonly flag: string
  find(user: AuthenticatedUser): Promise<unknown>
}

/**
 * A typed profile on every user: `ctx.state.user.profile`, with one flag per kind (`isEmployer` for `employer`). Kinds are looked up in their
 * declared order, and the first that has a profile wins; nobody has two. Anonymous users have none, and nothing is asked for them. Sources with
 * `findMany` get the users of all requests that ask at once by one call. A source that fails, or does not answer in time, is answered with 503.
 * @throws OptionInvalid at construction, naming the kind or the option that is wrong
 */
export function profiles<S extends AnySources>(
  sources: S & Sources<S>,
  options: ProfilesOptions = {},
): Layer<'users', 'profiles', ProfileState<ProfilesOf<S>>, ProfileContext> {
  const where = 'profiles()'
  knownOptions(where, options, ['deadline', 'onUnavailable'])
  const { deadline = 5_000, onUnavailable = 'fail' } = options
  checkDuration(where, 'deadline', deadline)
  checkOneOf(where, 'onUnavailable', onUnavailable, ['fail', 'without'])
  const finders = Object.entries(checkSources(sources)).map(
    ([kind, source]): Finder => ({ kind, flag: flagOf(kind), find: finderOf(source, new Deadline(deadline)) }),
  )
  const without = Object.fromEntries([['profile', null], ...finders.map(({ flag }) => [flag, false])])

  const enrich = async (user: AnyUser): Promise<AnyUser> => {
    if (!user.isAuthenticated) return withFields(user, without)
    for (const { kind, flag, find } of finders) {
      let profile: unknown
      try {
        profile = await find(user)
      } catch (error) {
        const failure = backendFailure(`profiles.${kind}`, error)
        if (onUnavailable === 'fail') throw failure
        return withoutProfile(withFields(user, without), failure)
      }
      if (profile !== null && profile !== undefined) return withFields(user, { ...without, profile, [flag]: true })
    }
    return withFields(user, without)
  }

  return async function profilesLayer(ctx: ParameterizedContext, next: Next): Promise<void> {
    await requestUserOf(ctx, where).enrichWith(enrich)
    Object.defineProperties(ctx, {
      reloadProfile: { value: () => requestUserOf(ctx, where).enrichAgain(), configurable: true },
      profileUnavailable: {
        // Read through ctx.state, so that the response varies by the cookie.
        get: () => profileFailureOf(ctx.state.user) !== undefined,
        configurable: true,
      },
    })
    await next()
  } as Layer<'users', 'profiles', ProfileState<ProfilesOf<S>>, ProfileContext>
}

function checkSources(sources: unknown): AnySources {
  if (!isPlainObject(sources) || Object.keys(sources).length === 0) {
    throw new OptionInvalid(
      'profiles()',
      'sources',
      'must be an object of at least one kind, as { employer: sqlProfiles(…) }.',
    )
  }
  for (const [kind, source] of Object.entries(sources)) {
    const problem = kindProblem(kind)
    if (problem) throw new OptionInvalid('profiles()', kind, problem)
    checkMethods('profiles()', kind, source, ['find'])
    checkOptionalFunction('profiles()', `${kind}.findMany`, (source as { findMany?: unknown }).findMany)
  }
  return sources as AnySources
}

function finderOf<Profile>(source: ProfileSource<Profile>, deadline: Deadline): Finder['find'] {
  if (!source.findMany) return user => deadline.run('find', () => source.find(user))
  return coalesce(
    users => deadline.run('findMany', () => source.findMany!(users)),
    user => user.key,
  )
}

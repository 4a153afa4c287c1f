import type { Next, ParameterizedContext } from 'koa'
import { coalesce } from '../coalesce.ts'
import { OptionInvalid } from '../errors.ts'
import { checkMethods, checkOptionalFunction, isPlainObject } from '../options.ts'
import type { Layer } from '../stack.ts'
import { backendFailure } from '../users/backend.ts'
import { type AnyUser, requestUserOf } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import {
  type AnySources,
  flagOf,
  kindProblem,
  type ProfileSource,
  type ProfileState,
  type ProfilesOf,
  type Sources,
} from './profile.ts'

/**
 * A typed profile on every user: `ctx.state.user.profile`, with one flag per kind (`isEmployer` for `employer`). Kinds are looked up in their
 * declared order, and the first that has a profile wins; nobody has two. Anonymous users have none, and nothing is asked for them. A source
 * that fails is answered with 503.
 * @throws OptionInvalid at construction, naming the kind that is wrong
 */
export function profiles<S extends AnySources>(
  sources: S & Sources<S>,
): Layer<'users', 'profiles', ProfileState<ProfilesOf<S>>, unknown> {
  const finders = Object.entries(checkSources(sources)).map(([kind, source]) => ({
    kind,
    flag: flagOf(kind),
    find: finderOf(source),
  }))
  const without = Object.fromEntries([['profile', null], ...finders.map(({ flag }) => [flag, false])])

  const enrich = async (user: AnyUser): Promise<AnyUser> => {
    if (!user.isAuthenticated) return withFields(user, without)
    for (const { kind, flag, find } of finders) {
      const profile = await find(user).catch(error => {
        throw backendFailure(`profiles.${kind}`, error)
      })
      if (profile !== null && profile !== undefined) return withFields(user, { ...without, profile, [flag]: true })
    }
    return withFields(user, without)
  }

  return async function profilesLayer(ctx: ParameterizedContext, next: Next): Promise<void> {
    await requestUserOf(ctx, 'profiles()').enrichWith(enrich)
    await next()
  } as Layer<'users', 'profiles', ProfileState<ProfilesOf<S>>, unknown>
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

function finderOf<Profile>(source: ProfileSource<Profile>): (user: AuthenticatedUser) => Promise<Profile | null> {
  if (source.findMany) {
    return coalesce(
      users => source.findMany!(users),
      user => user.key,
    )
  }
  return async user => source.find(user)
}

/** A backend may hand out one object to many requests: the user is not altered, what is added stands before it. */
function withFields(user: AnyUser, fields: object): AnyUser {
  return new Proxy({ ...fields }, new Behind(user)) as AnyUser
}

/** Answers by the fields, and by the user behind them, whose methods run on the user itself: it may have private fields. */
class Behind implements ProxyHandler<object> {
  readonly #user: AnyUser

  constructor(user: AnyUser) {
    this.#user = user
  }

  get(fields: object, name: string | symbol): unknown {
    if (Object.hasOwn(fields, name)) return Reflect.get(fields, name)
    const value: unknown = Reflect.get(this.#user, name)
    return typeof value === 'function' ? value.bind(this.#user) : value
  }

  has(fields: object, name: string | symbol): boolean {
    return name in fields || name in this.#user
  }

  getPrototypeOf(): object | null {
    return Object.getPrototypeOf(this.#user)
  }
}

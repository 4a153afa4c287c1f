import type { AnonymousUser, AuthenticatedUser } from '../users/user.ts'

/**
 * A place that knows profiles of one kind: a table, a service, or a rule by which a profile follows from the user. It rejects where it cannot
 * say; that there is none is null, never an error.
 */
export interface ProfileSource<Profile> {
  /** The user's profile, or null. Goes by `user.key`, so that detached users have profiles too. */
  find(user: AuthenticatedUser): Promise<Profile | null>
  /**
   * The profiles of these users, each once, in their order: the look-ups of all requests that ask at once become one call, of 500 users at most,
   * and requests of one user share what it answers.
   */
  findMany?(users: AuthenticatedUser[]): Promise<(Profile | null)[]>
}

/** Flags of the user itself, which a kind must not take. */
export type ReservedKind = 'staff' | 'active' | 'anonymous' | 'authenticated' | 'superuser'

// biome-ignore lint/suspicious/noExplicitAny: a source of any profile
export type AnySources = Record<string, ProfileSource<any>>

/** The kinds of profile, each with its source; a kind that would take a flag of the user is refused. */
export type Sources<S extends AnySources> = { [Kind in keyof S]: Kind extends ReservedKind ? never : S[Kind] }

/** The profile type of each kind. */
export type ProfilesOf<S extends AnySources> = {
  [Kind in keyof S & string]: S[Kind] extends ProfileSource<infer Profile> ? Profile : never
}

/** `isEmployer` for the kind `employer`. */
export type FlagOf<Kind extends string> = `is${Capitalize<Kind>}`

type Flags<Kinds extends string, True extends string> = {
  readonly [Kind in Kinds as FlagOf<Kind>]: Kind extends True ? true : false
}
type Without<Kinds extends string> = Flags<Kinds, never> & { readonly profile: null }

/**
 * A user with the profile of at most one kind, told apart by the flags: behind `if (user.isEmployer)`, `user.profile` is an employer's.
 */
export type ProfiledUser<Profiles extends Record<string, unknown>> =
  | (AnonymousUser & Without<keyof Profiles & string>)
  | (AuthenticatedUser & Without<keyof Profiles & string>)
  | {
      [Kind in keyof Profiles & string]: AuthenticatedUser &
        Flags<keyof Profiles & string, Kind> & { readonly profile: Profiles[Kind] }
    }[keyof Profiles & string]

/** What `profiles()` makes of `ctx.state`. */
export interface ProfileState<Profiles extends Record<string, unknown>> {
  readonly user: ProfiledUser<Profiles>
}

const KIND = /^[a-z][A-Za-z0-9]{0,63}$/
const RESERVED: readonly string[] = [
  'staff',
  'active',
  'anonymous',
  'authenticated',
  'superuser',
] satisfies ReservedKind[]

/** What is wrong with the name of a kind, or null. */
export function kindProblem(kind: unknown): string | null {
  if (typeof kind !== 'string' || !KIND.test(kind))
    return 'must be named by a lower-case letter and letters or digits, 64 at most.'
  return RESERVED.includes(kind) ? `cannot be a kind: users have a flag ${flagOf(kind)} of their own.` : null
}

/** The name of a kind's flag at run time. */
export function flagOf(kind: string): string {
  return `is${kind[0]!.toUpperCase()}${kind.slice(1)}`
}

import type { Next, ParameterizedContext } from 'koa'
import { describe } from '../described.ts'
import { OptionInvalid } from '../errors.ts'
import { checkOptionalFunction, isPlainObject, knownOptions } from '../options.ts'
import type { AnyLayer, AnyMiddleware, GivesOf, Layer, NeedsOf, Trait } from '../stack.ts'
import { checkRealmCookies } from './realm-cookies.ts'

/** A part of a site that has its own sessions and users. */
export interface Realm {
  /** Whether a request is this realm's: true or false, at once. @default every request, which the last realm alone may say */
  match?: ((ctx: ParameterizedContext) => boolean) | undefined
  /** What its requests go through: what `stack()` makes, a layer, or any Koa middleware. */
  stack: AnyLayer | AnyMiddleware
}

/** The realms of a site by their names, in the order in which they are asked. */
export type RealmsByName = Readonly<Record<string, Realm>>

type Each<R extends RealmsByName, F extends Record<keyof R, unknown>> = F[keyof R]
type UnionOf<T> = [T] extends [never] ? unknown : T
type StateIn<R extends RealmsByName> = Each<R, { [Name in keyof R]: UnionOf<Trait<R[Name]['stack'], 'state'>> }>
type ContextIn<R extends RealmsByName> = Each<
  R,
  { [Name in keyof R]: UnionOf<Trait<R[Name]['stack'], 'context'>> & { readonly realm: Name } }
>
type NeededIn<R extends RealmsByName> = Each<R, { [Name in keyof R]: NeedsOf<R[Name]['stack']> }>
/** The names that every realm gives. */
type GivenInAll<R extends RealmsByName> =
  Each<R, { [Name in keyof R]: (names: GivesOf<R[Name]['stack']>) => void }> extends (names: infer Names) => void
    ? Names & string
    : never
/** The realms that take every request: none, where each asks. */
type Unconditional<R extends RealmsByName> = {
  [Name in keyof R]: R[Name] extends { match: (ctx: ParameterizedContext) => boolean } ? never : Name
}[keyof R]

/**
 * What `realms()` makes of the realms `R`: a layer that gives what all of them give, and whose state and context are one of theirs. Where each has
 * a `match`, a request may be none's, and nothing is given.
 */
export type Realms<R extends RealmsByName> = [Unconditional<R>] extends [never]
  ? Layer<NeededIn<R>, never, unknown, { readonly realm: keyof R | null }>
  : Layer<NeededIn<R>, GivenInAll<R>, StateIn<R>, ContextIn<R>>

interface SettledRealm {
  readonly name: string
  readonly match: ((ctx: ParameterizedContext) => unknown) | undefined
  readonly stack: AnyMiddleware
}

const WHERE = 'realms()'
const NAME = /^[a-z][\w-]{0,63}$/i

/**
 * Has each request go through the stack of one realm: the first that matches, in their declared order. So `/admin` can have users, sessions and a
 * cookie of its own beside a site whose users are another application's, and logging in or out in one leaves the other alone. `ctx.realm` is the
 * realm's name. Where none matches, the request goes on without any, `ctx.realm` is null, and what needs a session or a user says LayerMissing.
 *
 * - Routes that stand in a realm's stack, `stack(sessions(…), users(…), router.routes())`, are reached in that realm alone: put them there. What
 *   stands behind `realms()` is reached in every realm, and has to ask `ctx.realm` whose user it has.
 * - Put guards on the routes themselves. What `router.use()` adds to a router with a prefix minds the case of the path (@koa/router 15), and the
 *   routes do not: such a guard is not asked about `/ADMIN`.
 * - The realms' cookies must have different names: a browser sends two cookies of one name to the paths and hosts that both are for, and then
 *   neither counts. What stands in `stack()` is looked at, at any depth; sessions within a mounted application cannot be seen.
 * - Realms may share a layer of sessions, or the whole stack. Then they have one login, and should have the same `users()`.
 * - Users are told apart by backend and id, so name the backends of different people differently, as `sqlUsers(db, { name: 'staff' })`: with one
 *   name the first users of two databases are both `sql:1`, and have profiles, feed tokens and epochs in common where these are kept in one place.
 *
 * Within koa-mount it sees the path as what is mounted there does, without the mount's prefix.
 * @throws OptionInvalid at construction, naming what is wrong: two realms would set one cookie, or one without `match` is not the last; at a request
 *   where `match` answers neither true nor false, as a promise is neither
 */
export function realms<R extends RealmsByName>(given: R): Realms<R> {
  const settled = settleRealms(given)
  checkRealmCookies(WHERE, settled)

  const layer = async function realmsLayer(ctx: ParameterizedContext, next: Next): Promise<void> {
    const realm = settled.find(one => isOf(one, ctx))
    const outer = ctx.realm
    ctx.realm = realm?.name ?? null
    try {
      await (realm ? realm.stack(ctx, next) : next())
    } finally {
      if (outer !== undefined) ctx.realm = outer
    }
  } as unknown as Realms<R>
  return describe(layer, { by: WHERE, parts: settled.map(({ stack }) => stack) })
}

function settleRealms(given: RealmsByName): SettledRealm[] {
  if (!isPlainObject(given) || Object.keys(given).length === 0)
    throw new OptionInvalid(WHERE, 'realms', 'must be an object of at least one realm by its name.')
  const entries = Object.entries(given)
  return entries.map(([name, realm], index) => {
    // JavaScript would have numbers first, whatever order they were written in.
    if (!NAME.test(name))
      throw new OptionInvalid(
        WHERE,
        name,
        "is no name of a realm: it must start with a letter and hold letters, digits, '-' and '_', 64 at most.",
      )
    knownOptions(`${WHERE} ${name}`, realm, ['match', 'stack'])
    const { match, stack } = realm
    checkOptionalFunction(WHERE, `${name}.match`, match)
    if (typeof stack !== 'function')
      throw new OptionInvalid(WHERE, `${name}.stack`, 'must be a stack(), a layer or a Koa middleware.')
    const after = entries[index + 1]
    if (match === undefined && after)
      throw new OptionInvalid(
        WHERE,
        `${name}.match`,
        `is left out, so every request is this realm's, and '${after[0]}' behind it gets none. Put '${name}' last, or give it a match.`,
      )
    return { name, match, stack: stack as AnyMiddleware }
  })
}

function isOf({ name, match }: SettledRealm, ctx: ParameterizedContext): boolean {
  if (match === undefined) return true
  const answer = match(ctx)
  if (typeof answer !== 'boolean')
    throw new OptionInvalid(WHERE, `${name}.match`, 'must answer true or false, at once and not with a promise.')
  return answer
}

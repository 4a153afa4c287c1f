import type { DefaultContext, DefaultState, Middleware, Next, ParameterizedContext } from 'koa'
import compose from 'koa-compose'
import { describe } from './described.ts'
import { OptionInvalid } from './errors.ts'

declare const traits: unique symbol

/**
 * A Koa middleware that knows which layers it needs before it (`Needs`), which it is (`Gives`), and what it adds to `ctx.state` (`State`) and
 * to `ctx` (`Context`).
 */
export interface Layer<Needs extends string, Gives extends string, State, Context> {
  (ctx: ParameterizedContext<State, Context>, next: Next): Promise<void>
  /** For the type checker alone: there is no such property at run time. */
  readonly [traits]?: { needs: Needs; gives: Gives; state: State; context: Context }
}

/** A layer of any kind. */
// biome-ignore lint/suspicious/noExplicitAny: it can only be said so
export type AnyLayer = Layer<any, any, any, any>
/** Any Koa middleware. */
// biome-ignore lint/suspicious/noExplicitAny: likewise
export type AnyMiddleware = Middleware<any, any>

type TraitsOf<L> = L extends { readonly [traits]?: infer T } ? NonNullable<T> : never
/** One of the things that a layer's type carries; never where it is no layer. */
export type Trait<L, Name extends string> = [TraitsOf<L>] extends [never]
  ? never
  : TraitsOf<L> extends Record<Name, infer T>
    ? T
    : never
/** The names of the layers that a layer needs before it. */
export type NeedsOf<L> = Trait<L, 'needs'> & string
/** The names of the layers that a layer is, or is made of. */
export type GivesOf<L> = Trait<L, 'gives'> & string

/** Stands in the compiler's message on a layer that is out of order, and says what to do. */
export interface LayerOutOfOrder<Problem extends string> {
  readonly [traits]: Problem
}

type Checked<L, Given extends string> = [Exclude<NeedsOf<L>, Given>] extends [never]
  ? L
  : LayerOutOfOrder<`put ${Exclude<NeedsOf<L>, Given>}() before this layer`>

/** The layers themselves where each stands behind what it needs; else with a `LayerOutOfOrder` in the place of the one that does not. */
export type InOrder<L, Given extends string = never> = L extends [infer First, ...infer Rest]
  ? [Checked<First, Given>, ...(InOrder<Rest, Given | GivesOf<First>> extends infer R extends unknown[] ? R : never)]
  : L

type Overlay<Below, Above> = [keyof Above] extends [never] ? Below : Omit<Below, keyof Above> & Above
type StateFrom<L, Below = unknown> = L extends [infer First, ...infer Rest]
  ? StateFrom<Rest, [TraitsOf<First>] extends [never] ? Below : Overlay<Below, Trait<First, 'state'>>>
  : Below
type ContextFrom<L, Below = unknown> = L extends [infer First, ...infer Rest]
  ? ContextFrom<Rest, [TraitsOf<First>] extends [never] ? Below : Below & Trait<First, 'context'>>
  : Below

/** What `stack()` makes of the layers `L`: one middleware that gives all they give. */
export type Stack<L> = Layer<never, L extends unknown[] ? GivesOf<L[number]> : never, StateFrom<L>, ContextFrom<L>>

/** The type of `ctx.state` behind a layer or a stack, for `new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()`. */
export type StateOf<L> = Trait<L, 'state'> & DefaultState
/** The type that a layer or a stack adds to `ctx`. */
export type ContextOf<L> = Trait<L, 'context'> & DefaultContext

/**
 * Composes layers, and any Koa middleware between them, into one middleware whose type carries what they add. A layer that stands before one it
 * needs is a compile error on that argument, and at run time a `LayerMissing` error at the first request.
 * @throws OptionInvalid when an argument is not a function
 */
export function stack<L extends (AnyLayer | AnyMiddleware)[]>(
  ...layers: L extends InOrder<L> ? L : InOrder<L>
): Stack<L> {
  const chain = layers as AnyMiddleware[]
  chain.forEach((layer, index) => {
    if (typeof layer !== 'function')
      throw new OptionInvalid('stack()', `layers[${index}]`, 'must be a layer or a Koa middleware.')
  })
  return describe(compose(chain) as unknown as Stack<L>, { by: 'stack()', parts: chain })
}

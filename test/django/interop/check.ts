import type { Pair } from './pair.ts'
import type { Trait } from './ways.ts'

/** What holds between a live Django and an application beside it: it resolves, or rejects with what was wrong. */
export interface InteropCheck {
  (pair: Pair): Promise<void>
  /** What a way to keep sessions has to give for it. null: nothing. */
  readonly needs: Trait | null
}

/** Checks by what they say, as whole sentences. */
export type InteropChecks = Readonly<Record<string, InteropCheck>>

/** Makes checks of functions that try a pair. */
export function checksOf(needs: Trait | null, tries: Record<string, (pair: Pair) => Promise<void>>): InteropChecks {
  return Object.fromEntries(
    Object.entries(tries).map(([title, run]) => [title, Object.assign((pair: Pair) => run(pair), { needs })]),
  )
}

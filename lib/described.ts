/** Where it stands what something was made with. Several copies of this library in one process know one another's. */
const DESCRIBED = Symbol.for('koa-strata:described')

/** What something was made with. */
export interface Description {
  /** Which function made it: `sessions()`, `stack()`, `memoryStore()`. */
  readonly by: string
  /** What it was made of, where others may be looked for in it. */
  readonly parts?: readonly unknown[]
}

/** Has something tell what it was made with, to `koa-strata doctor` and to nobody who does not ask by this very name. Answers it. */
export function describe<Thing extends object, Known extends Description>(thing: Thing, description: Known): Thing {
  return Object.defineProperty(thing, DESCRIBED, { value: description })
}

/** What something was made with, where that was `by` this function of the library; else null. */
export function descriptionOf<Known extends Description>(by: Known['by'], thing: unknown): Known | null {
  const found = descriptionIn(thing)
  return found?.by === by ? (found as Known) : null
}

/** What a thing is made of in the end, in its order, however deep: itself where it says nothing of parts. */
export function partsWithin(thing: unknown): unknown[] {
  const parts = descriptionIn(thing)?.parts
  return parts ? parts.flatMap(partsWithin) : [thing]
}

/** What was made `by` this function of the library: the thing itself, or else what it is made of, however deep. */
export function descriptionsWithin<Known extends Description>(by: Known['by'], thing: unknown): Known[] {
  return partsWithin(thing).flatMap(part => descriptionOf<Known>(by, part) ?? [])
}

function descriptionIn(thing: unknown): Description | undefined {
  const isThing = (typeof thing === 'object' && thing !== null) || typeof thing === 'function'
  return isThing ? (thing as { [DESCRIBED]?: Description })[DESCRIBED] : undefined
}

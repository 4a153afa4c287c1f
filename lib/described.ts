/** Where it stands what something was made with. Several copies of this library in one process know one another's. */
const DESCRIBED = Symbol.for('koa-strata:described')

/** What something was made with. */
export interface Description {
  /** Which function made it: `sessions()`, `stack()`, `memoryStore()`. */
  readonly by: string
}

/** Has something tell what it was made with, to `koa-strata doctor` and to nobody who does not ask by this very name. Answers it. */
export function describe<Thing extends object, Known extends Description>(thing: Thing, description: Known): Thing {
  return Object.defineProperty(thing, DESCRIBED, { value: description })
}

/** What something was made with, where that was `by` this function of the library; else null. */
export function descriptionOf<Known extends Description>(by: Known['by'], thing: unknown): Known | null {
  const isThing = (typeof thing === 'object' && thing !== null) || typeof thing === 'function'
  const found = isThing ? (thing as { [DESCRIBED]?: Known })[DESCRIBED] : undefined
  return found?.by === by ? found : null
}

/** How many failures there may be at once: each weighs so many milliseconds, which is how long it takes to be forgotten, and they go one by one. */
export interface FailureLimit {
  readonly weight: number
  /** What all that there may be weigh together. */
  readonly most: number
}

/**
 * Counts failures, each kind under keys of its own: a leaky bucket for each key, whose only content is the moment at which it will be empty.
 * A call concerns one key and happens in one step, whoever else calls.
 */
export interface FailureCounters {
  /** Adds a failure, unless it would be one too many: 0, or in how many milliseconds there will be room for it. */
  add(key: string, limit: FailureLimit): Promise<number>
  /** Takes a failure back that was added. */
  takeBack(key: string, limit: FailureLimit): Promise<void>
  /** Forgets all failures. */
  clear(key: string): Promise<void>
  /** Sets a mark for so many milliseconds. */
  mark(key: string, lasts: number): Promise<void>
  /** For how many milliseconds more there is a mark; 0 where there is none. */
  marked(key: string): Promise<number>
}

import { Recent } from '../../recent.ts'
import type { FailureCounters, FailureLimit } from './counters.ts'

/** How many keys are kept of each kind, failures and marks: some 10 MB of them. */
const MOST_KEPT = 100_000

/**
 * Counters in the memory of this process. They are bounded: beyond 100,000 keys the one is forgotten that was asked about longest ago, which
 * never is one that somebody is at.
 */
export class MemoryCounters implements FailureCounters {
  readonly #now: () => number
  readonly #failures: Recent<number>
  readonly #marks: Recent<number>

  constructor(now: () => number, most = MOST_KEPT) {
    this.#now = now
    this.#failures = new Recent(most)
    this.#marks = new Recent(most)
  }

  async add(key: string, { weight, most }: FailureLimit): Promise<number> {
    const now = this.#now()
    const before = Math.max(this.#failures.get(key) ?? now, now)
    const over = before + weight - (now + most)
    this.#failures.set(key, over > 0 ? before : before + weight)
    return Math.max(over, 0)
  }

  async takeBack(key: string, { weight }: FailureLimit): Promise<void> {
    const left = (this.#failures.get(key) ?? 0) - weight
    if (left > this.#now()) this.#failures.set(key, left)
    else this.#failures.delete(key)
  }

  async clear(key: string): Promise<void> {
    this.#failures.delete(key)
  }

  async mark(key: string, lasts: number): Promise<void> {
    this.#marks.set(key, this.#now() + lasts)
  }

  async marked(key: string): Promise<number> {
    return Math.max((this.#marks.get(key) ?? 0) - this.#now(), 0)
  }
}

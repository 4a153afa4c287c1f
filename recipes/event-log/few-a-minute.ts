const MINUTE = 60_000

/**
 * Lets the first `most` of each minute through and counts the others: a log in which somebody guesses passwords stays readable, and says how
 * many guesses there were.
 */
export class FewAMinute {
  readonly #most: number
  readonly #now: () => number
  #minute = 0
  #seen = 0

  constructor(most: number, now: () => number) {
    this.#most = most
    this.#now = now
  }

  /** Whether this one is let through. @param told is told of those that were not, when their minute is over */
  admits(told: (left: number) => void): boolean {
    const minute = Math.floor(this.#now() / MINUTE)
    if (minute !== this.#minute) {
      this.end(told)
      this.#minute = minute
    }
    this.#seen++
    return this.#seen <= this.#most
  }

  /** Tells of those that were not let through so far. */
  end(told: (left: number) => void): void {
    const left = this.#seen - this.#most
    this.#seen = 0
    if (left > 0) told(left)
  }
}

import { LONGEST_TIMER } from './options.ts'

/** How many calls may hang behind a server that does not answer before further ones fail at once. */
const MOST_LATE = 64
/** How long it takes at most, in milliseconds, until it is tried whether such a server is back. */
const LONGEST_PAUSE = 1_000

/**
 * Has calls to one server answer within a deadline. Behind a frozen one no queue grows: once 64 calls hang, only one call each deadline, or each
 * second where that is shorter, is let through, to see whether the server is back.
 */
export class Deadline {
  readonly #milliseconds: number
  readonly #pause: number
  #late = 0
  #lastProbe = 0
  /** Calls that a server lost when it froze never settle: those of an earlier era do not count any more. */
  #era = 0

  constructor(milliseconds: number) {
    this.#milliseconds = Math.min(milliseconds, LONGEST_TIMER)
    this.#pause = Math.min(milliseconds, LONGEST_PAUSE)
  }

  /**
   * What the call answers, if it does so in time.
   * @param operation what it is, for the message
   * @throws Error where it is late, or was not tried since so many others are
   */
  async run<Answer>(operation: string, call: () => Promise<Answer>): Promise<Answer> {
    const probing = this.#late >= MOST_LATE
    if (probing) {
      const now = performance.now()
      if (now - this.#lastProbe < this.#pause)
        throw new Error(`too many calls hang already; ${operation} was not tried`)
      this.#lastProbe = now
    }
    let timer: NodeJS.Timeout | undefined
    const begun = this.#era
    let missed = false
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        missed = true
        if (begun === this.#era) this.#late++
        reject(new Error(`no answer to ${operation} within ${this.#milliseconds} ms`))
      }, this.#milliseconds)
    })
    const answer = Promise.resolve().then(call)
    const settled = () => {
      if (missed && begun === this.#era) this.#late--
    }
    answer.then(() => {
      settled()
      // An error in time does not tell that it is back: a pool says at once that the server it has no connection to is frozen.
      if (!missed && probing && begun === this.#era) {
        this.#era++
        this.#late = 0
      }
    }, settled)
    try {
      return await Promise.race([answer, timeout])
    } finally {
      clearTimeout(timer)
    }
  }
}

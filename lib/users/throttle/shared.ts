import { publish } from '../../events.ts'
import type { FailureCounters, FailureLimit } from './counters.ts'

/** For how long a store that failed is not asked, in milliseconds. Then one call tries it, and the others go on without. */
const PAUSE = 1_000

/**
 * Counters that all processes share, for as long as they answer within `deadline` milliseconds; else those of this process alone decide. These
 * are kept at all times, so that there are some when the store fails.
 */
export class SharedCounters implements FailureCounters {
  readonly #store: FailureCounters
  readonly #local: FailureCounters
  readonly #deadline: number
  #pausedUntil = 0

  constructor(store: FailureCounters, local: FailureCounters, deadline: number) {
    this.#store = store
    this.#local = local
    this.#deadline = deadline
  }

  async add(key: string, limit: FailureLimit): Promise<number> {
    const over = await this.#ask(store => store.add(key, limit))
    if (over === null) return this.#local.add(key, limit)
    if (over === 0) await this.#local.add(key, limit)
    return over
  }

  async takeBack(key: string, limit: FailureLimit): Promise<void> {
    await this.#local.takeBack(key, limit)
    await this.#ask(store => store.takeBack(key, limit))
  }

  async clear(key: string): Promise<void> {
    await this.#local.clear(key)
    await this.#ask(store => store.clear(key))
  }

  async mark(key: string, lasts: number): Promise<void> {
    await this.#local.mark(key, lasts)
    await this.#ask(store => store.mark(key, lasts))
  }

  /** A mark is only ever prolonged, so what is known here is not asked for. */
  async marked(key: string): Promise<number> {
    const here = await this.#local.marked(key)
    if (here > 0) return here
    const there = (await this.#ask(store => store.marked(key))) ?? 0
    if (there > 0) await this.#local.mark(key, there)
    return there
  }

  /** What the store answers; null where it does not. */
  async #ask<Answer>(call: (store: FailureCounters) => Promise<Answer>): Promise<Answer | null> {
    const begun = performance.now()
    if (begun < this.#pausedUntil) return null
    const probing = this.#pausedUntil > 0
    if (probing) this.#pausedUntil = begun + PAUSE + this.#deadline
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`no answer within ${this.#deadline} ms`)
      timer = setTimeout(reject, this.#deadline, error)
    })
    try {
      const answer = await Promise.race([call(this.#store), late])
      if (probing) this.#pausedUntil = 0
      return answer
    } catch (error) {
      this.#pausedUntil = performance.now() + PAUSE
      publish('koa-strata:throttle-error', { error })
      return null
    } finally {
      clearTimeout(timer)
    }
  }
}

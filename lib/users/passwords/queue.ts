import { availableParallelism } from 'node:os'
import { PasswordsBusy } from '../../errors.ts'

/** How much a queue of hashing takes. */
export interface HashingLimits {
  /** How many passwords are hashed at once. */
  concurrency: number
  /** How many wait at most. @default 1000 */
  longest?: number | undefined
  /** How long one waits at most, in milliseconds: half of what proxies wait for an answer. @default 30 seconds */
  patience?: number | undefined
  /** The clock, in milliseconds. @default performance.now */
  now?: (() => number) | undefined
}

interface Waiting {
  readonly since: number
  readonly start: () => void
  readonly refuse: (error: PasswordsBusy) => void
}

/** Has passwords hashed a few at a time, in the order in which they came. */
export class HashingQueue {
  readonly #limits: Required<HashingLimits>
  readonly #waiting: Waiting[] = []
  #running = 0

  constructor({ concurrency, longest = 1000, patience = 30_000, now = () => performance.now() }: HashingLimits) {
    this.#limits = { concurrency, longest, patience, now }
  }

  /** Does the work when its turn comes. @throws PasswordsBusy where too many wait already, or its turn comes too late; nothing was done then */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#turn()
    try {
      return await work()
    } finally {
      this.#running--
      this.#startNext()
    }
  }

  #turn(): Promise<void> | void {
    const { concurrency, longest, now } = this.#limits
    if (this.#running < concurrency) {
      this.#running++
      return
    }
    if (this.#waiting.length >= longest) throw new PasswordsBusy()
    return new Promise((start, refuse) => this.#waiting.push({ since: now(), start, refuse }))
  }

  /** Those in front have waited longest: those who are told to come again are told so as soon as somebody looks. */
  #startNext(): void {
    const { patience, now } = this.#limits
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      if (now() - next.since <= patience) {
        this.#running++
        next.start()
        return
      }
      next.refuse(new PasswordsBusy())
    }
  }
}

/** How many threads libuv has for everything: hashing, file reads, name look-ups. */
const THREADS = Number.parseInt(process.env.UV_THREADPOOL_SIZE ?? '', 10) || 4

/**
 * The one queue of this process. It leaves a processor to the event loop and two of libuv's threads to files, so that other routes are
 * answered while people log in. More at once need more of `UV_THREADPOOL_SIZE`.
 */
export const hashing = new HashingQueue({ concurrency: Math.max(1, Math.min(availableParallelism() - 1, THREADS - 2)) })

import { within } from './deadline.ts'

/** How long everything that was opened may take to close, in milliseconds. */
const LONGEST_CLOSING = 2_000

/** What a command has opened. */
export class Connections {
  readonly #closers: (() => unknown)[] = []
  #isKept = false

  /** Has something closed when the command is over. */
  add(close: () => unknown): void {
    this.#closers.push(close)
  }

  /** Says that something is open which only its owner could close. */
  keep(): void {
    this.#isKept = true
  }

  /** Closes all of it, the last one first. False where something stays open, and would keep the process. */
  async close(): Promise<boolean> {
    const all = this.#closers.splice(0).reverse()
    const closed = Promise.allSettled(all.map(async close => close()))
    return within(closed, LONGEST_CLOSING).then(
      () => !this.#isKept,
      () => false,
    )
  }
}

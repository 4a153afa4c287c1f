import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Lets a command that works in steps stop between two of them. A second signal ends the process at once. */
export class Interrupt {
  #signal: (typeof SIGNALS)[number] | null = null
  readonly #listeners = SIGNALS.map(signal => {
    const listener = () => {
      this.#signal = signal
      this.dispose()
    }
    process.on(signal, listener)
    return { signal, listener }
  })

  /** Whether somebody wants it to stop. */
  get isWanted(): boolean {
    return this.#signal !== null
  }

  /** What shells call the exit code of a process that the signal ended; 0 where none came. */
  get exitCode(): number {
    return this.#signal === null ? 0 : 128 + constants.signals[this.#signal]
  }

  /** Gives the signals back. */
  dispose(): void {
    for (const { signal, listener } of this.#listeners) process.off(signal, listener)
  }
}

/** At most so often a line is written, in milliseconds. */
const EVERY = { terminal: 100, file: 1_000 }

/** How far a long command is, on stderr: one line that is written over on a terminal, a line now and then elsewhere. */
export class Progress {
  readonly #isShown: boolean
  readonly #isTerminal = process.stderr.isTTY === true
  #last = Number.NEGATIVE_INFINITY

  /** @param isShown true: in any case; undefined: on a terminal */
  constructor(isShown: boolean | undefined) {
    this.#isShown = isShown ?? this.#isTerminal
  }

  /** Says how far it is, unless it has just been said. */
  at(text: string): void {
    const now = performance.now()
    if (!this.#isShown || now - this.#last < (this.#isTerminal ? EVERY.terminal : EVERY.file)) return
    this.#last = now
    process.stderr.write(this.#isTerminal ? `\r\x1b[K${text}` : `${text}\n`)
  }

  /** Clears the line. */
  end(): void {
    if (this.#isTerminal && this.#last > 0) process.stderr.write('\r\x1b[K')
  }
}

import type { FailureCounters, FailureLimit } from './counters.ts'

/** How long anybody waits for logins that are being looked at, in milliseconds. */
const PATIENCE = 10_000

/** What has become of a reservation: it was a failure, or it was none, or whoever failed before was the same as has now succeeded. */
export type Outcome = 'keep' | 'take back' | 'clear'

/** The reservations under one key in this process. */
interface Line {
  /** Calls that are here at all. */
  present: number
  /** Reservations of which it is not known yet what they will become, and those who were called to take their place. */
  undecided: number
  /** How many were given back. */
  returned: number
  /** Called with true: there may be room; with false: there is none. */
  readonly waiting: Set<(room: boolean) => void>
}

/**
 * Counts logins as failures before it is known whether they are any, so that of ten thousand at once no more than the limit are looked at. Who
 * finds no room while others of this process are being looked at waits for them: nobody is refused for logins that succeed.
 */
export class Reservations {
  readonly #counters: FailureCounters
  readonly #lines = new Map<string, Line>()

  constructor(counters: FailureCounters) {
    this.#counters = counters
  }

  /** Makes a reservation, to be settled later: 0, or in how many milliseconds there will be room for one. */
  async reserve(key: string, limit: FailureLimit): Promise<number> {
    const line = this.#enter(key)
    const patient = performance.now() + PATIENCE
    try {
      for (let called = false; ; ) {
        const { returned } = line
        const over = await this.#counters.add(key, limit)
        if (called) line.undecided--
        if (over === 0) {
          line.present++
          line.undecided++
          return 0
        }
        if (line.returned !== returned) {
          called = false
          continue
        }
        if (line.undecided === 0) {
          callAll(line, false)
          return over
        }
        called = await turn(line, Math.max(patient - performance.now(), 1))
        if (!called) return over
      }
    } finally {
      this.#leave(key, line)
    }
  }

  async settle(key: string, limit: FailureLimit, outcome: Outcome): Promise<void> {
    const line = this.#lines.get(key)!
    if (outcome === 'take back') await this.#counters.takeBack(key, limit)
    if (outcome === 'clear') await this.#counters.clear(key)
    line.undecided--
    if (outcome === 'keep') {
      if (line.undecided === 0) callAll(line, false)
    } else {
      line.returned++
      if (outcome === 'clear') callAll(line, true)
      else callNext(line)
    }
    this.#leave(key, line)
  }

  #enter(key: string): Line {
    let line = this.#lines.get(key)
    if (!line) {
      line = { present: 0, undecided: 0, returned: 0, waiting: new Set() }
      this.#lines.set(key, line)
    }
    line.present++
    return line
  }

  #leave(key: string, line: Line): void {
    line.present--
    if (line.present === 0) this.#lines.delete(key)
  }
}

/** Waits to be called; false where there is no room, or after so many milliseconds. */
function turn(line: Line, patience: number): Promise<boolean> {
  return new Promise(resolve => {
    const call = (room: boolean) => {
      clearTimeout(timer)
      resolve(room)
    }
    const timer = setTimeout(() => {
      line.waiting.delete(call)
      resolve(false)
    }, patience)
    line.waiting.add(call)
  })
}

function callNext(line: Line): void {
  const [next] = line.waiting
  if (!next) return
  line.waiting.delete(next)
  line.undecided++
  next(true)
}

function callAll(line: Line, room: boolean): void {
  if (room) line.undecided += line.waiting.size
  for (const call of line.waiting) call(room)
  line.waiting.clear()
}

import { type BigIntStats, lstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/** An open file with a session. Nobody writes into it again, Django neither: who changes the session puts another file in its place. */
export class SessionFile {
  readonly text: string
  readonly #handle: FileHandle
  readonly #stats: BigIntStats

  constructor(handle: FileHandle, stats: BigIntStats, text: string) {
    this.#handle = handle
    this.#stats = stats
    this.text = text
  }

  /** When it was stored, in epoch milliseconds. */
  get modified(): number {
    return Math.round(Number(this.#stats.mtimeNs) / 1e6)
  }

  /** The user whose it is. */
  get owner(): number {
    return Number(this.#stats.uid)
  }

  /** Whether it is what stands there. Answered without a wait, so that what is done next is done at once. */
  isAt(path: string): boolean {
    // As long as it is open, its number is no other's.
    const there = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    return there?.ino === this.#stats.ino && there.dev === this.#stats.dev
  }

  /** Sets when it was stored, in epoch milliseconds, wherever it stands by now. */
  async setModified(modified: number): Promise<void> {
    await this.#handle.utimes(modified / 1000, modified / 1000)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

import { opendir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { OWN, type SessionFolder } from './session-folder.ts'

/** How old something unfinished has to be before whoever wrote it is taken for dead, and how often it is looked for, in milliseconds. */
const ABANDONED = 300_000

/** What killed processes leave behind in a folder. */
export class Leftovers {
  readonly #folder: SessionFolder
  #looked = Number.NEGATIVE_INFINITY

  constructor(folder: SessionFolder) {
    this.#folder = folder
  }

  /** Removes it, where it was not looked for lately. What cannot be removed stays: it may be another's. */
  async clear(): Promise<void> {
    if (performance.now() - this.#looked < ABANDONED) return
    this.#looked = performance.now()
    for await (const { name } of await opendir(this.#folder.path, { bufferSize: 128 })) {
      if (!name.startsWith(OWN)) continue
      const path = join(this.#folder.path, name)
      const found = await stat(path).catch(() => null)
      // Should who made it wake up, it is not there for them to go on with.
      if (found && Date.now() - found.ctimeMs > ABANDONED)
        await rm(path, { recursive: true, force: true }).catch(() => {})
    }
  }
}

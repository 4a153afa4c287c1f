import { type FSWatcher, watch } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** For how long what the kernel tells is waited for, in milliseconds. */
const PATIENCE = 1000

/**
 * Sees in which order files come and go in a folder, from the moment on that it is made: by inotify of Linux, whose order is that in which it
 * happened. Elsewhere, and where the kernel has no watch left, it sees nothing.
 */
export class Witness {
  readonly #seen: string[] = []
  readonly #watcher: FSWatcher | null
  #told = () => {}

  constructor(folder: string) {
    this.#watcher = watching(folder, name => {
      this.#seen.push(name)
      this.#told()
    })
  }

  /** The names of what came or went before something of this name did, as often as each did. Called once. */
  async before(name: string): Promise<readonly string[]> {
    if (!this.#watcher) return []
    const over = new AbortController()
    const seen = new Promise<void>(resolve => {
      this.#told = () => {
        if (this.#seen.includes(name)) resolve()
      }
      this.#told()
    })
    await Promise.race([seen, wait(PATIENCE, undefined, { signal: over.signal }).catch(() => {})])
    over.abort()
    const end = this.#seen.indexOf(name)
    return end < 0 ? this.#seen : this.#seen.slice(0, end)
  }

  close(): void {
    this.#watcher?.close()
  }
}

function watching(folder: string, tell: (name: string) => void): FSWatcher | null {
  if (process.platform !== 'linux') return null
  try {
    const watcher = watch(folder, (kind, name) => {
      if (kind === 'rename' && name !== null) tell(name)
    })
    watcher.on('error', () => {})
    return watcher
  } catch {
    return null
  }
}

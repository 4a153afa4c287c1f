import { type FSWatcher, watch } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** For how long what the kernel tells is waited for, in milliseconds. */
const PATIENCE = 1000
/** For how long Django may write at a session until it is not waited for. */
const DJANGOS = 50

/** What this process has renamed: nothing else has had the name `from`. */
export interface Rename {
  readonly from: string
  readonly to: string
}

/**
 * Sees in which order files come and go in a folder: by inotify of Linux, whose order is that in which it happened. Elsewhere, and where the kernel
 * has no watch left, it sees nothing.
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

  /** Resolves when Django is not saving to the file of this name any more, if it was when something was renamed. */
  async saved(name: string, { from, to }: Rename): Promise<void> {
    await this.#until(DJANGOS, () => {
      const seen = this.#seen
      return (
        seen[seen.lastIndexOf(from) + 1] === to && !seen.some(one => isOfSaving(one, name) && isLeft(seen, one, name))
      )
    })
  }

  /** How often the file of this name was removed, between a rename and the next that happened to `to`, where it was put in its place once meanwhile. */
  async removals(name: string, { from, to }: Rename): Promise<number> {
    const between = () => {
      // Whoever else watches in this process has a part in the watch, and what happened before this one was made may come to it late.
      const begin = this.#seen.lastIndexOf(from)
      // A rename is two events: one name goes, and the other one comes.
      const end = this.#seen.indexOf(to, begin + 2)
      return begin < 0 || end < 0 ? null : this.#seen.slice(begin + 2, end)
    }
    await this.#until(PATIENCE, () => between() !== null)
    const seen = between() ?? []
    return seen.filter((one, index) => one === name && !isOfSaving(seen[index - 1], name)).length - 1
  }

  close(): void {
    this.#watcher?.close()
  }

  async #until(most: number, isSo: () => boolean): Promise<void> {
    if (!this.#watcher || isSo()) return
    const over = new AbortController()
    const seen = new Promise<void>(resolve => {
      this.#told = () => {
        if (isSo()) resolve()
      }
    })
    await Promise.race([seen, wait(most, undefined, { signal: over.signal }).catch(() => {})])
    over.abort()
  }
}

/** Whether Django writes under this name what it puts in the place of a file then. */
function isOfSaving(one: string | undefined, name: string): boolean {
  return one?.startsWith(`${name}_out_`) ?? false
}

/** Whether what came under a name that comes once is there yet: it goes by a rename to the file, or by itself. */
function isLeft(seen: readonly string[], one: string, name: string): boolean {
  const isRenamed = seen[seen.lastIndexOf(one) + 1] === name
  return !isRenamed && seen.filter(other => other === one).length % 2 === 1
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

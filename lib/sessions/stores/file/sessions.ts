import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf, type FileHome, MOST_TRIES, removed, removeEmpty, renamed } from './home.ts'
import { contentName, isContentName, newPointer, type Pointer, pointerName, pointerOf, turned } from './pointer.ts'
import type { RecordFile } from './record.ts'

/** A directory in which nothing has changed for so many milliseconds was not being changed while it was read. */
const QUIET = 1000
/** Looks at a directory in which a pointer may just have been renamed. */
const LOOKS = 3

/** What was seen in a session's directory. */
export interface Sight {
  readonly pointer: Pointer
  /** Every other file of ours that was there at that moment. */
  readonly files: readonly string[]
}

/**
 * Sessions as directories: `ab/abcd…/` holds a pointer and the content it names. Whoever changes a session renames its pointer, and the file
 * system lets one of many do that: that rename is the compare-and-swap, and there is no lock that a killed process could leave behind.
 *
 * Content is moved in under a new version right before. So when a rename of the pointer succeeds, whatever else was seen beside it belongs to
 * somebody whose own rename can only fail: it is removed. That needs no age and no clock, so a process that was frozen meanwhile is no danger.
 */
export class FileSessions {
  readonly #home: FileHome

  constructor(home: FileHome) {
    this.#home = home
  }

  /** @throws RangeError for what is no id: it becomes a path */
  directoryOf(id: string): string {
    if (!isId(id)) throw new RangeError('fileStore(): an id must be 64 lower-case hex digits.')
    return join(this.#home.root, id.slice(0, 2), id)
  }

  /** What stands there, expired or not; null: nothing. */
  async look(id: string): Promise<Sight | null> {
    const directory = this.directoryOf(id)
    for (let looks = 0; looks < LOOKS; looks++) {
      const names = await this.#home.names(directory)
      if (!names || names.length === 0) return null
      const pointers = names.map(pointerOf).filter(pointer => pointer !== null)
      // A second one was renamed while the directory was read, or a backup was made at such a moment.
      const pointer = pointers.sort((one, other) => one.expiresAt - other.expiresAt).at(-1)
      if (!pointer) continue
      const current = pointerName(pointer)
      return { pointer, files: names.filter(name => name !== current && (isContentName(name) || pointerOf(name))) }
    }
    return null
  }

  /** What the content file says; null where it is absent. */
  contentOf(id: string, { version }: Pointer): Promise<string | null> {
    return this.#home.read(join(this.directoryOf(id), contentName(version)))
  }

  /** Adds a session; null where there is something in its place, expired or not. */
  async add(id: string, file: RecordFile): Promise<string | null> {
    const pointer = newPointer(file.owner, file.expiresAt)
    const directory = this.directoryOf(id)
    const stage = this.#home.newPath()
    await this.#home.addDirectory(stage)
    let added = false
    try {
      await file.writeTo(join(stage, contentName(pointer.version)))
      await this.#home.addEmpty(join(stage, pointerName(pointer)))
      await this.#home.sync(stage)
      added = await this.#place(stage, directory)
      if (!added) return null
      file.release()
      await this.#home.sync(dirname(directory))
      return pointer.version
    } finally {
      if (!added) {
        await file.discard()
        await removed(join(stage, pointerName(pointer))).catch(() => {})
        await removeEmpty(stage)
      }
    }
  }

  /** Puts another record in the place of the one that was seen. null: what was seen is no longer so. */
  async supersede(id: string, seen: Sight, file: RecordFile): Promise<string | null> {
    const pointer = newPointer(file.owner, file.expiresAt)
    const directory = this.directoryOf(id)
    if (!(await file.moveTo(join(directory, contentName(pointer.version))))) return null
    try {
      if (!(await this.#swap(id, seen, pointer))) {
        await file.discard()
        return null
      }
    } finally {
      // A rename that was answered by an error may have happened: what it points to has to stay.
      file.release()
    }
    await this.#home.sync(directory)
    await this.#clear(directory, seen, pointer)
    return pointer.version
  }

  /** Moves the expiry on; false where what was seen is no longer so. A power cut may take this back, and nothing else. */
  async turn(id: string, seen: Sight, expiresAt: number): Promise<boolean> {
    const pointer = turned(seen.pointer, expiresAt)
    if (!(await this.#swap(id, seen, pointer))) return false
    await this.#clear(this.directoryOf(id), seen, pointer)
    return true
  }

  /**
   * Ends the session that was seen. 'kept': what was seen is no longer so. 'ended': it has ended. 'removed': it has, and of all who are ending it
   * this one has removed it.
   * @param lasting whether a power cut must not take it back: not so where it has expired anyway
   */
  async end(id: string, seen: Sight, lasting: boolean): Promise<'kept' | 'ended' | 'removed'> {
    const directory = this.directoryOf(id)
    // Expired on every clock, and without content: whoever wants the place can have it, as after any expiry.
    const nothing = newPointer(seen.pointer.owner, 0)
    if (!(await this.#swap(id, seen, nothing))) return 'kept'
    if (lasting) await this.#home.sync(directory)
    await this.#clear(directory, seen, nothing)
    const removedIt = await removed(join(directory, pointerName(nothing)))
    await removeEmpty(directory)
    return removedIt ? 'removed' : 'ended'
  }

  /** Removes what is left of a session that has ended, where it has. Waits a moment for whoever is at it. */
  async clearRemains(id: string): Promise<void> {
    const directory = this.directoryOf(id)
    const names = await this.#home.names(directory)
    if (!names || names.some(pointerOf)) return
    if (await this.#home.isQuiet(directory, QUIET)) {
      for (const name of names.filter(isContentName)) await removed(join(directory, name))
    } else if (names.length > 0) await wait(1 + Math.random() * 4)
    await removeEmpty(directory)
  }

  #swap(id: string, seen: Sight, to: Pointer): Promise<boolean> {
    const directory = this.directoryOf(id)
    return renamed(join(directory, pointerName(seen.pointer)), join(directory, pointerName(to)))
  }

  async #clear(directory: string, { files }: Sight, current: Pointer): Promise<void> {
    for (const name of files) {
      // What cannot be removed now is seen again by the next who changes the session.
      if (name !== contentName(current.version)) await removed(join(directory, name)).catch(() => {})
    }
  }

  /** Moves a whole directory to where nothing stands, or an empty directory; false where something does. */
  async #place(from: string, to: string): Promise<boolean> {
    try {
      await this.#home.withParent(to, () => rename(from, to))
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false
      throw error
    }
  }
}

/** Whether this is an id as the session layer hands them to a store, or what a user is called here. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && /^[\da-f]{64}$/.test(id)
}

/** Tries again what others came in between of, a bounded number of times. */
export async function untilSettled<Answer>(attempt: () => Promise<Answer | undefined>): Promise<Answer> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const answer = await attempt()
    if (answer !== undefined) return answer
  }
  throw new Error(
    `fileStore(): a session could not be changed in ${MOST_TRIES} tries: others came in between, or something else is in its place.`,
  )
}

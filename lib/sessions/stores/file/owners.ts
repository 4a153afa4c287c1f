import { join } from 'node:path'
import { type FileHome, removed, removeEmpty } from './home.ts'
import { NOBODY } from './pointer.ts'
import { type FileSessions, isId } from './sessions.ts'

/** Where it is noted whose sessions are which. */
export const OWNERS = 'users'
/** How old a note has to be before it may be called out of date, in milliseconds: it is made before its session. */
const SETTLED = 300_000

/**
 * Which sessions a user has: an empty file for each, `users/ab/abcd…/<id>`. It is a hint where to look, made before the session and removed
 * after it; the session itself says whose it is. Whoever adds a session makes the note again after it, and whoever removes a note looks for the
 * session after it: one of the two comes last.
 */
export class FileOwners {
  readonly #home: FileHome
  readonly #sessions: FileSessions

  constructor(home: FileHome, sessions: FileSessions) {
    this.#home = home
    this.#sessions = sessions
  }

  /** Notes that the session is this owner's. A power cut may take that back; the next sweep that comes by notes it again. */
  async note(owner: string, id: string): Promise<void> {
    if (owner === NOBODY) return
    await this.#home.addEmpty(join(this.#directoryOf(owner), id))
  }

  /** Removes the note, unless the session is this owner's. What fails here is made up for when the note is found out of date. */
  async forget(owner: string, id: string): Promise<void> {
    if (owner === NOBODY) return
    const directory = this.#directoryOf(owner)
    try {
      await removed(join(directory, id))
      await removeEmpty(directory)
      if (await this.#owns(owner, id)) await this.note(owner, id)
    } catch {}
  }

  /** The ids of sessions that are this owner's, expired or not. */
  async idsOf(owner: string): Promise<string[]> {
    const names = ((await this.#home.names(this.#directoryOf(owner))) ?? []).filter(isId)
    const owned = await Promise.all(names.map(id => this.#owns(owner, id)))
    for (const [index, id] of names.entries()) {
      if (!owned[index]) await this.#forgetOld(owner, id)
    }
    if (names.length === 0) await removeEmpty(this.#directoryOf(owner))
    return names.filter((_, index) => owned[index])
  }

  #directoryOf(owner: string): string {
    return join(this.#home.root, OWNERS, owner.slice(0, 2), owner)
  }

  async #owns(owner: string, id: string): Promise<boolean> {
    return (await this.#sessions.look(id))?.pointer.owner === owner
  }

  async #forgetOld(owner: string, id: string): Promise<void> {
    if (await this.#home.isQuiet(join(this.#directoryOf(owner), id), SETTLED)) await this.forget(owner, id)
  }
}

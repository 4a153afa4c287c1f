import { randomUUID } from 'node:crypto'
import { type BigIntStats, constants, lstatSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, removed } from '../../sessions/stores/file/home.ts'
import { Slots } from '../../sessions/stores/file/slots.ts'

/** What the names of our own files begin with: Django does not look at them. */
export const OWN = '.koa-strata-'
/** Open files at once: a process may have a thousand, and other things to do with them. */
const OPEN_AT_ONCE = 16
/** Waits for the disk at once: Node has four threads for files, and readers shall find one. */
const SYNCS_AT_ONCE = 3
/** The folder may be the temporary one of a machine, where others can put links and pipes in the way. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const KEY = /^[0-9a-z]{32}$/

/** The folder of Django's `file` backend: a file for each session, named by the cookie and the key. All that is written here is for the owner alone. */
export class SessionFolder {
  readonly path: string
  readonly #where: string
  readonly #cookieName: string
  readonly #sessions = new Slots(OPEN_AT_ONCE)
  readonly #written = new Slots(OPEN_AT_ONCE)
  readonly #syncs = new Slots(SYNCS_AT_ONCE)

  /** @param path its absolute path */
  constructor(where: string, path: string, cookieName: string) {
    this.#where = where
    this.path = path
    this.#cookieName = cookieName
  }

  /** @throws RangeError for what is no key: it becomes a path */
  fileOf(key: string): string {
    return join(this.path, this.#cookieName + checked(key))
  }

  /** Where whoever changes a session stands. */
  claimOf(key: string): string {
    return join(this.path, `${OWN}${this.#cookieName}${checked(key)}`)
  }

  /** A path for something that nobody else writes. */
  newPath(): string {
    return join(this.path, OWN + randomUUID())
  }

  /** The key of the session whose file has this name; null: it is something else. */
  keyOf(name: string): string | null {
    if (!name.startsWith(this.#cookieName)) return null
    const key = name.slice(this.#cookieName.length)
    return KEY.test(key) ? key : null
  }

  /** Hands over the session of a key as it stands, or null where there is none. */
  use<Answer>(key: string, task: (found: FoundSession | null) => Promise<Answer>): Promise<Answer> {
    const path = this.fileOf(key)
    return this.#sessions.run(async () => {
      const file = await this.#open(path)
      if (!file) return task(null)
      try {
        const stats = await file.stat({ bigint: true })
        // Django makes an empty file before it writes a new session.
        const text = stats.isFile() ? await file.readFile('latin1') : ''
        return await task(text === '' ? null : new FoundSession(path, file, stats, text))
      } finally {
        await file.close()
      }
    })
  }

  /** Makes a file that is not there yet, all of it on the disk when this resolves. @param modified what it says of when that was, in epoch milliseconds */
  write(path: string, text: string, modified: number): Promise<void> {
    return this.#written.run(async () => {
      const file = await open(path, 'wx', 0o600)
      try {
        await file.writeFile(text, 'latin1')
        await file.utimes(modified / 1000, modified / 1000)
        await this.#syncs.run(() => file.sync())
      } catch (error) {
        await removed(path).catch(() => {})
        throw error
      } finally {
        await file.close()
      }
    })
  }

  /** Resolves when what was made, renamed and removed here would outlive a power cut. */
  sync(): Promise<void> {
    return this.#written.run(async () => {
      const folder = await open(this.path, 'r')
      try {
        await this.#syncs.run(() => folder.sync())
      } catch (error) {
        // Said by file systems that do not do this for directories.
        if (codeOf(error) !== 'EINVAL') throw error
      } finally {
        await folder.close()
      }
    })
  }

  /** Runs a task, and says of what goes wrong there what to do about it. */
  async told<Answer>(task: () => Promise<Answer>): Promise<Answer> {
    try {
      return await task()
    } catch (error) {
      if (codeOf(error) === 'ENOENT') await this.#assertThere()
      if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') throw error
      throw new Error(
        `${this.#where}: a session in ${this.path} belongs to somebody else. Run this application as the user that Django runs as.`,
        { cause: error },
      )
    }
  }

  async #open(path: string): Promise<FileHandle | null> {
    try {
      return await open(path, READ)
    } catch (error) {
      // Of a symbolic link, and of a socket.
      if (codeOf(error) === 'ELOOP' || codeOf(error) === 'ENXIO') return null
      if (codeOf(error) !== 'ENOENT') throw error
      await this.#assertThere()
      return null
    }
  }

  /** What is absent because all of it is gone must not be told as absent. */
  async #assertThere(): Promise<void> {
    const found = await stat(this.path).catch(() => null)
    if (found?.isDirectory()) return
    throw new Error(
      `${this.#where}: there is no directory ${this.path}. Hand over as \`directory\` what Django has as SESSION_FILE_PATH, or the ` +
        'temporary directory, which it takes without one.',
    )
  }
}

/** A session's file, held open: Django and this library never write in it, they put another in its place. */
export class FoundSession {
  readonly text: string
  readonly #path: string
  readonly #file: FileHandle
  readonly #stats: BigIntStats

  constructor(path: string, file: FileHandle, stats: BigIntStats, text: string) {
    this.#path = path
    this.#file = file
    this.#stats = stats
    this.text = text
  }

  /** When it was stored, in epoch milliseconds. */
  get modified(): number {
    return Math.round(Number(this.#stats.mtimeNs) / 1e6)
  }

  /** Whether it still stands in its place. Without a wait, so that what is done next is done at once. */
  isInPlace(): boolean {
    const there = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false })
    return there?.ino === this.#stats.ino && there.dev === this.#stats.dev
  }

  /** Sets when it was stored, wherever it is by now. */
  async setModified(modified: number): Promise<void> {
    await this.#file.utimes(modified / 1000, modified / 1000)
  }
}

function checked(key: string): string {
  if (!KEY.test(key)) throw new RangeError('djangoSessions(): a key must be 32 lower-case letters and digits.')
  return key
}

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, removed } from '../../sessions/stores/file/home.ts'
import { Slots } from '../../sessions/stores/file/slots.ts'
import { SessionFile } from './session-file.ts'

/** What the names of our own files begin with: Django does not look at them. */
export const OWN = '.koa-strata-'
/** Files that are read, and that are written, at once: a process may have a thousand, and other things to do with them. */
const OPEN_AT_ONCE = 16
/** Waits for the disk at once: Node has four threads for files, and readers shall find one. */
const SYNCS_AT_ONCE = 3
/** The folder may be the temporary one of a machine, where others can put links and pipes in the way. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const OTHERS = 'Run this application as the user that Django runs as.'

const KEY = /^[0-9a-z]{32}$/

/** The folder of Django's `file` backend: a file for each session, named by the cookie and the key. */
export class SessionFolder {
  readonly path: string
  readonly #where: string
  readonly #cookieName: string
  readonly #read = new Slots(OPEN_AT_ONCE)
  readonly #changed = new Slots(OPEN_AT_ONCE)
  readonly #syncs = new Slots(SYNCS_AT_ONCE)

  /** @param path its absolute path */
  constructor(where: string, path: string, cookieName: string) {
    this.#where = where
    this.path = path
    this.#cookieName = cookieName
  }

  /** @throws RangeError for what is no key: it becomes a path */
  pathOf(key: string): string {
    return join(this.path, this.#cookieName + this.#checked(key))
  }

  /** Where whoever changes a session stands. */
  claimOf(key: string): string {
    return join(this.path, OWN + this.#cookieName + this.#checked(key))
  }

  /** A path for something that nobody else writes. */
  newPath(): string {
    return join(this.path, OWN + randomUUID())
  }

  /** The key of the session whose file has this name; null: it is something else. */
  keyOf(name: string): string | null {
    const key = name.slice(this.#cookieName.length)
    return name.startsWith(this.#cookieName) && KEY.test(key) ? key : null
  }

  /** Hands over the session of a key as it stands, or null where there is none. */
  read<Answer>(key: string, task: (found: SessionFile | null) => Promise<Answer>): Promise<Answer> {
    return this.#read.run(() => this.#use(key, task))
  }

  /** As `read`, for a task that takes longer, so that readers need not wait for it. */
  change<Answer>(key: string, task: (found: SessionFile | null) => Promise<Answer>): Promise<Answer> {
    return this.#changed.run(() => this.#use(key, task))
  }

  /**
   * Makes a file that is not there yet, for the owner alone, all of it on the disk when this resolves. Whoever asked for it closes it.
   * @param modified when it says that was, in epoch milliseconds
   */
  async make(path: string, text: string, modified: number): Promise<SessionFile> {
    const handle = await open(path, 'wx', 0o600)
    try {
      await handle.writeFile(text, 'latin1')
      const file = new SessionFile(handle, await handle.stat({ bigint: true }), text)
      await file.setModified(modified)
      await this.#syncs.run(() => handle.sync())
      return file
    } catch (error) {
      await handle.close()
      await removed(path).catch(() => {})
      throw error
    }
  }

  /** Resolves when what was made, renamed and removed here would outlive a power cut. */
  async sync(): Promise<void> {
    const folder = await open(this.path, 'r')
    try {
      await this.#syncs.run(() => folder.sync())
    } catch (error) {
      // Said by file systems that do not do this for directories.
      if (codeOf(error) !== 'EINVAL') throw error
    } finally {
      await folder.close()
    }
  }

  /** @throws Error where a session is another user's: what is put in its place, Django could not read */
  assertOurs(found: SessionFile): void {
    if (process.geteuid && found.owner !== process.geteuid())
      throw this.#error(`a session is another user's. ${OTHERS}`, 'EACCES')
  }

  /** Runs a task, and says of what goes wrong there what to do about it. */
  async told<Answer>(task: () => Promise<Answer>): Promise<Answer> {
    try {
      return await task()
    } catch (error) {
      const code = codeOf(error)
      // The file system's own words hold paths, and those the keys of sessions.
      if (!isOfFiles(error)) throw error
      if (code === 'ENOENT' || code === 'ENOTDIR') await this.assertThere()
      const isRefused = code === 'EACCES' || code === 'EPERM'
      throw this.#error(`${error.syscall} failed with ${code}.${isRefused ? ` ${OTHERS}` : ''}`, code)
    }
  }

  /** @throws Error where the folder is not there: what is absent because all of it is gone must not be told as absent */
  async assertThere(): Promise<void> {
    const found = await stat(this.path).catch(() => null)
    if (found?.isDirectory()) return
    throw this.#error(
      'there is no such directory. Hand over as `directory` what Django has as SESSION_FILE_PATH, or without one the temporary directory.',
      'ENOENT',
    )
  }

  async #use<Answer>(key: string, task: (found: SessionFile | null) => Promise<Answer>): Promise<Answer> {
    const handle = await this.#open(this.pathOf(key))
    if (!handle) return task(null)
    try {
      const stats = await handle.stat({ bigint: true })
      // Django makes an empty file before it writes a new session.
      const text = stats.isFile() ? await handle.readFile('latin1') : ''
      return await task(text === '' ? null : new SessionFile(handle, stats, text))
    } finally {
      await handle.close()
    }
  }

  async #open(path: string): Promise<FileHandle | null> {
    try {
      return await open(path, READ)
    } catch (error) {
      // Said of a symbolic link, and of a socket.
      if (['ELOOP', 'ENXIO'].includes(codeOf(error))) return null
      if (codeOf(error) !== 'ENOENT') throw error
      await this.assertThere()
      return null
    }
  }

  #error(what: string, code: string): Error {
    return Object.assign(new Error(`${this.#where}: ${this.path}: ${what}`), { code })
  }

  #checked(key: string): string {
    if (!KEY.test(key)) throw new RangeError(`${this.#where}: a key must be 32 lower-case letters and digits.`)
    return key
  }
}

function isOfFiles(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

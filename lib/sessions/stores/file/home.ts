import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type OpenedDirectory, UNFINISHED } from './directory.ts'
import { Slots } from './slots.ts'

/** How often something is tried again that others, who are as busy here, came in between of. */
export const MOST_TRIES = 100
/** Open files at once: a process may have a thousand, and other things to do with them. */
const OPEN_AT_ONCE = 16
/** Waits for the disk at once: Node has four threads for files, and readers shall find one. */
const SYNCS_AT_ONCE = 3

/** The error code of a call of the file system, or ''. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? ''
}

/** A directory that is the owner's alone, and what is done with files in it. Its files are 0600, its directories 0700. */
export class FileHome {
  readonly root: string
  readonly #device: number
  readonly #open = new Slots(OPEN_AT_ONCE)
  readonly #syncs = new Slots(SYNCS_AT_ONCE)

  constructor({ root, device }: OpenedDirectory) {
    this.root = root
    this.#device = device
  }

  /** A path for something that nobody else writes. */
  newPath(): string {
    return join(this.root, UNFINISHED, randomUUID())
  }

  /** The names in a directory; null where there is none. */
  async names(path: string): Promise<string[] | null> {
    try {
      return await readdir(path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      await this.#assertThere()
      return null
    }
  }

  /** The text of a file; null where there is none. */
  read(path: string): Promise<string | null> {
    return this.#open.run(async () => {
      const file = await open(path, 'r').catch(unlessAbsent)
      if (!file) return null
      try {
        return await file.readFile('utf8')
      } finally {
        await file.close()
      }
    })
  }

  /** Makes a file that is not there yet, all of it on the disk when this resolves. */
  write(path: string, text: string): Promise<void> {
    return this.withParent(path, () =>
      this.#open.run(async () => {
        const file = await open(path, 'wx', 0o600)
        try {
          await file.writeFile(text)
          await this.#syncs.run(() => file.sync())
        } catch (error) {
          await unlink(path).catch(() => {})
          throw error
        } finally {
          await file.close()
        }
      }),
    )
  }

  /** Makes an empty file where there is none. */
  addEmpty(path: string): Promise<void> {
    return this.withParent(path, () =>
      this.#open.run(async () => {
        try {
          await (await open(path, 'wx', 0o600)).close()
        } catch (error) {
          if (codeOf(error) !== 'EEXIST') throw error
        }
      }),
    )
  }

  /** Resolves when what was made, renamed and removed in a directory would outlive a power cut. */
  sync(path: string): Promise<void> {
    return this.#open.run(async () => {
      // A directory that is gone has nothing to keep.
      const directory = await open(path, 'r').catch(unlessAbsent)
      if (!directory) return
      try {
        await this.#syncs.run(() => directory.sync())
      } catch (error) {
        // Said by file systems that do not do this for directories.
        if (codeOf(error) !== 'EINVAL') throw error
      } finally {
        await directory.close()
      }
    })
  }

  /** Makes a directory that is not there yet. */
  addDirectory(path: string): Promise<void> {
    return this.withParent(path, () => mkdir(path, 0o700))
  }

  /** Makes a directory and those it stands in, as far as they are not there. A power cut may take back what is not right below the root. */
  async makeDirectory(path: string): Promise<void> {
    try {
      await mkdir(path, 0o700)
      if (dirname(path) === this.root) await this.sync(this.root)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return
      if (codeOf(error) !== 'ENOENT' || path === this.root) throw error
      await this.#assertThere()
      await this.makeDirectory(dirname(path))
      await this.makeDirectory(path)
    }
  }

  /** Runs `task`, once more where the directory that `path` stands in had to be made first. */
  async withParent<Answer>(path: string, task: () => Promise<Answer>): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      try {
        return await task()
      } catch (error) {
        // Others remove directories that they find empty.
        if (codeOf(error) !== 'ENOENT' || tries === MOST_TRIES) throw error
        await this.makeDirectory(dirname(path))
      }
    }
  }

  /** Whether nothing in a directory has changed for so many milliseconds; false where it is absent. */
  async isQuiet(path: string, milliseconds: number): Promise<boolean> {
    const found = await stat(path).catch(unlessAbsent)
    return found !== null && Date.now() - found.mtimeMs > milliseconds
  }

  /** What is absent because all of it is gone must not be told as absent. */
  async #assertThere(): Promise<void> {
    const found = await stat(this.root).catch(unlessAbsent)
    if (found?.isDirectory() && found.dev === this.#device) return
    throw new Error(`fileStore(): ${this.root} is gone, or another file system is mounted there now.`)
  }
}

/** Renames; false where `from` is absent. Of many who rename one thing at once, one succeeds. */
export async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    return unlessAbsent(error) ?? false
  }
}

/** Removes a file; false where it is absent. Of many who remove one at once, one succeeds. */
export async function removed(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    return unlessAbsent(error) ?? false
  }
}

/** Removes a directory where it is empty. */
export async function removeEmpty(path: string): Promise<void> {
  await rmdir(path).catch(() => {})
}

function unlessAbsent(error: unknown): null {
  if (codeOf(error) !== 'ENOENT') throw error
  return null
}

import { link, opendir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DjangoSettingUnsupported, OptionInvalid } from '../errors.ts'
import { checkText } from '../options.ts'
import { codeOf, MOST_TRIES, removed } from '../sessions/stores/file/home.ts'
import { breakClaim } from './directory/claim.ts'
import { Leftovers } from './directory/leftovers.ts'
import { removeFound, replace } from './directory/replacing.ts'
import type { SessionFile } from './directory/session-file.ts'
import { SessionFolder } from './directory/session-folder.ts'
import type { DjangoRecord, DjangoRecords } from './records.ts'

/** What `directoryRecords()` is told besides. */
export interface DirectoryRecordsOptions {
  /** SESSION_COOKIE_NAME, which the names of the files begin with. */
  readonly cookieName: string
  /** When a session with this text ends that was stored at this moment, both in epoch milliseconds. */
  expiryOf(text: string, modified: number): number
  /** The clock, in epoch milliseconds. */
  readonly now: () => number
}

/** How many sessions are read at once. */
const PAGE = 16
/** How often the folder is listed at most, until nothing new is found: tmpfs and others pass over files that are replaced meanwhile. */
const LISTINGS = 5

/**
 * Django's sessions in files, by its backend `file`, on a local file system of a POSIX system. Each is for the owner alone (0600), so that this
 * process has to run as the user that Django runs as, and says in its time of change when it was stored, which is what its end is counted from.
 *
 * A text is written beside, brought to the disk, and put in its place in one step, so that whoever reads has a whole one at any moment. Between
 * processes of ours no change is lost and nothing that was removed comes back, though any of them be killed or frozen at any moment: what they
 * leave behind is in nobody's way for longer than a third of a second, and goes after some minutes.
 *
 * Django asks nobody before it writes or removes a file. What it removes stays removed: where that comes between the last look and the rename,
 * some microseconds, the session is there for another millisecond, and then removed again. What it writes is replaced where all of its writing
 * falls into those microseconds, or for longer than 50 ms around them, as it is between Django's own processes. Both take inotify, which Linux
 * has. Elsewhere what comes in those microseconds is lost: a session that was removed stays, and what was written is replaced.
 * @throws OptionInvalid in the name of `where`
 */
export function directoryRecords(
  where: string,
  directory: string,
  { cookieName, expiryOf, now }: DirectoryRecordsOptions,
): DjangoRecords {
  checkText(where, 'directory', directory, /^[^\0]+$/, 'must be the path that Django has as SESSION_FILE_PATH.')
  if (process.platform === 'win32')
    throw new OptionInvalid(where, 'directory', 'needs a POSIX file system, which this system does not have.')
  const folder = new SessionFolder(where, resolve(directory), cookieName)
  const leftovers = new Leftovers(folder)

  const isLive = (found: SessionFile) => expiryOf(found.text, found.modified) > now()

  /** When to say that a text was stored, so that it ends when it shall: about now. */
  function modifiedFor({ text, expiresAt }: DjangoRecord): number {
    const moment = now()
    const modified = moment + expiresAt - expiryOf(text, moment)
    // Some say themselves when they end, and then it is then.
    return modified === moment || expiryOf(text, modified) === expiresAt ? modified : moment
  }

  /** Tries again what others came in between of. */
  function settled<Answer>(key: string, attempt: (found: SessionFile | null) => Promise<Answer | undefined>) {
    return folder.told(async () => {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const answer = await folder.change(key, attempt)
        if (answer !== undefined) return answer
      }
      throw new Error(`${where}: a session could not be changed in ${MOST_TRIES} tries: others came in between.`)
    })
  }

  /** Adds a file where there is none; false where there is one. */
  async function added(key: string, record: DjangoRecord): Promise<boolean> {
    const unfinished = folder.newPath()
    const file = await folder.make(unfinished, record.text, modifiedFor(record))
    try {
      await link(unfinished, folder.pathOf(key))
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    } finally {
      await file.close()
      await removed(unfinished).catch(() => {})
    }
    await folder.sync()
    return true
  }

  function liveText(found: SessionFile | null): string | null {
    try {
      return found && isLive(found) ? found.text : null
    } catch (error) {
      // When a pickle ends nobody here can tell.
      if (error instanceof DjangoSettingUnsupported) return found!.text
      throw error
    }
  }

  async function* page(keys: readonly string[]) {
    const textOf = (key: string) => folder.told(() => folder.read(key, async found => liveText(found)))
    const texts = await Promise.all(keys.map(textOf))
    for (const [index, key] of keys.entries()) {
      const text = texts[index]
      if (typeof text === 'string') yield { key, text }
    }
  }

  return {
    read: key =>
      folder.told(() =>
        folder.read(key, async found => {
          if (!found) return null
          const { text, modified } = found
          const expiresAt = expiryOf(text, modified)
          return expiresAt > now() ? { text, expiresAt } : null
        }),
      ),
    async add(key, record) {
      await folder.told(() => leftovers.clear())
      return settled(key, async found => {
        if (!found) return added(key, record)
        if (isLive(found)) return false
        const answer = await replace(folder, key, found, record.text, modifiedFor(record))
        return answer === 'replaced' ? true : undefined
      })
    },
    async swap(key, before, record) {
      await folder.told(() => leftovers.clear())
      return settled(key, async found => {
        if (!found || !isLive(found)) return 'gone'
        if (found.text !== before) return 'changed'
        const answer = await replace(folder, key, found, record.text, modifiedFor(record))
        return answer === 'replaced' ? 'swapped' : answer
      })
    },
    remove(key, before) {
      if (before !== undefined)
        return settled(key, async found => {
          if (!found || !isLive(found)) return 'gone'
          return found.text === before ? removeFound(folder, key, found) : 'changed'
        })
      return folder.told(async () => {
        const path = folder.pathOf(key)
        const first = await removed(path)
        // Who had looked before that puts nothing there any more, or has done so by now.
        await breakClaim(folder, key)
        const again = await removed(path)
        if (first || again) await folder.sync()
        else await folder.assertThere()
        return first || again ? 'removed' : 'gone'
      })
    },
    touch: (key, expiresAt) =>
      settled(key, async found => {
        if (!found || !isLive(found)) return false
        await found.setModified(modifiedFor({ text: found.text, expiresAt }))
        return found.isAt(folder.pathOf(key)) ? true : undefined
      }),
    async *all() {
      const seen = new Set<string>()
      for (let listing = 0; listing < LISTINGS; listing++) {
        const before = seen.size
        let keys: string[] = []
        for await (const { name } of await folder.told(() => opendir(folder.path, { bufferSize: 128 }))) {
          const key = folder.keyOf(name)
          if (key === null || seen.has(key)) continue
          seen.add(key)
          keys.push(key)
          if (keys.length < PAGE) continue
          yield* page(keys)
          keys = []
        }
        yield* page(keys)
        if (seen.size === before) return
      }
    },
  }
}

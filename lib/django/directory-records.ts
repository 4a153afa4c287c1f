import { unlinkSync } from 'node:fs'
import { link, opendir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DjangoSettingUnsupported, OptionInvalid } from '../errors.ts'
import { checkText } from '../options.ts'
import { codeOf, removed } from '../sessions/stores/file/home.ts'
import { breakClaims, Claim } from './directory/claim.ts'
import { clearLeftovers } from './directory/leftovers.ts'
import { type FoundSession, SessionFolder } from './directory/session-folder.ts'
import type { DjangoRecords } from './records.ts'

/** How sessions in files are read. */
export interface DirectoryOptions {
  /** SESSION_COOKIE_NAME, which the names of the files begin with. */
  readonly cookieName: string
  /** When the session with this text ends that was stored at a moment, in epoch milliseconds. */
  expiryOf(text: string, modified: number): number
  /** The clock, in epoch milliseconds. */
  readonly now: () => number
}

/** How many sessions are read at once. */
const AT_ONCE = 16

/**
 * The sessions of Django's `file` backend.
 * @throws OptionInvalid in the name of `where`
 */
export function directoryRecords(
  where: string,
  directory: string,
  { cookieName, expiryOf, now }: DirectoryOptions,
): DjangoRecords {
  checkText(where, 'directory', directory, /^[^\0]+$/, 'must be the path that Django has as SESSION_FILE_PATH.')
  if (process.platform === 'win32')
    throw new OptionInvalid(where, 'directory', 'needs a POSIX file system, which this system does not have.')
  const folder = new SessionFolder(where, resolve(directory), cookieName)

  const isLive = (found: FoundSession) => expiryOf(found.text, found.modified) > now()
  /** The moment to say that a text was stored at, so that it ends when it should. */
  const modifiedFor = (text: string, expiresAt: number) => {
    const moment = now()
    const modified = moment + expiresAt - expiryOf(text, moment)
    // A text may say itself when it ends.
    return expiryOf(text, modified) === expiresAt ? modified : moment
  }
  /** Where `before` stands, what to do in its place: undefined where it was not done, since others came in between. */
  const instead = <Done extends string>(
    key: string,
    before: string,
    text: string,
    modified: number,
    act: (claim: Claim, path: string) => Done | undefined,
  ) =>
    folder.told(async () => {
      for (;;) {
        const answer = await folder.use(key, async found => {
          if (!found || !isLive(found)) return 'gone'
          if (found.text !== before) return 'changed'
          const claim = new Claim(folder, key)
          await claim.take(text, modified)
          try {
            return found.isInPlace() ? act(claim, folder.fileOf(key)) : undefined
          } finally {
            await claim.release()
          }
        })
        if (answer !== undefined) return answer
      }
    })

  return {
    read: key =>
      folder.told(() =>
        folder.use(key, async found => {
          if (!found) return null
          const { text, modified } = found
          const expiresAt = expiryOf(text, modified)
          return expiresAt > now() ? { text, expiresAt } : null
        }),
      ),
    add: (key, { text, expiresAt }) =>
      folder.told(async () => {
        await clearLeftovers(folder)
        const [path, unfinished] = [folder.fileOf(key), folder.newPath()]
        await folder.write(unfinished, text, modifiedFor(text, expiresAt))
        try {
          await link(unfinished, path)
        } catch (error) {
          if (codeOf(error) === 'EEXIST') return false
          throw error
        } finally {
          await removed(unfinished).catch(() => {})
        }
        await folder.sync()
        return true
      }),
    async swap(key, before, { text, expiresAt }) {
      const answer = await instead(key, before, text, modifiedFor(text, expiresAt), (claim, path) =>
        claim.commit(path) ? 'swapped' : undefined,
      )
      if (answer === 'swapped') await folder.told(() => folder.sync())
      return answer
    },
    async remove(key, before) {
      if (before !== undefined) {
        const answer = await instead(key, before, '', now(), (_, path) => unlinkIfThere(path))
        if (answer === 'removed') await folder.told(() => folder.sync())
        return answer
      }
      return folder.told(async () => {
        const path = folder.fileOf(key)
        const first = await removed(path)
        // Whoever had looked before that puts nothing there any more, or has done so by now.
        await breakClaims(folder, key)
        const again = await removed(path)
        if (!first && !again) return 'gone'
        await folder.sync()
        return 'removed'
      })
    },
    touch: (key, expiresAt) =>
      folder.told(async () => {
        for (;;) {
          const answer = await folder.use(key, async found => {
            if (!found || !isLive(found)) return false
            await found.setModified(modifiedFor(found.text, expiresAt))
            return found.isInPlace() ? true : undefined
          })
          if (answer !== undefined) return answer
        }
      }),
    async *all() {
      let keys: string[] = []
      const live = async () => {
        const found = await Promise.all(keys.map(key => folder.told(() => folder.use(key, async one => textOf(one)))))
        const texts = keys.map((key, index) => ({ key, text: found[index] }))
        keys = []
        return texts.flatMap(({ key, text }) => (text == null ? [] : [{ key, text }]))
      }
      const entries = await folder.told(() => opendir(folder.path, { bufferSize: 128 }))
      for await (const { name } of entries) {
        const key = folder.keyOf(name)
        if (key !== null && keys.push(key) === AT_ONCE) yield* await live()
      }
      yield* await live()
    },
  }

  function textOf(found: FoundSession | null): string | null {
    if (!found) return null
    try {
      return isLive(found) ? found.text : null
    } catch (error) {
      // When a pickle ends nobody here can tell.
      if (error instanceof DjangoSettingUnsupported) return found.text
      throw error
    }
  }
}

function unlinkIfThere(path: string): 'removed' | undefined {
  try {
    unlinkSync(path)
    return 'removed'
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

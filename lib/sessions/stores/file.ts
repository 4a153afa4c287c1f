import { checkClock, knownOptions } from '../../options.ts'
import type { SessionStore } from '../store.ts'
import { openDirectory } from './file/directory.ts'
import { FileHome } from './file/home.ts'
import { FileOwners } from './file/owners.ts'
import { ownerOf, pointerName } from './file/pointer.ts'
import { RecordFile, recordOf } from './file/record.ts'
import { FileSessions, type Sight, untilSettled } from './file/sessions.ts'
import { FileSweep } from './file/sweep.ts'

/** Options of `fileStore()`. */
export interface FileStoreOptions {
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** What `fileStore()` is: a store with all the optional calls. */
export type FileStore = SessionStore & Required<Pick<SessionStore, 'list' | 'destroyAll' | 'sweep'>>

/**
 * Sessions in a directory, shared by all processes of one machine and kept across restarts. The directory is made where there is none, for its
 * owner alone (0700, files 0600); names in it come from the SHA-256 of ids and users. A record is written beside the old one and put in its
 * place by one rename, which is also the compare-and-swap: a process that is killed at any moment leaves each session old or new, holds no lock,
 * and what it left unfinished goes at a later `sweep`. What create, replace and destroy have answered outlives a power cut, where the disk keeps
 * what it was told to (fsync). A full disk rejects and leaves the old record. Expired records are absent for every call, whether or not they
 * were swept. For local file systems of POSIX systems: on NFS and other network file systems renames are not what this relies on.
 * @param directory its path; a symbolic link is followed once, now
 * @throws OptionInvalid naming the option that is wrong: a directory that is open to others, is another user's, or cannot be used
 */
export function fileStore(directory: string, options: FileStoreOptions = {}): FileStore {
  knownOptions('fileStore()', options, ['now'])
  const { now = Date.now } = options
  checkClock('fileStore()', now)
  const home = new FileHome(openDirectory(directory))
  const sessions = new FileSessions(home)
  const owners = new FileOwners(home, sessions)
  const sweep = new FileSweep(home, sessions, owners, now)

  const live = async (id: string) => {
    const seen = await sessions.look(id)
    return seen && seen.pointer.expiresAt > now() ? seen : null
  }
  const found = (id: string) => {
    let missing = ''
    return untilSettled(async () => {
      const seen = await live(id)
      if (!seen) return null
      const { pointer } = seen
      const text = await sessions.contentOf(id, pointer)
      // No pointer comes twice, so content that was missing while one held is lost, and the record corrupt.
      if (text !== null || missing === pointerName(pointer)) return { pointer, ...recordOf(text ?? '') }
      missing = pointerName(pointer)
      return undefined
    })
  }
  /** Ends it whatever others do, or as long as it is this owner's. */
  const end = (id: string, owner?: string) =>
    untilSettled(async () => {
      const seen = await sessions.look(id)
      if (!seen || (owner !== undefined && seen.pointer.owner !== owner)) return true
      if ((await sessions.end(id, seen, seen.pointer.expiresAt > now())) === 'kept') return undefined
      await owners.forget(seen.pointer.owner, id)
      return true
    })
  const added = async (id: string, file: RecordFile) => {
    const version = await sessions.add(id, file)
    if (version !== null) return version
    const seen = await sessions.look(id)
    if (!seen) await sessions.clearRemains(id)
    else if (seen.pointer.expiresAt > now()) return null
    else return replaced(id, seen, file)
    return undefined
  }
  const replaced = async (id: string, seen: Sight, file: RecordFile) => {
    const { owner } = seen.pointer
    if (owner !== file.owner) await owners.note(file.owner, id)
    const version = await sessions.supersede(id, seen, file)
    if (version === null) return undefined
    if (owner !== file.owner) {
      await owners.note(file.owner, id)
      await owners.forget(owner, id)
    }
    return version
  }

  return {
    async read(id) {
      const one = await found(id)
      return one && { data: one.data, user: one.user, expiresAt: one.pointer.expiresAt, version: one.pointer.version }
    },
    async create(id, record) {
      const file = new RecordFile(home, record)
      sessions.directoryOf(id)
      let version: string | null = null
      try {
        await owners.note(file.owner, id)
        version = await untilSettled(() => added(id, file))
        if (version !== null) await owners.note(file.owner, id)
      } finally {
        await file.discard()
        if (version === null) await owners.forget(file.owner, id)
      }
      return version
    },
    async replace(id, version, record) {
      const file = new RecordFile(home, record)
      try {
        return await untilSettled(async () => {
          const seen = await live(id)
          if (!seen) return 'gone'
          return seen.pointer.version === version ? replaced(id, seen, file) : 'changed'
        })
      } finally {
        await file.discard()
      }
    },
    touch: (id, expiresAt) =>
      untilSettled(async () => {
        const seen = await live(id)
        if (!seen) return false
        if (await sessions.turn(id, seen, expiresAt)) return true
        const again = await live(id)
        // Another one that set the expiry came right after this one, so to speak.
        const isSet =
          again &&
          (again.pointer.expiresAt !== seen.pointer.expiresAt || again.pointer.version !== seen.pointer.version)
        return isSet ? true : undefined
      }),
    async destroy(id) {
      await end(id)
    },
    async list(userKey) {
      const owner = ownerOf(userKey)
      const ids = await owners.idsOf(owner)
      const all = await Promise.all(ids.map(async id => ({ id, one: await found(id) })))
      return all.flatMap(({ id, one }) =>
        one?.pointer.owner === owner ? [{ id, data: one.data, user: userKey, expiresAt: one.pointer.expiresAt }] : [],
      )
    },
    async destroyAll(userKey, exceptId) {
      const owner = ownerOf(userKey)
      const ids = await owners.idsOf(owner)
      await Promise.all(ids.filter(id => id !== exceptId).map(id => end(id, owner)))
    },
    sweep: limit => sweep.run(limit),
  }
}

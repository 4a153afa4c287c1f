import { randomBytes } from 'node:crypto'
import { describe } from '../../described.ts'
import { OptionInvalid } from '../../errors.ts'
import { checkClock, knownOptions } from '../../options.ts'
import type { SessionRecord, SessionStore } from '../store.ts'

/** Options of `memoryStore()`. */
export interface MemoryStoreOptions {
  /** How many sessions are kept; beyond it the ones that expire first make room. @default 100,000 */
  maxSessions?: number | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

interface Kept {
  json: string
  user: string | null
  expiresAt: number
  version: number
}

/** Sessions in the memory of this process: bounded, expiring, gone when the process ends. For development, tests and single small processes. */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  knownOptions('memoryStore()', options, ['maxSessions', 'now'])
  const { maxSessions = 100_000, now = Date.now } = options
  if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
    throw new OptionInvalid('memoryStore()', 'maxSessions', 'must be a whole number, at least 1.')
  }
  checkClock('memoryStore()', now)
  const kept = new Map<string, Kept>()
  // Versions start at random, so that one from before a restart never fits a record from after it.
  let lastVersion = randomBytes(5).readUIntBE(0, 5)

  const live = (id: string): Kept | null => {
    const found = kept.get(id)
    if (!found) return null
    if (found.expiresAt > now()) return found
    kept.delete(id)
    return null
  }
  const keep = (id: string, { data, user, expiresAt }: SessionRecord): string => {
    const version = ++lastVersion
    kept.set(id, { json: JSON.stringify(data), user, expiresAt, version })
    return String(version)
  }
  const dropExpired = (limit: number): number => {
    let dropped = 0
    for (const [id, { expiresAt }] of kept) {
      if (dropped >= limit) break
      if (expiresAt <= now() && kept.delete(id)) dropped++
    }
    return dropped
  }
  const makeRoom = (): void => {
    if (kept.size < maxSessions || dropExpired(Number.POSITIVE_INFINITY) > 0) return
    const soonest = [...kept].sort(([, one], [, other]) => one.expiresAt - other.expiresAt)
    for (const [id] of soonest.slice(0, Math.ceil(maxSessions / 100))) kept.delete(id)
  }
  const record = ({ json, user, expiresAt }: Kept): SessionRecord => ({ data: JSON.parse(json), user, expiresAt })

  const store: SessionStore = {
    async read(id) {
      const found = live(id)
      return found && { ...record(found), version: String(found.version) }
    },
    async create(id, fresh) {
      if (live(id)) return null
      makeRoom()
      return keep(id, fresh)
    },
    async replace(id, version, changed) {
      const found = live(id)
      if (!found) return 'gone'
      return String(found.version) === version ? keep(id, changed) : 'changed'
    },
    async touch(id, expiresAt) {
      const found = live(id)
      if (found) found.expiresAt = expiresAt
      return found !== null
    },
    async destroy(id) {
      kept.delete(id)
    },
    async list(userKey) {
      const found: (SessionRecord & { id: string })[] = []
      for (const [id, one] of kept) {
        if (one.user === userKey && one.expiresAt > now()) found.push({ id, ...record(one) })
      }
      return found
    },
    async destroyAll(userKey, exceptId) {
      for (const [id, one] of kept) {
        if (one.user === userKey && id !== exceptId) kept.delete(id)
      }
    },
    async sweep(limit) {
      return dropExpired(limit)
    },
  }
  return describe(store, { by: 'memoryStore()' })
}

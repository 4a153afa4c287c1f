import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import { isDuplicate, retried } from '../../database/conflicts.ts'
import { dialectOf, fromBytes } from '../../database/dialects.ts'
import { checkTableName, USER_KEY_BYTES } from '../../database/tables.ts'
import { checkClock, knownOptions } from '../../options.ts'
import type { SessionData, SessionRecord, SessionStore } from '../store.ts'

/** Options of `sqlStore()`. */
export interface SqlStoreOptions {
  /** The table, made by `migrate(knex)` or of the same columns; `schema.table` is understood. @default 'sessions' */
  table?: string | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** What `sqlStore()` is: a store with all the optional calls. */
export type SqlStore = SessionStore & Required<Pick<SessionStore, 'list' | 'destroyAll' | 'sweep'>>

interface Row {
  id: string
  user_key: string | Uint8Array | null
  data: unknown
  version: string
  expires_at: number | string
}

/** How many expired rows are removed by one statement: few, so that no writer waits long for it. */
const SWEEP_BATCH = 100

/**
 * Sessions in a table of an SQL database (SQLite, MariaDB, PostgreSQL), shared by all processes that use it and kept across restarts. Each
 * change is one statement that names what it expects to find, so no transaction is held and no change of another process is lost. Statements
 * that the database calls off for a deadlock are repeated, a bounded number of times; whatever else fails rejects. Expired records are absent
 * for every call, whether or not they were swept. It opens nothing: the knex instance stays yours to destroy. Needs `migrate(knex)` once.
 * @throws OptionInvalid naming the option that is wrong
 */
export function sqlStore(knex: Knex, options: SqlStoreOptions = {}): SqlStore {
  const dialect = dialectOf('sqlStore()', knex)
  knownOptions('sqlStore()', options, ['table', 'now'])
  const { table = 'sessions', now = Date.now } = options
  checkTableName('sqlStore()', table, 'sessions')
  checkClock('sqlStore()', now)

  const rows = () => knex<Row>(table)
  const live = (id: string) => rows().where({ id }).where('expires_at', '>', now())
  const storedUser = (user: string) => {
    // A database that is not strict would cut it off in silence, and two users would share one key.
    if (Buffer.byteLength(user) > USER_KEY_BYTES)
      throw new RangeError(`sqlStore(): a user's key is longer than ${USER_KEY_BYTES} bytes.`)
    return dialect.toBytes(user)
  }
  const columns = ({ data, user, expiresAt }: SessionRecord, version: string) => ({
    data: JSON.stringify(data),
    user_key: user === null ? null : storedUser(user),
    version,
    expires_at: Math.floor(expiresAt),
  })
  const added = async (row: Row): Promise<boolean> => {
    try {
      await retried(() => rows().insert(row))
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  return {
    async read(id) {
      const row = await retried(() => live(id).first('user_key', 'data', 'version', 'expires_at'))
      return row ? { ...recordOf(row), version: row.version } : null
    },
    async create(id, record) {
      const version = randomUUID()
      const fresh = columns(record, version)
      if (await added({ id, ...fresh })) return version
      const expired = () => rows().where({ id }).where('expires_at', '<=', now()).update(fresh)
      if ((await retried(expired)) > 0) return version
      // The record in the way may have been removed between the two.
      return (await added({ id, ...fresh })) ? version : null
    },
    async replace(id, version, record) {
      const newVersion = randomUUID()
      const changed = columns(record, newVersion)
      if ((await retried(() => live(id).where({ version }).update(changed))) > 0) return newVersion
      return (await retried(() => live(id).first('id'))) ? 'changed' : 'gone'
    },
    async touch(id, expiresAt) {
      return (await retried(() => live(id).update({ expires_at: Math.floor(expiresAt) }))) > 0
    },
    async destroy(id) {
      await retried(() => rows().where({ id }).del())
    },
    async list(userKey) {
      const user_key = storedUser(userKey)
      const found = await retried(() => rows().where({ user_key }).where('expires_at', '>', now()).select())
      return found.map(row => ({ id: row.id, ...recordOf(row) }))
    },
    async destroyAll(userKey, exceptId) {
      const user_key = storedUser(userKey)
      const ended = () => {
        const all = rows().where({ user_key })
        return exceptId === undefined ? all.del() : all.whereNot({ id: exceptId }).del()
      }
      await retried(ended)
    },
    async sweep(limit) {
      let removed = 0
      for (let left = limit; left > 0; ) {
        const expired = () => rows().where('expires_at', '<=', now())
        // By key, after looking: one statement that looked for itself would lock rows that writers are about to change.
        const ids = await retried(() => expired().orderBy('expires_at').limit(Math.min(left, SWEEP_BATCH)).pluck('id'))
        if (ids.length === 0) break
        removed += await retried(() => expired().whereIn('id', ids).del())
        left -= ids.length
      }
      return removed
    },
  }
}

function recordOf(row: Pick<Row, 'user_key' | 'data' | 'expires_at'>): SessionRecord {
  return {
    data: dataOf(row.data),
    user: row.user_key === null ? null : fromBytes(row.user_key),
    expiresAt: Number(row.expires_at),
  }
}

/** What is no JSON object is answered as it stands: the session layer knows by that that the record is corrupt. */
function dataOf(stored: unknown): SessionData {
  if (typeof stored !== 'string') return (stored ?? '') as SessionData
  try {
    return JSON.parse(stored) ?? stored
  } catch {
    return stored as unknown as SessionData
  }
}

import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import { isDuplicate, retried } from '../../database/conflicts.ts'
import { dialectOf, fromBytes } from '../../database/dialects.ts'
import { bySilence, type Statement } from '../../database/silence.ts'
import { checkTableName, USER_KEY_BYTES } from '../../database/tables.ts'
import { checkClock, checkDuration, knownOptions } from '../../options.ts'
import { asciiJson } from '../ascii-json.ts'
import type { SessionData, SessionRecord, SessionStore } from '../store.ts'

/** Options of `sqlStore()`. */
export interface SqlStoreOptions {
  /** The table, made by `migrate(knex)` or of the same columns; `schema.table` is understood. @default 'sessions' */
  table?: string | undefined
  /**
   * How long a statement may go without an answer of the server, in milliseconds, until its connection is given up for another one. Not for
   * SQLite, which answers at once or not at all. @default 5,000
   */
  timeout?: number | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** What `sqlStore()` is: a store with all the optional calls. */
export type SqlStore = SessionStore & Required<Pick<SessionStore, 'list' | 'destroyAll' | 'sweep'>>

interface Row {
  id: string
  user_key: string | Uint8Array | null
  data: string
  version: string
  expires_at: number
}

/** A row as it is asked for: by names that an instance which turns snake_case into camelCase leaves alone. */
const ANSWERED = { id: 'id', user: 'user_key', data: 'data', version: 'version', expires: 'expires_at' } as const

/** What the drivers answer: bytes where the column, or an option of the driver, wants them; numbers of 64 bits as text or BigInt. */
interface Answer {
  id: string | Uint8Array
  user: string | Uint8Array | null
  data: unknown
  version: string | Uint8Array
  expires: number | string | bigint
}

/** How many expired rows are removed by one statement: few, so that no writer waits long for it. */
const SWEEP_BATCH = 100

/**
 * Sessions in a table of an SQL database (SQLite, MariaDB, PostgreSQL), shared by all processes that use it and kept across restarts. Each
 * change is one statement that names what it expects to find, so no transaction is held and no change of another process is lost. Statements
 * that the database calls off for the sake of another one (a deadlock, a lock not had in time, a serialization failure) are repeated, a bounded
 * number of times; whatever else fails rejects, with an error that tells neither ids nor data. Expired records are absent for every call,
 * whether or not they were swept. It opens nothing: the knex instance stays yours to destroy. Needs `migrate(knex)` once, and the primary
 * server: a replica that lags behind would bring back sessions that have ended.
 *
 * What a pool of MariaDB or PostgreSQL does well with: `pool: { min: 0, max: 10 }`, which lets go of connections before a firewall forgets
 * them, `connectTimeout: 2000` (mysql2) or `connectionTimeoutMillis: 2000` (pg) in `connection`, and `acquireConnectionTimeout: 2000`. Any
 * isolation level will do; under SERIALIZABLE more statements have to be repeated.
 *
 * SQLite waits for a lock inside this process, by default for up to 5 seconds in which nothing else runs and no deadline is kept. Let it wait
 * for 20 milliseconds, and readers not at all: `pool: { afterCreate(connection, done) { connection.pragma('busy_timeout = 20');
 * connection.pragma('journal_mode = WAL'); done(null, connection) } }`.
 * @throws OptionInvalid naming the option that is wrong
 */
export function sqlStore(knex: Knex, options: SqlStoreOptions = {}): SqlStore {
  const dialect = dialectOf('sqlStore()', knex)
  knownOptions('sqlStore()', options, ['table', 'timeout', 'now'])
  const { table = 'sessions', timeout = 5_000, now = Date.now } = options
  checkTableName('sqlStore()', table, 'sessions')
  checkDuration('sqlStore()', 'timeout', timeout)
  checkClock('sqlStore()', now)

  const answered = bySilence(timeout)
  const run = <Answer>(statement: () => Statement<Answer>): Promise<Answer> =>
    retried(() => (dialect.name === 'sqlite' ? statement() : answered(statement())))
  const rows = () => knex<Row>(table)
  // A sum, so that the index of expiries, which looks good where few rows live, is not what a change locks its row by.
  const live = (id: string) => rows().where({ id }).whereRaw('?? + 0 > ?', ['expires_at', now()])
  const storedUser = (user: string) => {
    // A database that is not strict would cut it off in silence, and two users would share one key.
    if (Buffer.byteLength(user) > USER_KEY_BYTES)
      throw new RangeError(`sqlStore(): a user's key is longer than ${USER_KEY_BYTES} bytes.`)
    return dialect.toBytes(user)
  }
  const columns = ({ data, user, expiresAt }: SessionRecord, version: string) => ({
    data: asciiJson(data),
    user_key: user === null ? null : storedUser(user),
    version,
    expires_at: Math.floor(expiresAt),
  })
  const added = async (row: Row): Promise<boolean> => {
    try {
      await run(() => rows().insert(row))
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  return {
    async read(id) {
      const row: Answer | undefined = await run(() => live(id).first(ANSWERED))
      return row ? { ...recordOf(row), version: fromBytes(row.version) } : null
    },
    async create(id, record) {
      const version = randomUUID()
      const fresh = columns(record, version)
      if (await added({ id, ...fresh })) return version
      const expired = () => rows().where({ id }).whereRaw('?? + 0 <= ?', ['expires_at', now()]).update(fresh)
      if ((await run(expired)) > 0) return version
      // The record in the way may have been removed between the two.
      return (await added({ id, ...fresh })) ? version : null
    },
    async replace(id, version, record) {
      const newVersion = randomUUID()
      const changed = columns(record, newVersion)
      // MariaDB does not look at spaces behind it.
      const isOurs = !version.endsWith(' ')
      if (isOurs && (await run(() => live(id).where({ version }).update(changed))) > 0) return newVersion
      return (await run(() => live(id).first('id'))) ? 'changed' : 'gone'
    },
    async touch(id, expiresAt) {
      if ((await run(() => live(id).update({ expires_at: Math.floor(expiresAt) }))) > 0) return true
      // MariaDB may have been told to count only rows that are not as they were; by now another touch may have moved it on.
      return (await run(() => live(id).first('id'))) !== undefined
    },
    async destroy(id) {
      await run(() => rows().where({ id }).del())
    },
    async list(userKey) {
      const user_key = storedUser(userKey)
      const found: Answer[] = await run(() =>
        rows().where({ user_key }).where('expires_at', '>', now()).select(ANSWERED),
      )
      return found.map(row => ({ id: fromBytes(row.id), ...recordOf(row) }))
    },
    async destroyAll(userKey, exceptId) {
      const user_key = storedUser(userKey)
      const ended = () => {
        const all = rows().where({ user_key })
        return exceptId === undefined ? all.del() : all.whereNot({ id: exceptId }).del()
      }
      await run(ended)
    },
    async sweep(limit) {
      let removed = 0
      for (let left = limit; left > 0; ) {
        // By key, after looking: one statement that looked for itself would lock rows that writers are about to change.
        const expired = () => rows().where('expires_at', '<=', now()).orderBy('expires_at')
        const ids = await run(() => expired().limit(Math.min(left, SWEEP_BATCH)).pluck('id'))
        if (ids.length === 0) break
        removed += await run(() => rows().whereIn('id', ids).whereRaw('?? + 0 <= ?', ['expires_at', now()]).del())
        left -= ids.length
      }
      return removed
    },
  }
}

function recordOf({ user, data, expires }: Answer): SessionRecord {
  return {
    data: dataOf(data instanceof Uint8Array ? fromBytes(data) : data),
    user: user === null ? null : fromBytes(user),
    expiresAt: Number(expires),
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

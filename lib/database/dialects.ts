import type { Knex } from 'knex'
import { OptionInvalid } from '../errors.ts'
import { type DialectName, dialectNameOf } from './dialect-name.ts'

/** What the databases differ in. Lengths are characters, but for `bytes`. */
export interface Dialect {
  readonly name: DialectName
  /** Text compared by code point and by nothing else, but for trailing spaces on MariaDB. */
  exactText(length: number): string
  /** ASCII text, compared by byte. */
  asciiText(length: number): string
  /** The UTF-8 of any text, compared by byte. Pass values through `toBytes` and `fromBytes`. */
  bytes(length: number): string
  /** What is true where a column of text holds a text and no other, whatever its collation. Bind the column and the text. */
  readonly exactly: string
  /** Text of any length. */
  readonly longText: string
  toBytes(text: string): string | Buffer
  /** What a table is made with beyond its columns. */
  tableTraits(table: Knex.CreateTableBuilder): void
  /** Whether each change of a table's definition commits by itself, whatever the transaction. */
  readonly commitsDefinitions: boolean
  /** What a migration's transaction begins with. */
  readonly transaction: Knex.TransactionConfig
  /** Waits until no other connection migrates this database. Runs first in a transaction. */
  lock(trx: Knex.Transaction): Promise<void>
  unlock(trx: Knex.Transaction): Promise<void>
}

/** The table in which the migrations that ran are recorded. */
export const MIGRATIONS_TABLE = 'strata_migrations'

const LOCK_SECONDS = 60
const ADVISORY_LOCK = 7_872_823_011_506
const MARIADB_LOCK = `concat('strata ', md5(lower(coalesce(database(), ''))))`

const sqlite: Dialect = {
  name: 'sqlite',
  exactText: length => `varchar(${length}) collate binary`,
  asciiText: length => `varchar(${length}) collate binary`,
  bytes: length => `varchar(${length}) collate binary`,
  exactly: '?? = ? collate binary',
  longText: 'text',
  toBytes: text => text,
  tableTraits() {},
  commitsDefinitions: false,
  transaction: {},
  async lock(trx) {
    // The first statement of the transaction writes, so the database is locked from here on and no read has to be upgraded.
    await trx(MIGRATIONS_TABLE).where({ name: '' }).del()
  },
  async unlock() {},
}

const mariadb: Dialect = {
  name: 'mariadb',
  exactText: length => `varchar(${length}) character set utf8mb4 collate utf8mb4_bin`,
  asciiText: length => `varchar(${length}) character set ascii collate ascii_bin`,
  bytes: length => `varbinary(${length})`,
  // Trailing spaces count in the digits, and no charset of a connection is between the two.
  exactly: 'hex(convert(?? using utf8mb4)) = hex(convert(? using utf8mb4))',
  longText: 'longtext character set utf8mb4 collate utf8mb4_bin',
  toBytes: text => Buffer.from(text),
  tableTraits(table) {
    table.engine('InnoDB')
    table.charset('utf8mb4')
    table.collate('utf8mb4_bin')
  },
  commitsDefinitions: true,
  transaction: {},
  // Creating a table commits, so the lock is one of the connection's and not the transaction's; it ends with the connection in any case.
  async lock(trx) {
    await assertSettings(trx)
    const [rows] = await trx.raw(`select get_lock(${MARIADB_LOCK}, ${LOCK_SECONDS}) as taken`)
    if (Number(rows[0].taken) !== 1) throw new Error(`Another process has been migrating for ${LOCK_SECONDS} s.`)
  },
  async unlock(trx) {
    await trx.raw(`select release_lock(${MARIADB_LOCK})`)
  },
}

/** Refuses what no statement can be safe under. */
async function assertSettings(trx: Knex.Transaction): Promise<void> {
  const [rows] = await trx.raw('select @@session.sql_mode as mode, @@session.autocommit as autocommit')
  const refuse = (what: string, why: string) => {
    throw new OptionInvalid('migrate()', 'knex', `must be for connections ${what}: ${why}.`)
  }
  if (String(rows[0].mode).includes('NO_BACKSLASH_ESCAPES'))
    refuse(
      'whose sql_mode has no NO_BACKSLASH_ESCAPES',
      'under it the driver, which escapes with backslashes, lets values end their quotation',
    )
  if (Number(rows[0].autocommit) === 0) refuse('with autocommit', 'without it nothing that is stored would be kept')
}

const postgresql: Dialect = {
  name: 'postgresql',
  exactText: length => `varchar(${length}) collate "C"`,
  asciiText: length => `varchar(${length}) collate "C"`,
  bytes: () => 'bytea',
  exactly: 'cast(?? as text) collate "C" = ?',
  longText: 'text',
  toBytes: text => Buffer.from(text),
  tableTraits() {},
  commitsDefinitions: false,
  // Under a stricter level it would see what there was before it waited for the lock.
  transaction: { isolationLevel: 'read committed' },
  async lock(trx) {
    await trx.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCK])
  },
  async unlock() {},
}

const DIALECTS: Readonly<Record<DialectName, Dialect>> = { sqlite, mariadb, postgresql }

/**
 * The dialect that a knex instance speaks.
 * @throws OptionInvalid in the name of `where` when it is no knex instance, or one for another database
 */
export function dialectOf(where: string, knex: Knex): Dialect {
  return DIALECTS[dialectNameOf(where, knex)]
}

/** Text that was stored as bytes. */
export function fromBytes(stored: string | Uint8Array): string {
  return typeof stored === 'string' ? stored : Buffer.from(stored).toString()
}

import type { Knex } from 'knex'
import { OptionInvalid } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { type Dialect, dialectOf, MIGRATIONS_TABLE } from './dialects.ts'
import {
  feedTokens,
  groupMembers,
  groupPermissions,
  groups,
  identities,
  loginAttempts,
  sessions,
  type Table,
  userPermissions,
  users,
} from './tables.ts'

/** Options of `migrate()`. */
export interface MigrateOptions {
  /**
   * Whether the tables of users are made: users, groups, group_members, user_permissions, group_permissions, identities. With false those of
   * the application stay as they are, whatever they are called. A later call may make them after all. @default true
   */
  users?: boolean | undefined
}

/** One step. It may have been interrupted where the database commits each table by itself, so it can be run again. */
interface Migration {
  /** Its number and what it does: recorded, so it never changes. */
  readonly name: string
  readonly tables: readonly Table[]
  /** What of it does not belong to users, where that is not all, under a name that is recorded in its place; null where nothing is. */
  readonly withoutUsers?: { readonly name: string; readonly tables: readonly Table[] } | null
}

/** In the order in which they run. */
const migrations: readonly Migration[] = [
  {
    name: '001 users, groups, permissions, sessions',
    tables: [users, groups, groupMembers, userPermissions, groupPermissions, sessions],
    withoutUsers: { name: '001 sessions', tables: [sessions] },
  },
  { name: '002 identities', tables: [identities], withoutUsers: null },
  { name: '003 login attempts', tables: [loginAttempts] },
  { name: '004 feed tokens', tables: [feedTokens] },
]

let turn: Promise<unknown> = Promise.resolve()

/**
 * Makes the library's own tables, or brings them up to this version: users, groups, group_members, user_permissions, group_permissions,
 * identities, sessions, login_attempts, feed_tokens, and strata_migrations, which records what ran. It touches no others, can be called at every
 * start, and waits where another process is at it. One that was interrupted is finished by the next call. In a transaction of the application it
 * is a part of it, but on MariaDB, where making a table commits. On Galera call it by one process, through one node, whose lock is nothing to the
 * others. Answers the names of the migrations that ran now.
 * @throws OptionInvalid when it is no knex instance for SQLite, MariaDB or PostgreSQL, a table of another shape has the name of one of ours, or
 * connections to MariaDB are without autocommit or have the sql_mode NO_BACKSLASH_ESCAPES, under which no value is safe in a statement
 */
export async function migrate(knex: Knex, options: MigrateOptions = {}): Promise<string[]> {
  const dialect = dialectOf('migrate()', knex)
  const withUsers = settleUsers('migrate()', options)
  if (dialect.name !== 'sqlite') return migrateInTurn(knex, dialect, withUsers)
  // An SQLite driver waits for a lock without letting this process go on, and so must not wait for this very process.
  const answer = turn.then(() => migrateInTurn(knex, dialect, withUsers))
  turn = answer.catch(() => {})
  return answer
}

async function migrateInTurn(knex: Knex, dialect: Dialect, withUsers: boolean): Promise<string[]> {
  if (dialect.name === 'sqlite') await makeRecord(knex)
  return knex.transaction(async trx => {
    await dialect.lock(trx)
    try {
      if (dialect.name !== 'sqlite') await makeRecord(trx)
      return await runMissing(trx, dialect, withUsers)
    } finally {
      // A connection that is gone has let go of its lock, and the error to tell is the one from before.
      await dialect.unlock(trx).catch(() => {})
    }
  }, dialect.transaction)
}

/**
 * The names of the migrations that `migrate()` would run. Nothing is changed.
 * @throws OptionInvalid when it is no knex instance for SQLite, MariaDB or PostgreSQL
 */
export async function missingMigrations(knex: Knex, options: MigrateOptions = {}): Promise<string[]> {
  dialectOf('missingMigrations()', knex)
  const withUsers = settleUsers('missingMigrations()', options)
  const isRecorded = await knex.schema.hasTable(MIGRATIONS_TABLE)
  return missing(isRecorded ? await knex(MIGRATIONS_TABLE).pluck('name') : [], withUsers).map(({ name }) => name)
}

function settleUsers(where: string, options: MigrateOptions): boolean {
  knownOptions(where, options, ['users'])
  const { users = true } = options
  if (typeof users !== 'boolean') throw new OptionInvalid(where, 'users', 'must be true or false.')
  return users
}

function missing(done: readonly string[], withUsers: boolean): Pick<Migration, 'name' | 'tables'>[] {
  return migrations.flatMap(migration => {
    const { withoutUsers = migration } = migration
    const wanted = withUsers ? migration : withoutUsers
    return wanted === null || done.includes(migration.name) || done.includes(wanted.name) ? [] : wanted
  })
}

function makeRecord(knex: Knex): Promise<void> {
  return knex.raw(
    'create table if not exists ?? (name varchar(150) not null primary key, run_at bigint not null)',
    MIGRATIONS_TABLE,
  )
}

async function runMissing(trx: Knex.Transaction, dialect: Dialect, withUsers: boolean): Promise<string[]> {
  const toRun = missing(await trx(MIGRATIONS_TABLE).pluck('name'), withUsers)
  for (const { name, tables } of toRun) {
    await makeTables(trx, dialect, tables)
    await trx(MIGRATIONS_TABLE).insert({ name, run_at: Date.now() })
  }
  return toRun.map(({ name }) => name)
}

async function makeTables(trx: Knex.Transaction, dialect: Dialect, tables: readonly Table[]): Promise<void> {
  for (const table of tables) {
    if (await trx.schema.hasTable(table.name)) await assertOurs(trx, table.name, table.columns)
    else await makeTable(trx, dialect, table)
  }
}

async function makeTable(trx: Knex.Transaction, dialect: Dialect, { name, make }: Table): Promise<void> {
  // Where its keys and indexes are added one by one and each of them commits, a table gets its name when it is whole.
  const first = dialect.commitsDefinitions ? `strata_unfinished_${name}` : name
  if (first !== name) await trx.schema.dropTableIfExists(first)
  await trx.schema.createTable(first, table => {
    dialect.tableTraits(table)
    make(table, dialect)
  })
  if (first !== name) await trx.schema.renameTable(first, name)
}

async function assertOurs(trx: Knex.Transaction, name: string, columns: readonly string[]): Promise<void> {
  const there = await trx(name).columnInfo()
  const missing = columns.filter(column => !Object.hasOwn(there, column))
  if (missing.length > 0) {
    throw new OptionInvalid(
      'migrate()',
      'knex',
      `must be for a database whose table '${name}' is this library's; the one there has no ${missing.join(', ')}. ` +
        'Give the library a database or schema of its own, or rename that table. Where the users are in a table of the application, ' +
        "'migrate(knex, { users: false })' makes none for them.",
    )
  }
}

import { accessSync, constants } from 'node:fs'
import type { Knex } from 'knex'
import { missingMigrations } from '../database/migrations.ts'
import { labelOf, urlOf } from './address.ts'
import type { Connections } from './connections.ts'
import { PATIENCE, within } from './deadline.ts'
import { CommandFailed, EXIT, unreachable, wrongUsage } from './failure.ts'
import { loadExport, needPackage } from './packages.ts'

/** How to reach a database. */
interface DatabaseAddress {
  readonly driver: 'better-sqlite3' | 'mysql2' | 'pg'
  /** What it may be called in front of people: no user, no password. */
  readonly label: string
  readonly connection: Knex.StaticConnectionConfig
}

/** A database that has answered. */
export interface OpenDatabase {
  readonly knex: Knex
  readonly label: string
}

/** knex writes of every connection that fails to the console. */
const SILENT = { warn() {}, error() {}, deprecate() {}, debug() {} }
const NO_URL =
  'Name the database: --database <url> or the variable DATABASE_URL, as sqlite:./app.db, mysql://user@host/name or ' +
  'postgresql://user@host/name.'

/** Whether an address is one of a database. */
export function isDatabaseUrl(url: string): boolean {
  return /^(sqlite|mysql|mariadb|postgres|postgresql):/i.test(url)
}

/**
 * Opens the database at a URL and asks it something, so that what fails later fails for another reason.
 * @param options.create whether an SQLite file is made where there is none
 * @throws CommandFailed where that cannot be
 */
export async function openDatabase(
  connections: Connections,
  url: string | undefined,
  { create = false }: { create?: boolean } = {},
): Promise<OpenDatabase> {
  const { driver, label, connection } = addressOf(url)
  if (driver === 'better-sqlite3' && !create) assertFile(label)
  needPackage(driver, `The database ${label}`)
  const makeKnex = await loadExport<(config: Knex.Config) => Knex>('knex', 'knex', `The database ${label}`)
  const knex = makeKnex({
    client: driver,
    connection,
    pool: { min: 0, max: driver === 'better-sqlite3' ? 1 : 2 },
    acquireConnectionTimeout: PATIENCE,
    log: SILENT,
    ...(driver === 'better-sqlite3' && { useNullAsDefault: true }),
  })
  connections.add(() => knex.destroy())
  try {
    await within(knex.raw('select 1'))
  } catch (error) {
    throw unreachable(`The database ${label}`, error)
  }
  return { knex, label }
}

/** Which of the library's tables a database has. */
export interface Tables {
  /** The migrations that have not run and should. */
  readonly missing: readonly string[]
  /** Whether those of users are to be there: an application may have its own, and none of the library's. */
  readonly hasUsers: boolean
}

/** Looks which tables a database has, or lacks. */
export async function tablesIn(knex: Knex): Promise<Tables> {
  const all = await missingMigrations(knex)
  const apart = await missingMigrations(knex, { users: false })
  // The first one makes the users, unless it was told not to.
  const isFirst = (name: string) => name.startsWith('001 ')
  const hasUsers = !all.some(isFirst) || apart.some(isFirst)
  return { missing: hasUsers ? all : apart, hasUsers }
}

/** Opens a database that has the library's tables as this version wants them. @param part those that are needed */
export async function openMigrated(
  connections: Connections,
  url: string | undefined,
  part: 'users' | 'sessions',
): Promise<OpenDatabase> {
  const database = await openDatabase(connections, url)
  const { missing, hasUsers } = await tablesIn(database.knex)
  const refuse = (problem: string) =>
    new CommandFailed(EXIT.unreachable, 'NOT_MIGRATED', `The database ${database.label} ${problem}`)
  if (missing.length > 0) throw refuse('lacks tables of this version. Run: koa-strata migrate')
  if (part === 'users' && !hasUsers)
    throw refuse("has no users of the library: those in the application's own table are for the application to manage.")
  return database
}

function addressOf(given: string | undefined): DatabaseAddress {
  if (!given) throw wrongUsage(NO_URL)
  const scheme = /^([a-z][a-z\d+.-]+):/i.exec(given)?.[1]?.toLowerCase()
  if (scheme === undefined || scheme === 'sqlite') return sqliteAddress(given.replace(/^sqlite:(\/\/)?/i, ''))
  if (scheme === 'mysql' || scheme === 'mariadb') return mysqlAddress(parsed(given))
  if (scheme === 'postgres' || scheme === 'postgresql') return postgresqlAddress(parsed(given))
  throw wrongUsage(`'${scheme}:' is no database that koa-strata speaks to. ${NO_URL}`)
}

function sqliteAddress(filename: string): DatabaseAddress {
  if (filename === '' || filename === ':memory:') throw wrongUsage(`An SQLite database is a file here. ${NO_URL}`)
  return { driver: 'better-sqlite3', label: filename, connection: { filename } }
}

function mysqlAddress(url: URL): DatabaseAddress {
  const connection = {
    // The driver reads the URL; knex asks for the database's name by itself.
    uri: url.href,
    port: Number(url.port || 3306),
    database: decodeURIComponent(url.pathname.slice(1)),
    connectTimeout: PATIENCE,
  }
  return { driver: 'mysql2', label: labelOf(url), connection }
}

function postgresqlAddress(url: URL): DatabaseAddress {
  const connection = { connectionString: url.href, connectionTimeoutMillis: PATIENCE }
  return { driver: 'pg', label: labelOf(url), connection }
}

function parsed(given: string): URL {
  const url = urlOf(given)
  // Drivers put what is missing in place themselves, by the name of whoever runs this.
  if (!url || url.pathname.length < 2) {
    throw wrongUsage(
      `The address of the database is no URL with a name at its end. Characters as @ : / # ? % in a password are written %40 %3A %2F %23 %3F %25. ${NO_URL}`,
    )
  }
  return url
}

function assertFile(path: string): void {
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw unreachable(
      `The database ${path}`,
      new Error(isMissing ? 'there is no such file. koa-strata migrate makes one.' : 'it cannot be read by this user.'),
    )
  }
}

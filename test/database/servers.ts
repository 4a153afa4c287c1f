import { randomBytes } from 'node:crypto'
import knexFactory, { type Knex } from 'knex'
import { migrate } from '../../lib/database/migrations.ts'
import type { Owner } from '../servers/owner.ts'
import { sharedServer } from '../servers/shared.ts'
import { openSqlite, sqliteFile } from './sqlite.ts'

/** The databases that the library speaks to. */
export const DATABASES = ['sqlite', 'mariadb', 'postgresql'] as const
export type DatabaseName = (typeof DATABASES)[number]

/** Connections to one database. */
export interface TestDatabase {
  readonly name: DatabaseName
  /** What a knex instance on it is made with, without functions: a process of its own can be handed it. */
  readonly config: Knex.Config
  /** Opens a further knex instance, and closes it with its owner. @param more what it is made with besides */
  open(more?: Knex.Config): Knex
}

/** Tests of one run share the servers: few connections each. */
const POOL = { min: 0, max: 4 }

/** knex writes of every connection that fails to the console, in tests that are about that. */
const SILENT = { warn() {}, error() {}, deprecate() {}, debug() {} }

/** A configuration for a MariaDB or PostgreSQL that listens at `url`. */
export function configOf(url: string, more: Knex.Config = {}): Knex.Config {
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  const connection = { host: hostname, port: Number(port), user: username, password, database: pathname.slice(1) }
  const client = protocol === 'mysql:' ? 'mysql2' : 'pg'
  return withMore({ client, connection, pool: POOL }, more)
}

/** What makes a knex instance run statements on each connection that it opens. */
export function onConnect(...statements: string[]): Knex.Config {
  type Connection = { query(sql: string, done: (error: unknown) => void): void }
  const afterCreate = (connection: Connection, done: (error: unknown, connection: Connection) => void) => {
    const runFrom = (index: number): void => {
      const statement = statements[index]
      if (statement === undefined) done(null, connection)
      else connection.query(statement, error => (error ? done(error, connection) : runFrom(index + 1)))
    }
    runFrom(0)
  }
  return { pool: { afterCreate } }
}

/** Opens a knex instance, and closes it with its owner. */
export function openKnex(owner: Owner, config: Knex.Config): Knex {
  const knex = knexFactory({ ...config, log: SILENT })
  owner.teardown(() => knex.destroy())
  return knex
}

/**
 * A database of the test's own, empty, on a server that the run shares: a file of SQLite, a database of MariaDB, a schema of PostgreSQL.
 * @param create what comes behind `create database` on MariaDB
 */
export async function newDatabase(
  owner: Owner,
  name: DatabaseName,
  create = 'character set utf8mb4',
): Promise<TestDatabase> {
  if (name === 'sqlite') {
    const filename = await sqliteFile(owner)
    const config = { client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true }
    return { name, config, open: () => openSqlite(owner, filename) }
  }
  const [url] = await sharedServer(name)
  const own = `strata_${randomBytes(8).toString('hex')}`
  const server = configOf(url!)
  const run = async (statement: string) => {
    const knex = knexFactory(server)
    await knex.raw(statement).finally(() => knex.destroy())
  }
  const [made, dropped, config] =
    name === 'mariadb'
      ? [
          `create database ${own} ${create}`,
          `drop database ${own}`,
          withMore(server, { connection: { database: own } }),
        ]
      : [
          `create schema ${own}`,
          `drop schema ${own} cascade`,
          { ...withMore(server, { connection: { application_name: own } as object }), searchPath: [own] },
        ]
  await run(made)
  owner.teardown(() => run(dropped))
  return { name, config, open: (more = {}) => openKnex(owner, withMore(config, more)) }
}

/** A database of the test's own with the library's tables, and a knex instance on it. */
export async function migratedDatabase(owner: Owner, name: DatabaseName): Promise<TestDatabase & { knex: Knex }> {
  const database = await newDatabase(owner, name)
  const knex = database.open()
  await migrate(knex)
  return { ...database, knex }
}

function withMore(config: Knex.Config, more: Knex.Config): Knex.Config {
  const connection = { ...(config.connection as object), ...(more.connection as object) }
  return { ...config, ...more, connection, pool: { ...config.pool, ...more.pool } }
}

/** How many connections to this database wait for a lock. */
export async function lockWaits(knex: Knex): Promise<number> {
  if (knex.client.dialect === 'mysql') {
    // The tables about it are a copy that stays old for as long as anybody looks at it.
    const [[{ Status: status }]] = await knex.raw('show engine innodb status')
    const own = await knex('information_schema.processlist').whereRaw('db = database()').pluck('id')
    const transactions: string[] = status.split('---TRANSACTION').filter((one: string) => one.includes('LOCK WAIT'))
    return transactions.filter(one => own.includes(Number(/thread id (\d+)/.exec(one)?.[1]))).length
  }
  // The names of applications are those of the schemas.
  const { rows } = await knex.raw(`select count(*)::int as waits from pg_stat_activity
    where wait_event_type = 'Lock' and application_name = current_schema()`)
  return rows[0].waits
}

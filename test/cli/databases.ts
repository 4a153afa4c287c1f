import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { migrate } from '../../lib/database/migrations.ts'
import { type DatabaseName, newDatabase } from '../database/servers.ts'
import { SERVER_PASSWORD } from './cli.ts'

/** A database of the test's own, by the URL that the command is told. */
export interface UrlDatabase {
  /** With a password in it, but for SQLite. */
  readonly url: string
  readonly knex: Knex
}

/** A database of the test's own, without tables. On the servers the URL names a user who has a password. */
export async function emptyDatabase(t: ExecutionContext, name: DatabaseName): Promise<UrlDatabase> {
  const database = await newDatabase(t, name)
  const knex = database.open()
  const connection = database.config.connection as Record<string, string>
  if (name === 'sqlite') return { url: `sqlite:${connection.filename}`, knex }
  const { host, port, user, database: schema } = connection
  const password = encodeURIComponent(SERVER_PASSWORD)
  if (name === 'postgresql') {
    // It trusts whoever comes from this machine, whatever their password.
    const options = encodeURIComponent(`-csearch_path=${connection.application_name}`)
    return { url: `postgresql://${user}:${password}@${host}:${port}/${schema}?options=${options}`, knex }
  }
  const own = `cli_${randomBytes(6).toString('hex')}`
  await knex.raw(`create user ${own} identified by ?`, [SERVER_PASSWORD])
  await knex.raw(`grant all on ${schema}.* to ${own}`)
  t.teardown(() => knex.raw(`drop user ${own}`))
  return { url: `mysql://${own}:${password}@${host}:${port}/${schema}`, knex }
}

/** The same with the library's tables. */
export async function urlDatabase(t: ExecutionContext, name: DatabaseName): Promise<UrlDatabase> {
  const database = await emptyDatabase(t, name)
  await migrate(database.knex)
  return database
}

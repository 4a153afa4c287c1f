import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import knexFactory, { type Knex } from 'knex'
import { migrate } from '../../lib/database/migrations.ts'

/** A file for a database of the test's own. The file goes when the test ends. */
export async function sqliteFile(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'test.db')
}

/** Opens the file, and closes it when the test ends. */
export function openSqlite(t: ExecutionContext, filename: string): Knex {
  const knex = knexFactory({
    client: 'better-sqlite3',
    connection: { filename },
    useNullAsDefault: true,
    pool: {
      // Nothing in these tests outlives a power cut, and waiting for the disk at every statement makes them slow.
      afterCreate(connection: { pragma(text: string): void }, done: (error: unknown, connection: unknown) => void) {
        connection.pragma('synchronous = off')
        done(null, connection)
      },
    },
  })
  t.teardown(() => knex.destroy())
  return knex
}

/** A database of the test's own with the library's tables. */
export async function migratedSqlite(t: ExecutionContext): Promise<Knex> {
  const knex = openSqlite(t, await sqliteFile(t))
  await migrate(knex)
  return knex
}

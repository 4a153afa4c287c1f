import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knexFactory, { type Knex } from 'knex'
import { migrate } from '../../lib/database/migrations.ts'
import type { Owner } from '../servers/owner.ts'

/** A file for a database of the test's own. The file goes with its owner. */
export async function sqliteFile(owner: Owner): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  owner.teardown(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'test.db')
}

/** Opens the file, and closes it with its owner. */
export function openSqlite(owner: Owner, filename: string): Knex {
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
  owner.teardown(() => knex.destroy())
  return knex
}

/** A database of the test's own with the library's tables. */
export async function migratedSqlite(owner: Owner): Promise<Knex> {
  const knex = openSqlite(owner, await sqliteFile(owner))
  await migrate(knex)
  return knex
}

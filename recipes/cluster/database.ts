import knexFactory, { type Knex } from 'knex'
import { migrate } from 'koa-strata/sql'

/** A connection of mysql2. */
interface Connection {
  query(sql: string, done: (error: unknown) => void): void
}

/**
 * Connections to the database, of which at any time one node is the one that is written to. Before a node answers, it catches up with what any
 * other has acknowledged: a new password holds at the next request, whichever node that one asks.
 * @param url as `mysql://club:secret@127.0.0.1:3306/club`: the HAProxy of this host
 */
export function openDatabase(url: string): Knex {
  const { hostname, port, username, password, pathname } = new URL(url)
  return knexFactory({
    client: 'mysql2',
    connection: {
      host: hostname,
      port: Number(port || 3306),
      user: username,
      password,
      database: pathname.slice(1),
      connectTimeout: 2000,
    },
    pool: {
      min: 0,
      max: 10,
      createTimeoutMillis: 2000,
      afterCreate(connection: Connection, done: (error: unknown, connection: Connection) => void) {
        connection.query('set session wsrep_sync_wait = 1', error => done(error, connection))
      },
    },
    acquireConnectionTimeout: 2000,
  })
}

/** Makes the tables: once for each version of the application, by one process, since a lock on one node is nothing to the others. */
export async function createTables(database: Knex): Promise<void> {
  await migrate(database)
  if (await database.schema.hasTable('members')) return
  await database.schema.createTable('members', table => {
    // Room for any user's key, compared by byte.
    table.specificType('user_key', 'varbinary(1089) not null primary key')
    table.string('boat').notNullable()
  })
}

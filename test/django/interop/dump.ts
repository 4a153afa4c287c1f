import type { Knex } from 'knex'

/** All that a database holds. */
export interface Dump {
  /** How each table, index, view and trigger was made. */
  readonly schema: readonly string[]
  /** The rows of each table, as JSON, in the order of their text. */
  readonly rows: Readonly<Record<string, readonly string[]>>
}

/** Reads everything in a database: SQLite or MariaDB. */
export async function dumpOf(knex: Knex): Promise<Dump> {
  const isSqlite = knex.client.dialect !== 'mysql'
  const tables: string[] = isSqlite
    ? await knex('sqlite_master').where({ type: 'table' }).pluck('name')
    : await knex('information_schema.tables').whereRaw('table_schema = database()').pluck('table_name')
  const schema = isSqlite ? await knex('sqlite_master').pluck('sql') : await Promise.all(tables.map(madeBy))
  const rows = await Promise.all(
    tables
      .sort()
      .map(async name => [name, (await knex(name).select()).map(row => JSON.stringify(row)).sort()] as const),
  )
  return { schema: schema.map(String).sort(), rows: Object.fromEntries(rows) }

  async function madeBy(table: string): Promise<string> {
    const [[made]] = await knex.raw('show create table ??', [table])
    // What the next row will be called is no part of it.
    return JSON.stringify(made).replace(/ AUTO_INCREMENT=\d+/, '')
  }
}

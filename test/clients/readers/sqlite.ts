import knexFactory from 'knex'

/** The titles in the database of a reader that keeps its entries in one. */
export async function titlesInSqlite(filename: string, table: string): Promise<string[]> {
  const database = knexFactory({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true })
  try {
    return await database(table).pluck('title')
  } finally {
    await database.destroy()
  }
}

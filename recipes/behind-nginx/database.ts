import knexFactory, { type Knex } from 'knex'
import { migrate, sqlUsers } from 'koa-strata/sql'

/** Who can log in, with their passwords. Ines may read the documents. */
export const SINGERS: Readonly<Record<string, string>> = {
  ines: 'ines-demo-password',
  grace: 'grace-demo-password',
}

/** The SQLite file that all processes know the singers by. */
export function openDatabase(filename: string): Knex {
  return knexFactory({
    client: 'better-sqlite3',
    connection: { filename },
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  })
}

/** Makes that file, with the singers in it. */
export async function makeDatabase(filename: string): Promise<void> {
  const database = openDatabase(filename)
  try {
    await migrate(database)
    const accounts = sqlUsers(database)
    for (const [username, password] of Object.entries(SINGERS)) {
      const { id } = await accounts.create({ username, password })
      if (username === 'ines') await accounts.grant(id, 'documents.read')
    }
  } finally {
    await database.destroy()
  }
}

import knexFactory, { type Knex } from 'knex'
import { migrate, sqlUsers } from 'koa-strata/sql'

/** Who can log in, with their passwords. */
export const PEOPLE: Readonly<Record<string, string>> = { ada: 'ada-demo-password', noor: 'noor-demo-password' }

/** The paths of the three databases. */
export interface Databases {
  people: string
  shop: string
  forum: string
}

/** Opens an SQLite file; in production a database of MariaDB or PostgreSQL, with the same lines. */
export function openDatabase(filename: string): Knex {
  return knexFactory({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true })
}

/** Makes the three databases, with people, teas and posts. */
export async function fillDatabases({ people, shop, forum }: Databases): Promise<void> {
  await filled(people, async database => {
    await migrate(database)
    const accounts = sqlUsers(database)
    for (const [username, password] of Object.entries(PEOPLE)) await accounts.create({ username, password })
  })
  await filled(shop, async database => {
    await database.schema.createTable('teas', table => {
      table.string('name').primary()
    })
    await database.schema.createTable('wishes', table => {
      table.string('user_key')
      table.string('tea')
      table.primary(['user_key', 'tea'])
    })
    await database('teas').insert(['Assam', 'Darjeeling', 'Earl Grey', 'Rooibos & vanilla'].map(name => ({ name })))
  })
  await filled(forum, async database => {
    await database.schema.createTable('posts', table => {
      table.increments('id')
      table.text('user_key').notNullable()
      table.text('author').notNullable()
      table.text('text').notNullable()
    })
    await database('posts').insert([
      { user_key: 'sql:2', author: 'noor', text: 'Which one for the morning?' },
      { user_key: 'sql:1', author: 'ada', text: 'Assam, and with milk.' },
    ])
  })
}

async function filled(filename: string, fill: (database: Knex) => Promise<void>): Promise<void> {
  const database = openDatabase(filename)
  try {
    await fill(database)
  } finally {
    await database.destroy()
  }
}

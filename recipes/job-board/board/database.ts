import knexFactory, { type Knex } from 'knex'
import { migrate } from 'koa-strata/sql'

/** Opens an SQLite file; it is made where there is none. `':memory:'` lives as long as the instance. */
export function openDatabase(filename: string): Knex {
  return knexFactory({
    client: 'better-sqlite3',
    connection: { filename },
    useNullAsDefault: true,
    pool: {
      afterCreate(connection: { pragma(text: string): void }, done: (error: unknown, connection: unknown) => void) {
        connection.pragma('journal_mode = wal')
        connection.pragma('foreign_keys = on')
        done(null, connection)
      },
    },
  })
}

/**
 * Makes the tables that are missing: the library's by `migrate()`, and the board's own. Profiles, openings and what people send carry user keys
 * (`sql:3`, `partner:bridge-talent/noor`) and no reference to a users table: not everybody has a row there. Moments are epoch milliseconds.
 */
export async function prepareDatabase(database: Knex): Promise<void> {
  await migrate(database)
  for (const [name, columns] of Object.entries(tables)) {
    if (!(await database.schema.hasTable(name))) await database.schema.createTable(name, columns)
  }
}

const tables: Record<string, (table: Knex.CreateTableBuilder) => void> = {
  employers(table) {
    table.text('user_key').primary()
    table.text('company').notNullable()
    table.text('about').notNullable()
  },
  employees(table) {
    table.text('user_key').primary()
    table.text('name').notNullable()
    table.text('city').notNullable()
    table.text('skills').notNullable()
  },
  partners(table) {
    table.text('user_key').primary()
    table.text('agency').notNullable()
    table.text('region').notNullable()
  },
  openings(table) {
    table.increments('id')
    table.text('employer_key').notNullable().index()
    table.text('title').notNullable()
    table.text('place').notNullable()
    table.text('salary').notNullable()
    table.text('description').notNullable()
    table.bigInteger('created_at').notNullable()
    table.bigInteger('updated_at').notNullable()
    table.bigInteger('closed_at')
  },
  // What was sent stays as it was sent: a later change of the profile does not change it.
  applications(table) {
    table.increments('id')
    table.integer('opening_id').notNullable().references('openings.id')
    table.text('employee_key').notNullable().index()
    table.text('name').notNullable()
    table.text('email')
    table.text('city').notNullable()
    table.text('skills').notNullable()
    table.text('letter').notNullable()
    table.bigInteger('created_at').notNullable()
    table.unique(['opening_id', 'employee_key'])
  },
  recommendations(table) {
    table.increments('id')
    table.integer('opening_id').notNullable().references('openings.id')
    table.text('partner_key').notNullable().index()
    table.text('agency').notNullable()
    table.text('email')
    table.text('candidate').notNullable()
    table.text('note').notNullable()
    table.bigInteger('created_at').notNullable()
    table.unique(['opening_id', 'partner_key', 'candidate'])
  },
  activity(table) {
    table.increments('id')
    table.bigInteger('at').notNullable()
    table.text('subject').notNullable().index()
    table.text('employer_key').index()
    table.text('actor').notNullable()
    table.text('summary').notNullable()
    table.text('path')
  },
}

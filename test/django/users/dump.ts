import type { Knex } from 'knex'
import { definitionsOf, tablesOf } from '../../database/catalogue.ts'

/** Every table of a database: how it is defined, and all of its rows. */
export async function dump(knex: Knex): Promise<{ definitions: string[]; rows: Record<string, unknown[]> }> {
  const definitions =
    knex.client.dialect === 'sqlite3'
      ? await knex('sqlite_master').orderBy('name').pluck('sql')
      : await definitionsOf(knex)
  const tables = await tablesOf(knex)
  const rows = await Promise.all(tables.map(async table => [table, await knex(table).select().orderByRaw('1')]))
  return { definitions, rows: Object.fromEntries(rows) }
}

import type { Knex } from 'knex'

/** Somebody who delivers to the canteen: a row of a table of the application. */
export interface Supplier {
  readonly user_key: string
  readonly company: string
  readonly delivers: string
}

/** Where `sqlProfiles()` finds them. */
export const suppliersTable = 'suppliers'

/** Makes the table. */
export async function createSuppliers(database: Knex): Promise<void> {
  await database.schema.createTable(suppliersTable, table => {
    table.string('user_key').primary()
    table.string('company').notNullable()
    table.string('delivers').notNullable()
  })
}

import type { ExecutionContext } from 'ava'
import { newDatabase } from '../../database/servers.ts'

/** A database with a table of people that is an application's own. */
export async function sqlUsersTable(t: ExecutionContext, idType: 'uuid' | 'text') {
  const knex = (await newDatabase(t, 'sqlite')).open()
  await knex.schema.createTable('people', table => {
    if (idType === 'uuid') table.uuid('key').primary()
    else table.text('key').primary()
    table.text('login').unique()
    table.text('secret')
  })
  return { knex }
}

import type { Knex } from 'knex'
import { sqlUsers } from 'koa-strata/sql'

/** Who can log in, with their passwords. */
export const PEOPLE: Readonly<Record<string, string>> = {
  ada: 'ada-demo-password',
  noor: 'noor-demo-password',
}

/** Makes members of a club that has none, each with a boat. */
export async function addMembers(database: Knex, people: Readonly<Record<string, string>>): Promise<void> {
  const accounts = sqlUsers(database)
  for (const [username, password] of Object.entries(people)) {
    const { key } = await accounts.create({ username, password })
    await database('members').insert({ user_key: key, boat: `boat of ${username}` })
  }
}

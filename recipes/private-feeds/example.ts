import knexFactory, { type Knex } from 'knex'
import { migrate, sqlUsers } from 'koa-strata/sql'
import type { Owner } from '../../test/servers/owner.ts'
import { Tools } from './tools.ts'

/** Who can log in, with their passwords. */
export const PEOPLE: Readonly<Record<string, string>> = {
  ines: 'ines-demo-pässwörd☃',
  grace: 'grace-demo-password',
}

const DAY = 86_400_000
const OPENED = Date.UTC(2026, 9, 5, 9)

/** A database in memory, with people, tools and what of them is lent. */
export async function exampleDatabase(owner: Owner): Promise<Knex> {
  const database = knexFactory({
    client: 'better-sqlite3',
    connection: ':memory:',
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  })
  owner.teardown(() => database.destroy())
  await migrate(database)
  const tools = new Tools(database)
  await tools.createTables()
  const names = ['Cordless drill', 'Ladder, 3 m', 'Tile cutter', 'Sewing machine', 'Apple press & strainer']
  for (const [index, name] of names.entries()) await tools.add(name, OPENED + index * DAY)

  const accounts = sqlUsers(database)
  const [ines, grace] = await Promise.all(
    Object.entries(PEOPLE).map(([username, password]) => accounts.create({ username, password })),
  )
  await tools.lend(ines!.key, { tool: 'Cordless drill', lent_at: OPENED + 10 * DAY, due: '2026-11-30' })
  await tools.lend(ines!.key, { tool: 'Tile cutter', lent_at: OPENED + 11 * DAY, due: '2026-12-03' })
  await tools.lend(grace!.key, { tool: 'Sewing machine', lent_at: OPENED + 12 * DAY, due: '2026-12-10' })
  return database
}

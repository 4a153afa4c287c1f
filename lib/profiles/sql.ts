import type { Knex } from 'knex'
import { retried } from '../database/conflicts.ts'
import { checkTableName } from '../database/tables.ts'
import { OptionInvalid } from '../errors.ts'
import { checkText, knownOptions } from '../options.ts'
import type { ProfileSource } from './profile.ts'

/** Options of `sqlProfiles()`. */
export interface SqlProfilesOptions {
  /** The application's own table. */
  table: string
  /** The column that holds `user.key`. @default 'user_key' */
  key?: string | undefined
}

/**
 * Profiles in a table of the application: the row whose key column holds `user.key`. Keys are compared exactly, whatever the collation of the
 * column, which is one of text. The profile is the row, as the driver answers it. What fails in the database rejects with its error, without keys.
 * @throws OptionInvalid naming the option that is wrong
 */
export function sqlProfiles<Profile extends object>(knex: Knex, options: SqlProfilesOptions): ProfileSource<Profile> {
  const where = 'sqlProfiles()'
  if (typeof knex !== 'function' || !knex.client)
    throw new OptionInvalid(where, 'knex', 'must be a knex instance: knex({ client: … }).')
  knownOptions(where, options, ['table', 'key'])
  const { table, key = 'user_key' } = options
  checkTableName(where, table, 'employers')
  checkText(where, 'key', key, /^[^\s`"'?\0.*]+$/, "must be the name of a column, as 'user_key'.")

  const find = async (keys: string[]): Promise<Map<unknown, Profile>> => {
    const rows: Record<string, unknown>[] = await retried(() => knex(table).whereIn(key, keys))
    return new Map(rows.map(row => [String(row[key]), row as Profile]))
  }
  return {
    find: async user => (await find([user.key])).get(user.key) ?? null,
    async findMany(users) {
      const found = await find(users.map(user => user.key))
      return users.map(user => found.get(user.key) ?? null)
    },
  }
}

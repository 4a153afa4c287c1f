import type { Knex } from 'knex'
import { retried } from '../database/conflicts.ts'
import { dialectOf } from '../database/dialects.ts'
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

/** Profiles in an SQL table, which can go over to another user. */
export interface SqlProfiles<Profile> extends ProfileSource<Profile> {
  /**
   * Gives `to` the rows of the user whose key is `from`, as a part of a transaction; nothing where there are none. Needs SQLite, MariaDB or
   * PostgreSQL.
   */
  carry(from: string, to: string, trx: Knex.Transaction): Promise<void>
}

/** The name by which the key is asked for beside the row: instances that turn snake_case into camelCase leave it alone. */
const KEY = 'stratakey'

/**
 * Profiles in a table of the application: the row whose key column holds `user.key`. Keys are compared exactly, whatever the collation of the
 * column, which is one of text. The profile is the row, as the driver answers it. What fails in the database rejects with its error, without keys.
 * @throws OptionInvalid naming the option that is wrong
 */
export function sqlProfiles<Profile extends object>(knex: Knex, options: SqlProfilesOptions): SqlProfiles<Profile> {
  const where = 'sqlProfiles()'
  if (typeof knex !== 'function' || !knex.client)
    throw new OptionInvalid(where, 'knex', 'must be a knex instance: knex({ client: … }).')
  knownOptions(where, options, ['table', 'key'])
  const { table, key = 'user_key' } = options
  checkTableName(where, table, 'employers')
  checkText(where, 'key', key, /^[^\s`"'?\0.*]+$/, "must be the name of a column, as 'user_key'.")

  const find = async (keys: string[]): Promise<Map<string, Profile>> => {
    // PostgreSQL refuses NUL in text, and with it the whole look-up, which may be about others too.
    const possible = keys.filter(one => !one.includes('\0'))
    const rows: Record<string, unknown>[] = await retried(() =>
      knex(table)
        .select(`${table}.*`, { [KEY]: key })
        .whereIn(key, possible),
    )
    return new Map(
      rows.map(row => {
        const owner = String(row[KEY])
        delete row[KEY]
        return [owner, row as Profile]
      }),
    )
  }
  return {
    find: async user => (await find([user.key])).get(user.key) ?? null,
    async findMany(users) {
      const found = await find(users.map(user => user.key))
      return users.map(user => found.get(user.key) ?? null)
    },
    async carry(from, to, trx) {
      const { exactly } = dialectOf('sqlProfiles().carry()', trx)
      await trx(table)
        .where({ [key]: from })
        .whereRaw(exactly, [key, from])
        .update({ [key]: to })
    },
  }
}

import type { Knex } from 'knex'
import { isDuplicate } from '../database/conflicts.ts'
import { dialectOf } from '../database/dialects.ts'
import { runOn } from '../database/run.ts'
import { checkColumnName, checkTableName } from '../database/tables.ts'
import { OptionInvalid, ProfileExists, ProfileUnknown } from '../errors.ts'
import { checkDuration, knownOptions } from '../options.ts'
import type { ProfileSource } from './profile.ts'
import { checkFields, rowOf } from './values.ts'

/** Options of `sqlProfiles()`. */
export interface SqlProfilesOptions<Profile = Record<string, unknown>> {
  /** The application's own table. */
  table: string
  /** The column that holds `user.key`: the primary key, or unique. @default 'user_key' */
  key?: string | undefined
  /** The columns that `create()` and `change()` may set, and no others. @default none */
  fields?: readonly (keyof Profile & string)[] | undefined
  /**
   * How long a statement may go without an answer of the server, in milliseconds, until its connection is given up for another one.
   * Transactions are waited for, and so is SQLite. @default 5,000
   */
  timeout?: number | undefined
}

/** Whose profile it is. */
export interface ProfileOwner {
  readonly key: string
}

/**
 * Profiles in an SQL table, and the way to write them. Each method writes the owner's own row and no other, by itself or as a part of the
 * transaction that it is handed; requests that are running keep the profile they began with, and `ctx.reloadProfile()` gets the new one.
 */
export interface SqlProfiles<Profile> extends ProfileSource<Profile> {
  /**
   * Makes the owner's profile.
   * @throws ProfileInvalid, naming each value that is none of `fields` or cannot be stored as it is; ProfileExists. One that is made within a
   * transaction at the same time as another is the database's error
   */
  create(owner: ProfileOwner, values: Partial<Profile>, trx?: Knex.Transaction): Promise<void>
  /** Changes these fields of the owner's profile. @throws ProfileInvalid as `create()` does; ProfileUnknown */
  change(owner: ProfileOwner, values: Partial<Profile>, trx?: Knex.Transaction): Promise<void>
  /** Removes the owner's profile. @throws ProfileUnknown */
  remove(owner: ProfileOwner, trx?: Knex.Transaction): Promise<void>
  /** Gives `to` the rows of the user whose key is `from`, as a part of a transaction; nothing where there are none. */
  carry(from: string, to: string, trx: Knex.Transaction): Promise<void>
}

/** The name by which the key is asked for beside the row: instances that turn snake_case into camelCase leave it alone. */
const KEY = 'stratakey'

/**
 * Profiles in a table of the application, in SQLite, MariaDB or PostgreSQL: the row whose key column holds `user.key`. Keys are compared exactly,
 * whatever the collation of the column, which is one of text. The profile is the row, as the driver answers it. What fails in the database
 * rejects with its error, without keys.
 * @throws OptionInvalid naming the option that is wrong
 */
export function sqlProfiles<Profile extends object>(
  knex: Knex,
  options: SqlProfilesOptions<Profile>,
): SqlProfiles<Profile> {
  const where = 'sqlProfiles()'
  const { exactly } = dialectOf(where, knex)
  knownOptions(where, options, ['table', 'key', 'fields', 'timeout'])
  const { table, key = 'user_key', fields = [], timeout = 5_000 } = options
  checkTableName(where, table, 'employers')
  checkColumnName(where, 'key', key, 'user_key')
  checkFields(where, fields, key)
  checkDuration(where, 'timeout', timeout)
  const run = runOn(where, knex, timeout)
  const runIn = (trx?: Knex.Transaction) => (trx ? runOn(where, trx, timeout) : run)

  const find = async (keys: string[], trx?: Knex.Transaction): Promise<Map<string, Profile>> => {
    const possible = keys.filter(isPossible)
    if (possible.length === 0) return new Map()
    const rows: Record<string, unknown>[] = await runIn(trx)(() =>
      (trx ?? knex)(table)
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
  const has = async (owner: string, trx?: Knex.Transaction) => (await find([owner], trx)).has(owner)
  const own = (owner: string, trx: Knex = knex): Knex.QueryBuilder =>
    trx(table)
      .where({ [key]: owner })
      .whereRaw(exactly, [key, owner])

  return {
    find: async user => (await find([user.key])).get(user.key) ?? null,
    async findMany(users) {
      const found = await find(users.map(user => user.key))
      return users.map(user => found.get(user.key) ?? null)
    },
    async create(owner, values, trx) {
      const where = 'sqlProfiles().create()'
      const ownKey = keyOf(where, owner)
      if (!isPossible(ownKey))
        throw new OptionInvalid(
          where,
          'owner',
          'has a key with a NUL or half a character in it, which no database takes as text.',
        )
      const row = { ...rowOf(values, fields), [key]: ownKey }
      // First, since an insert that fails would be the end of the application's transaction on PostgreSQL.
      if (await has(ownKey, trx)) throw new ProfileExists()
      try {
        await runIn(trx)(() => (trx ?? knex)(table).insert(row))
      } catch (error) {
        const mayLook = !(trx ?? knex).isTransaction
        if (mayLook && isDuplicate(error) && (await has(ownKey))) throw new ProfileExists()
        throw error
      }
    },
    async change(owner, values, trx) {
      const ownKey = keyOf('sqlProfiles().change()', owner)
      const row = rowOf(values, fields)
      const update = () => runIn(trx)(() => own(ownKey, trx).update(row))
      const isThere = isPossible(ownKey) && (Object.keys(row).length > 0 ? await update() : await has(ownKey, trx))
      if (!isThere) throw new ProfileUnknown()
    },
    async remove(owner, trx) {
      const ownKey = keyOf('sqlProfiles().remove()', owner)
      const isThere = isPossible(ownKey) && (await runIn(trx)(() => own(ownKey, trx).del()))
      if (!isThere) throw new ProfileUnknown()
    },
    async carry(from, to, trx) {
      if (isPossible(from)) await runIn(trx)(() => own(from, trx).update({ [key]: to }))
    },
  }
}

/**
 * Whether somebody with this key can have a profile, in any of the databases. PostgreSQL refuses NUL in text, and with it a whole look-up, which
 * may be about others too; half a surrogate pair would be stored as the one character that stands for all that is none.
 */
function isPossible(key: string): boolean {
  return !key.includes('\0') && key.isWellFormed()
}

function keyOf(where: string, owner: ProfileOwner): string {
  if (typeof owner?.key === 'string' && owner.key !== '') return owner.key
  throw new OptionInvalid(where, 'owner', 'must be somebody with a key: anonymous users have no profile.')
}

import { OptionInvalid } from '../errors.ts'

/** The databases that the library speaks to. */
export type DialectName = 'sqlite' | 'mariadb' | 'postgresql'

const BY_KNEX_NAME: Record<string, DialectName> = { sqlite3: 'sqlite', mysql: 'mariadb', postgresql: 'postgresql' }

/**
 * Which database a knex instance speaks to.
 * @throws OptionInvalid in the name of `where` when it is no knex instance, or one for another database
 */
export function dialectNameOf(where: string, knex: unknown, option = 'knex'): DialectName {
  const client: unknown = typeof knex === 'function' ? (knex as { client?: unknown }).client : undefined
  const name: unknown = client && (client as { dialect?: unknown }).dialect
  if (typeof name !== 'string') throw new OptionInvalid(where, option, 'must be a knex instance: knex({ client: … }).')
  const dialect = Object.hasOwn(BY_KNEX_NAME, name) ? BY_KNEX_NAME[name] : undefined
  if (!dialect) {
    throw new OptionInvalid(
      where,
      option,
      `must have the client 'better-sqlite3', 'mysql2' or 'pg', not one for ${name}.`,
    )
  }
  return dialect
}

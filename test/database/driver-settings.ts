import type { Knex } from 'knex'
import pg from 'pg'
import { type DatabaseName, onConnect } from './servers.ts'

/** Turns the snake_case of columns into camelCase, as objection's mappers do. */
function camelCase(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(camelCase)
  if (result?.constructor !== Object) return result
  const camel = (name: string) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [camel(name), value]))
}

/** Turns the camelCase of identifiers into snake_case, and the answers back. */
const MAPPERS: Knex.Config = {
  wrapIdentifier: (name, wrap) => wrap(name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)),
  postProcessResponse: camelCase,
}

/** How people set up their drivers and connections, several of it at once. */
export const DRIVER_SETTINGS: Record<string, [name: DatabaseName, config: Knex.Config]> = {
  'mariadb with numbers as text, in the old utf8, without FOUND_ROWS, not strict': [
    'mariadb',
    {
      connection: {
        flags: ['-FOUND_ROWS'],
        supportBigNumbers: true,
        bigNumberStrings: true,
        charset: 'utf8',
      } as object,
      ...onConnect("set session sql_mode = ''"),
    },
  ],
  'mariadb with booleans, strict snapshots': [
    'mariadb',
    {
      connection: {
        typeCast: (field: { type: string; string(): string }, next: () => void) =>
          field.type === 'TINY' ? field.string() === '1' : next(),
      } as object,
      ...onConnect('set session innodb_snapshot_isolation = on'),
    },
  ],
  'mariadb with everything as bytes, READ COMMITTED': [
    'mariadb',
    {
      connection: { typeCast: false } as object,
      ...onConnect('set session transaction isolation level read committed'),
    },
  ],
  'mariadb with camelCase': ['mariadb', MAPPERS],
  'postgresql with camelCase, REPEATABLE READ': [
    'postgresql',
    { ...MAPPERS, ...onConnect("set default_transaction_isolation = 'repeatable read'") },
  ],
  'postgresql with BigInt, SERIALIZABLE': [
    'postgresql',
    {
      connection: {
        types: {
          getTypeParser: (id: number, format: 'text') => (id === 20 ? BigInt : pg.types.getTypeParser(id, format)),
        },
      } as object,
      ...onConnect("set default_transaction_isolation = 'serializable'"),
    },
  ],
}

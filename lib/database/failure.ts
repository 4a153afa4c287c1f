import { StrataError } from '../errors.ts'

/** What tells of an error and quotes no statement, in the drivers' own names. */
const KEPT = ['code', 'errno', 'sqlState', 'sqlMessage', 'constraint', 'severity']

/**
 * A database's error without the statement, into whose text knex and the drivers put its values: session data, hashes, names. What is left is
 * what the database itself said, with its codes.
 */
export function withoutStatement(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StrataError || !('code' in error)) return error
  const kept = Object.fromEntries(KEPT.filter(name => name in error).map(name => [name, Reflect.get(error, name)]))
  // knex writes '<statement> - <message>' over the driver's message.
  return Object.assign(new Error(kept.sqlMessage ?? error.message.split(' - ').at(-1)), kept)
}

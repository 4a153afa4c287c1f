import { StrataError } from '../errors.ts'

/**
 * A database's error without the statement, into whose text knex and the drivers put its values: session data, hashes, names. What is left is
 * what the database itself said, with its codes.
 */
export function withoutStatement(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StrataError || !('code' in error)) return error
  const { sqlMessage } = error as { sqlMessage?: unknown }
  // knex writes '<statement> - <message>' over the driver's message.
  const said = typeof sqlMessage === 'string' ? sqlMessage : error.message.slice(error.message.lastIndexOf(' - ') + 1)
  const quiet = new Error(said.replace(/^- /, ''))
  const { code, errno, sqlState, constraint, severity } = error as unknown as Record<string, unknown>
  for (const [name, value] of Object.entries({ code, errno, sqlState, constraint, severity })) {
    if (value !== undefined) Object.assign(quiet, { [name]: value })
  }
  return Object.assign(quiet, typeof sqlMessage === 'string' ? { sqlMessage } : {})
}

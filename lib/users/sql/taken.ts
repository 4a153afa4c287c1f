import type { Knex } from 'knex'
import { isDuplicate } from '../../database/conflicts.ts'
import { UserExists } from '../../errors.ts'
import type { UserRecord } from './columns.ts'
import { lookalikes, type Naming, namesakes } from './lookup.ts'
import type { UserTable } from './table.ts'

/**
 * Where a table of the application has no index of canonical forms: refuses a name or an address that somebody else goes by.
 * @throws UserExists
 */
export async function checkFree(
  table: UserTable,
  names: Partial<Pick<UserRecord, Naming>>,
  trx: Knex.Transaction,
  own?: string,
): Promise<void> {
  if (table.companions) return
  for (const naming of ['username', 'email'] as const) {
    const found = await namesakes(table, names[naming], ['username', 'email'], trx)
    if ([...found.username, ...found.email].some(user => user.id !== own)) throw new UserExists(naming)
  }
}

/** What to throw for a user who could not be stored: UserExists where the database says that another one has the name or address. */
export async function storingError(
  table: UserTable,
  error: unknown,
  names: Partial<Pick<UserRecord, Naming>>,
): Promise<unknown> {
  if (!isDuplicate(error)) return error
  if (table.companions) return new UserExists(takenField(error as Error))
  // Who knows what the application's indexes are called.
  for (const naming of ['email', 'username'] as const) {
    const name = names[naming]
    if (typeof name === 'string' && (await lookalikes(table, name, [naming])).length > 0) return new UserExists(naming)
  }
  return error
}

/** PostgreSQL names the index; the others name it at the end of their message, behind text that the client may have chosen. */
export function takenField(error: Error & { constraint?: string; sqlMessage?: string }): Naming {
  const index = error.constraint ?? /(?:failed: |for key ')([^']+)'?$/.exec(error.sqlMessage ?? error.message)?.[1]
  return index?.includes('email_canonical') ? 'email' : 'username'
}

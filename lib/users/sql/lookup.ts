import type { Knex } from 'knex'
import { canonicalForm, canonicalLogin } from '../canonical.ts'
import type { UserRecord } from './columns.ts'
import type { UserTable } from './table.ts'

/** What people go by. */
export type Naming = 'username' | 'email'

const CANONICAL = { username: 'usernameCanonical', email: 'emailCanonical' } as const

/**
 * The user who goes by what somebody typed: by the first of these columns in which anybody does. Where canonical forms are not unique it is the
 * one who is written exactly so.
 */
export async function userBy(
  table: UserTable,
  typed: unknown,
  namings: readonly Naming[],
): Promise<UserRecord | undefined> {
  const found = await namesakes(table, typed, namings)
  for (const naming of namings) {
    const same = found[naming]
    if (same.length === 1) return same[0]
    const exact = same.filter(user => user[naming] === typed)
    if (same.length > 0) return exact.length === 1 ? exact[0] : undefined
  }
  return undefined
}

/** All who go by what somebody typed, by name or by address: compared again, since the database may think other texts equal. */
export async function namesakes(
  table: UserTable,
  typed: unknown,
  namings: readonly Naming[],
  trx?: Knex.Transaction,
): Promise<Record<Naming, UserRecord[]>> {
  const canonical = typeof typed === 'string' ? canonicalLogin(typed) : null
  const found = canonical === null ? [] : await lookalikes(table, typed as string, namings, trx)
  const by = (naming: Naming) => found.filter(user => canonicalOf(table, user, naming) === canonical)
  return {
    username: namings.includes('username') ? by('username') : [],
    email: namings.includes('email') ? by('email') : [],
  }
}

/** Whom the database finds under a name or an address that has a canonical form. */
export async function lookalikes(
  table: UserTable,
  typed: string,
  namings: readonly Naming[],
  trx?: Knex.Transaction,
): Promise<UserRecord[]> {
  const { columns } = table
  const present = namings.filter(naming => columns.has(naming))
  if (present.length === 0) return []
  const canonical = canonicalForm(typed)
  return table.select(query => {
    for (const naming of present) {
      const isKept = columns.has(CANONICAL[naming])
      query.orWhereIn(columns.name(isKept ? CANONICAL[naming] : naming), isKept ? [canonical] : [typed, canonical])
    }
  }, trx)
}

function canonicalOf(table: UserTable, user: UserRecord, naming: Naming): string | null {
  if (table.columns.has(CANONICAL[naming])) return user[CANONICAL[naming]]
  const name = user[naming]
  return name === null ? null : canonicalForm(name)
}

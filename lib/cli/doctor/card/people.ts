import { descriptionOf } from '../../../described.ts'
import type { UserBackend } from '../../../users/backend.ts'
import type { SqlUsersDescription } from '../../../users/sql/users.ts'
import type { AuthenticatedUser } from '../../../users/user.ts'
import { textFingerprint } from './fingerprint.ts'

/** Some of a backend's people, by whom another one can be told to have the same. */
export interface People {
  readonly backend: string
  readonly ids: readonly string[]
  /** Whether the fingerprint is made of the moments too at which they were made: two tables may each have an `admin` as the first one. */
  readonly isDated: boolean
  /**
   * Of their ids and names, all at once. No stamp is in it: it comes from the password's hash, which in a table of an application may be one that
   * can be guessed.
   */
  readonly fingerprint: string
}

/** How many are taken from each end of a table: the last are those that an older copy of it lacks. */
const EACH_END = 5
export const MOST_PEOPLE = 2 * EACH_END

/** Some of a backend's people; null where it does not tell whom it has, as `sqlUsers()` does. */
export async function somePeople(backend: UserBackend, salt: string): Promise<People | null> {
  const table = descriptionOf<SqlUsersDescription>('sqlUsers()', backend)?.table
  if (!table) return null
  const id = table.columns.name('id')
  const end = async (direction: 'asc' | 'desc') => {
    const rows = await table.run(() => table.rows().select({ id }).orderBy(id, direction).limit(EACH_END))
    return (rows as Record<string, unknown>[]).map(row => table.columns.record(row).id)
  }
  const ids = new Set([...(await end('asc')), ...(await end('desc'))].filter(one => table.isId(one)))
  const found = await peopleBy(backend, [...ids])
  const isDated = areDated(found)
  const fingerprint = fingerprintOf(salt, found, isDated)
  return { backend: backend.name, ids: found.map(user => user.id), isDated, fingerprint }
}

/** Those of these ids whom a backend has. */
export async function peopleBy(backend: UserBackend, ids: readonly string[]): Promise<AuthenticatedUser[]> {
  const users = await (backend.loadMany?.([...ids]) ?? Promise.all(ids.map(id => backend.load(id))))
  return users.filter(user => user !== null)
}

/** Whether it is known of each when they were made. */
export function areDated(people: readonly AuthenticatedUser[]): boolean {
  return people.every(user => madeAt(user) !== null)
}

/** The fingerprint of people, in this order. */
export function fingerprintOf(salt: string, people: readonly AuthenticatedUser[], isDated: boolean): string {
  const facts = people.map(user => [user.id, user.username, ...(isDated ? [madeAt(user)] : [])])
  return textFingerprint(salt, JSON.stringify(facts))
}

function madeAt(user: AuthenticatedUser & { createdAt?: unknown }): number | null {
  return user.createdAt instanceof Date ? user.createdAt.getTime() : null
}

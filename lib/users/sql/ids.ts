import { idProblem } from '../backend.ts'

/** How the ids of users are written. */
export type IdType = 'integer' | 'uuid' | 'text'

export const ID_TYPES: readonly IdType[] = ['integer', 'uuid', 'text']

/** What columns of ids hold at most. */
const LARGEST_ID = 2n ** 63n - 1n

/**
 * Whether a user could have this id. All else never reaches the database, which might read '1x' as 1, or refuse it. Integers are written in
 * decimal, in the one way there is.
 */
export function isUserId(type: IdType, id: unknown): id is string {
  if (typeof id !== 'string') return false
  if (type === 'integer') return /^[1-9]\d{0,18}$/.test(id) && BigInt(id) <= LARGEST_ID
  if (type === 'uuid') return /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(id)
  return idProblem(id) === null && !id.includes('\0')
}

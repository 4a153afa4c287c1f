import { canonicalForm, canonicalLogin } from '../../users/canonical.ts'
import type { DjangoTable, DjangoUserRecord, Naming } from './table.ts'

/**
 * The user who goes by what somebody typed: by name where anybody does, else by address, in canonical form. Of several whose names have one
 * canonical form it is the one who is written exactly so. An address that several have is nobody's: Django verifies none of them.
 */
export async function userCalled(
  table: DjangoTable,
  typed: unknown,
  by: readonly Naming[],
): Promise<DjangoUserRecord | undefined> {
  const canonical = typeof typed === 'string' ? canonicalLogin(typed) : null
  if (typeof typed !== 'string' || canonical === null) return undefined
  // Django stores names in NFKC.
  const forms = [...new Set([typed, typed.normalize('NFKC'), canonical])]
  const found = await table.called(forms, canonical, by)
  const named = by.includes('username') ? found.filter(user => canonicalForm(user.username) === canonical) : []
  if (named.length > 0) return named.length === 1 ? named[0] : only(named.filter(user => user.username === typed))
  return by.includes('email')
    ? only(found.filter(({ email }) => email && canonicalForm(email) === canonical))
    : undefined
}

function only(users: readonly DjangoUserRecord[]): DjangoUserRecord | undefined {
  return users.length === 1 ? users[0] : undefined
}

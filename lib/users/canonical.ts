import { CANONICAL_LENGTH } from '../database/canonical-length.ts'

/** The longest user name, in code points. */
export const LONGEST_USERNAME = 150
/** The longest e-mail address, in code points (RFC 5321 §4.5.3.1.3, less the angle brackets). */
export const LONGEST_EMAIL = 254

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u
const OUTER_SPACE = /^\s|\s$/u
const ADDRESS = /^[^@\s:]+@[^@\s:]+$/u

/**
 * The one form in which user names and e-mail addresses are compared: NFKC (UAX #15), then each code point lower-cased by itself, so that
 * neither a locale nor a letter's neighbours matter and 'ς' is 'σ', then NFKC again. A canonical form is its own canonical form. 'İ' and 'ı'
 * do not become 'i'.
 */
export function canonicalForm(text: string): string {
  let lower = ''
  for (const char of text.normalize('NFKC')) lower += char === 'ς' ? 'σ' : char.toLowerCase()
  return lower.normalize('NFKC')
}

/**
 * The canonical form of what somebody typed as name or address, or null where no user can have it. Such text never reaches a database, which
 * might refuse it (NUL, lone surrogates) or cut it off.
 */
export function canonicalLogin(typed: string): string | null {
  // Composing shortens, by no more than four.
  if (typed.length > 8 * CANONICAL_LENGTH || !typed.isWellFormed() || INVISIBLE.test(typed)) return null
  const canonical = canonicalForm(typed)
  return canonical === '' || lengthOf(canonical) > CANONICAL_LENGTH ? null : canonical
}

/**
 * What is wrong with a new user's name, in words for a form, or null. Names have 1–150 characters, all visible, no white space at either end,
 * no ':' (HTTP Basic cannot carry it, RFC 7617 §2), and no '@' unless they are the user's own address, so that nobody takes another's address
 * for a name. This holds for the canonical form too.
 */
export function usernameProblem(username: unknown, ownEmail: unknown): string | null {
  if (typeof username !== 'string') return 'The name must be text.'
  if (username === '') return 'Please choose a name.'
  if (tooLong(username, LONGEST_USERNAME)) return `The name must have at most ${LONGEST_USERNAME} characters.`
  if (!username.isWellFormed() || INVISIBLE.test(username))
    return 'The name must not hold control characters or characters that cannot be seen.'
  const canonical = canonicalForm(username)
  if (lengthOf(canonical) > CANONICAL_LENGTH) return 'The name is too long: some of its characters stand for many.'
  if (OUTER_SPACE.test(username) || OUTER_SPACE.test(canonical)) return 'The name must not begin or end with a space.'
  if (canonical.includes(':')) return "The name must not hold ':'."
  if (canonical.includes('@') && !(typeof ownEmail === 'string' && canonicalLogin(ownEmail) === canonical))
    return "The name must not hold '@', unless it is the same as the e-mail address."
  return null
}

/**
 * What is wrong with a new user's e-mail address, in words for a form, or null. Addresses have one '@' between two parts, at most 254
 * characters, all visible, no white space and no ':'. This holds for the canonical form too.
 */
export function emailProblem(email: unknown): string | null {
  const problem = 'Please enter an e-mail address, as name@example.org.'
  if (typeof email !== 'string') return problem
  if (tooLong(email, LONGEST_EMAIL)) return `The e-mail address must have at most ${LONGEST_EMAIL} characters.`
  const canonical = canonicalLogin(email)
  return canonical !== null && ADDRESS.test(email) && ADDRESS.test(canonical) ? null : problem
}

function tooLong(text: string, most: number): boolean {
  return text.length > 2 * most || lengthOf(text) > most
}

function lengthOf(text: string): number {
  return [...text].length
}

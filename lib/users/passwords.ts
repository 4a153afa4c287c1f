import { hash as argon2, type Options, parseOptions, verify as verifyArgon2 } from '@node-rs/argon2'
import { UserInvalid } from '../errors.ts'
import { type ForeignHash, parseForeignHash, verifyForeignHash } from './foreign-hashes.ts'

/** The longest password, in bytes of UTF-8 after NFC. */
export const LONGEST_PASSWORD = 4096

const ARGON2ID = 2
const VERSION_19 = 1
/** OWASP's first recommendation for argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 } satisfies Options
const SALT_BYTES = 16
const HASH_BYTES = 32

/** The most an argon2 hash may ask for: beyond it, a hash is a way to bring the server down. */
const MOST_MEMORY_KIB = 262_144
const MOST_WORK_KIB = 4_194_304
const MOST_LANES = 64
const LEAST_HASH_BYTES = 16
const MOST_HASH_BYTES = 128

/** A hash of nothing in particular: verifying it takes the time of a real one. Nobody's password. */
const DUMMY = `$argon2id$v=19$m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`

/**
 * The hash under which to store a password: argon2id (RFC 9106) with 19 MiB, two passes and one lane, as a PHC string, over the NFC form of
 * the password (RFC 8265 §4), which is never truncated.
 * @throws UserInvalid, naming the field `password`, where it is empty, above 4,096 bytes of UTF-8 or not well-formed; nothing is hashed then
 */
export async function hashPassword(password: string): Promise<string> {
  const problem = passwordProblem(password)
  if (problem) throw new UserInvalid({ password: problem })
  return argon2(passwordBytes(password)!, PARAMETERS)
}

/** What is wrong with a new password, in words for a form, or null. */
export function passwordProblem(password: unknown): string | null {
  if (typeof password !== 'string' || password === '') return 'Please choose a password.'
  return passwordBytes(password) ? null : 'The password must be text of at most 4,096 bytes.'
}

/**
 * Whether the password belongs to the hash. Knows PHC strings of argon2id, argon2i, argon2d, scrypt and PBKDF2 with any sane parameters, the
 * form of PBKDF2 that passlib writes, and Django's `argon2$…`, `scrypt$…`, `pbkdf2_sha256$…` and `pbkdf2_sha1$…`. All else verifies nothing,
 * in the time that our own hash would take: no hash, Django's unusable ones (`!…`), bcrypt, and parameters that would cost more than 256 MiB
 * or some seconds. A password that `hashPassword` would refuse is false without hashing.
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const bytes = passwordBytes(password)
  if (!bytes) return false
  const argon2Hash = argon2Of(hash ?? '')
  if (argon2Hash !== null) return verifyArgon2(argon2Hash, bytes)
  const foreign: ForeignHash | null = parseForeignHash(hash ?? '')
  if (foreign) return verifyForeignHash(bytes, foreign)
  await verifyArgon2(DUMMY, bytes)
  return false
}

/** Whether a hash that just verified is weaker than, or of another format than, what `hashPassword` makes. */
export function needsRenewal(hash: string): boolean {
  if (argon2Of(hash) !== hash) return true
  const { algorithm, version, memoryCost, timeCost, parallelism, outputLen, saltLen } = parseOptions(hash)
  return !(
    algorithm === ARGON2ID &&
    version === VERSION_19 &&
    memoryCost >= PARAMETERS.memoryCost &&
    timeCost >= PARAMETERS.timeCost &&
    parallelism >= PARAMETERS.parallelism &&
    outputLen >= HASH_BYTES &&
    saltLen >= SALT_BYTES
  )
}

/** The argon2 PHC string in a hash, which Django writes with its own prefix, or null where there is none that may be run. */
function argon2Of(hash: string): string | null {
  const phc = hash.startsWith('argon2$') ? hash.slice('argon2'.length) : hash
  if (!/^\$argon2(?:id|i|d)\$/.test(phc)) return null
  try {
    const { memoryCost, timeCost, parallelism, outputLen } = parseOptions(phc)
    const sane =
      memoryCost <= MOST_MEMORY_KIB &&
      memoryCost * timeCost <= MOST_WORK_KIB &&
      parallelism <= MOST_LANES &&
      outputLen >= LEAST_HASH_BYTES &&
      outputLen <= MOST_HASH_BYTES
    return sane ? phc : null
  } catch {
    return null
  }
}

/** What is hashed of a password, or null where it is no password. */
function passwordBytes(password: string): Buffer | null {
  // NFC shortens, by no more than four.
  if (password === '' || password.length > 4 * LONGEST_PASSWORD || !password.isWellFormed()) return null
  const bytes = Buffer.from(password.normalize('NFC'))
  return bytes.length > LONGEST_PASSWORD ? null : bytes
}

import { hash as argon2, type Options, parseOptions, verify as verifyArgon2 } from '@node-rs/argon2'
import { UserInvalid } from '../errors.ts'
import { parseBcrypt, verifyBcrypt } from './passwords/bcrypt.ts'
import { parseForeignHash, remainderOf, verifyForeignHash } from './passwords/foreign-hashes.ts'
import { hashing } from './passwords/queue.ts'

/** The longest password, in bytes of the UTF-8 that is hashed. */
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
 * the password (RFC 8265 §4), which is never truncated. Hashing is done beside the event loop, a few passwords of the process at a time.
 * @throws UserInvalid, naming the field `password`, where it is empty, above 4,096 bytes of UTF-8 or not well-formed; nothing is hashed then
 * @throws PasswordsBusy (503) where too many passwords wait to be hashed
 */
export async function hashPassword(password: string): Promise<string> {
  const problem = passwordProblem(password)
  if (problem) throw new UserInvalid({ password: problem })
  return hashing.run(() => argon2(passwordBytes(password)!, PARAMETERS))
}

/** What is wrong with a new password, in words for a form, or null. */
export function passwordProblem(password: unknown): string | null {
  if (typeof password !== 'string' || password === '') return 'Please choose a password.'
  return passwordBytes(password) ? null : 'The password must be text of at most 4,096 bytes.'
}

/**
 * Whether the password belongs to the hash. Knows PHC strings of argon2id, argon2i, argon2d, scrypt and PBKDF2 with any sane parameters, the
 * form of PBKDF2 that passlib writes, bcrypt as crypt(3) writes it (`$2a$`, `$2b$`, `$2y$`), and Django's `argon2$…`, `scrypt$…`, `bcrypt$…`,
 * `bcrypt_sha256$…`, `pbkdf2_sha256$…` and `pbkdf2_sha1$…`. All else verifies nothing, in the time that our own hash would take: no hash,
 * Django's unusable ones (`!…`), other formats, and parameters that would cost more than 256 MiB or some seconds. A password that
 * `hashPassword` would refuse is false without hashing. bcrypt itself compares the first 72 bytes alone, and takes no password with NUL; scrypt
 * and PBKDF2 take none that ends with NUL. A hash of another algorithm takes its own time: until it is renewed, its user can be told from nobody
 * by that.
 * @throws PasswordsBusy (503) where too many passwords wait to be hashed: this says nothing about the password
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const bytes = passwordBytes(password)
  if (!bytes) return false
  const check = checkOf(hash ?? '')
  return hashing.run(async () => {
    if (check) return check(bytes)
    await verifyArgon2(DUMMY, bytes)
    return false
  })
}

/**
 * The same for hashes that another system makes, over the UTF-8 of what was typed, in whichever normal form. A password that is wrong takes the
 * time of `usual`, a hash as that system makes them: where there is no hash that may be run, and where the hash is PBKDF2 with fewer iterations.
 * @param usual whose password it is does not matter; null, or one that may not be run: one of our own
 * @throws PasswordsBusy (503) where too many passwords wait to be hashed: this says nothing about the password
 */
export async function verifyForeignPassword(
  password: string,
  hash: string | null,
  usual: string | null,
): Promise<boolean> {
  const bytes = passwordBytes(password, 'as typed')
  if (!bytes) return false
  const check = checkOf(hash ?? '')
  const wasted = checkOf(usual ?? '') ?? checkOf(DUMMY)!
  const rest = remainderOf(usual ?? '', hash ?? '')
  return hashing.run(async () => {
    if (await check?.(bytes)) return true
    if (!check) await wasted(bytes)
    else if (rest) await verifyForeignHash(bytes, rest)
    return false
  })
}

/** What checks a password against the hash, or null where it is none that may be run. */
function checkOf(hash: string): ((password: Buffer) => Promise<boolean>) | null {
  const argon2Hash = argon2Of(hash)
  if (argon2Hash !== null) return password => verifyArgon2(argon2Hash, password)
  const bcryptHash = parseBcrypt(hash)
  if (bcryptHash) return password => verifyBcrypt(password, bcryptHash)
  const foreignHash = parseForeignHash(hash)
  return foreignHash && (password => verifyForeignHash(password, foreignHash))
}

/** Whether some password can belong to the hash: its format is known, and its parameters may be run. */
export function isVerifiable(hash: string): boolean {
  return checkOf(hash) !== null
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
function passwordBytes(password: string, form: 'NFC' | 'as typed' = 'NFC'): Buffer | null {
  // NFC shortens, by no more than four.
  if (password === '' || password.length > 4 * LONGEST_PASSWORD || !password.isWellFormed()) return null
  const bytes = Buffer.from(form === 'NFC' ? password.normalize('NFC') : password)
  return bytes.length > LONGEST_PASSWORD ? null : bytes
}

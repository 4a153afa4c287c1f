import { type BinaryLike, pbkdf2, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const scryptKey = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt)
const pbkdf2Key = promisify(pbkdf2)

/** A hash of another algorithm than argon2, taken apart, with parameters that may be run. */
export type ForeignHash = ScryptHash | Pbkdf2Hash

interface ScryptHash {
  readonly algorithm: 'scrypt'
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Buffer
  readonly key: Buffer
}

interface Pbkdf2Hash {
  readonly algorithm: 'pbkdf2'
  readonly digest: 'sha1' | 'sha256' | 'sha512'
  readonly iterations: number
  readonly salt: Buffer
  readonly key: Buffer
}

/** The most that a hash may ask for: beyond it, a hash is a way to bring the server down. */
const MOST_SCRYPT_MEMORY = 256 * 2 ** 20
const MOST_SCRYPT_WORK = 1024 * 2 ** 20
const MOST_ITERATIONS = 10_000_000
/** A short key would let many passwords in, an empty one all. In bytes. */
const LEAST_KEY = 16
const MOST_KEY = 128
const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 }

const NUMBER = '([1-9]\\d{0,9})'
const BASE64 = '([A-Za-z0-9+/.]+={0,2})'
const SCRYPT_PHC = new RegExp(`^\\$scrypt\\$ln=${NUMBER},r=${NUMBER},p=${NUMBER}\\$${BASE64}\\$${BASE64}$`)
const SCRYPT_DJANGO = new RegExp(`^scrypt\\$${NUMBER}\\$([^$]+)\\$${NUMBER}\\$${NUMBER}\\$${BASE64}$`)
const PBKDF2_PHC = new RegExp(
  `^\\$pbkdf2(?:-(sha1|sha256|sha512))?\\$(?:i=)?${NUMBER}(?:,l=\\d+)?\\$${BASE64}\\$${BASE64}$`,
)
const PBKDF2_DJANGO = new RegExp(`^pbkdf2_(sha1|sha256)\\$${NUMBER}\\$([^$]+)\\$${BASE64}$`)

/** Takes a hash of scrypt (RFC 7914) or PBKDF2 (RFC 8018 §5.2) apart; null where it is none, or one that must not be run. */
export function parseForeignHash(hash: string): ForeignHash | null {
  const parsed = parseScrypt(hash) ?? parsePbkdf2(hash)
  return parsed && isSane(parsed) ? parsed : null
}

/**
 * What is left of the work of one hash after that of another one, as a hash to be verified for nothing: the rest of the iterations, where both are
 * PBKDF2 with one digest. Else null.
 */
export function remainderOf(whole: string, done: string): ForeignHash | null {
  const [all, part] = [parseForeignHash(whole), parseForeignHash(done)]
  if (all?.algorithm !== 'pbkdf2' || part?.algorithm !== 'pbkdf2' || all.digest !== part.digest) return null
  const iterations = all.iterations - part.iterations
  return iterations > 0 ? { ...all, iterations } : null
}

/**
 * Whether the password is the one of the hash. HMAC, on which both stand, fills short keys up with NUL, so that some behind a password make no
 * difference: nobody can type them, and a password that ends with NUL is never right.
 */
export async function verifyForeignHash(password: Buffer, hash: ForeignHash): Promise<boolean> {
  const { salt, key } = hash
  return timingSafeEqual(key, await deriveKey(password, salt, key.length, hash)) && password.at(-1) !== 0
}

function deriveKey(password: Buffer, salt: Buffer, length: number, hash: ForeignHash): Promise<Buffer> {
  if (hash.algorithm === 'pbkdf2') return pbkdf2Key(password, salt, hash.iterations, length, hash.digest)
  const { cost, blockSize, parallelization } = hash
  return scryptKey(password, salt, length, { cost, blockSize, parallelization, maxmem: scryptMemory(hash) + 1024 })
}

function parseScrypt(hash: string): ScryptHash | null {
  const phc = SCRYPT_PHC.exec(hash)
  if (phc) {
    const [, exponent, blockSize, parallelization, salt, key] = phc
    return scryptHash(2 ** Number(exponent), blockSize!, parallelization!, bytesOf(salt!), key!)
  }
  const [, cost, salt, blockSize, parallelization, key] = SCRYPT_DJANGO.exec(hash) ?? []
  return cost ? scryptHash(Number(cost), blockSize!, parallelization!, Buffer.from(salt!), key!) : null
}

function scryptHash(cost: number, blockSize: string, parallelization: string, salt: Buffer, key: string): ScryptHash {
  return {
    algorithm: 'scrypt',
    cost,
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
    salt,
    key: bytesOf(key),
  }
}

function parsePbkdf2(hash: string): Pbkdf2Hash | null {
  const phc = PBKDF2_PHC.exec(hash)
  const [, digest = 'sha1', iterations, salt, key] = phc ?? PBKDF2_DJANGO.exec(hash) ?? []
  if (!iterations) return null
  return {
    algorithm: 'pbkdf2',
    digest: digest as Pbkdf2Hash['digest'],
    iterations: Number(iterations),
    salt: phc ? bytesOf(salt!) : Buffer.from(salt!),
    key: bytesOf(key!),
  }
}

function isSane(hash: ForeignHash): boolean {
  if (hash.key.length < LEAST_KEY || hash.key.length > MOST_KEY) return false
  if (hash.algorithm === 'pbkdf2')
    return hash.iterations * Math.ceil(hash.key.length / DIGEST_BYTES[hash.digest]) <= MOST_ITERATIONS
  const { cost, blockSize, parallelization } = hash
  return (
    cost > 1 &&
    Number.isInteger(Math.log2(cost)) &&
    cost < 2 ** (16 * blockSize) &&
    scryptMemory(hash) <= MOST_SCRYPT_MEMORY &&
    scryptMemory(hash) * parallelization <= MOST_SCRYPT_WORK
  )
}

/** In bytes, as OpenSSL reckons it. */
function scryptMemory({ cost, blockSize, parallelization }: ScryptHash): number {
  return 128 * blockSize * (cost + parallelization + 2)
}

/** passlib writes '.' for '+', and neither passlib nor PHC strings have padding. */
function bytesOf(base64: string): Buffer {
  return Buffer.from(base64.replaceAll('.', '+'), 'base64')
}

import { createHash } from 'node:crypto'
import { verify } from '@node-rs/bcrypt'

/** A hash of bcrypt, taken apart, with a cost that may be run. */
export interface BcryptHash {
  /** As crypt(3) has it: `$2b$12$…`. */
  readonly crypt: string
  /** Whether bcrypt was given the password's SHA-256 in hexadecimal, as Django's `bcrypt_sha256` does. */
  readonly digested: boolean
}

/** The most that a hash may ask for, some seconds: beyond it, a hash is a way to bring the server down. */
const MOST_COST = 15

const DJANGO = /^(bcrypt|bcrypt_sha256)\$(?=\$)/
/** The last characters of salt and key hold two and four bits. */
const CRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/

/** Takes a hash of bcrypt apart, as crypt(3) or Django writes it; null where it is none, or one that must not be run. */
export function parseBcrypt(hash: string): BcryptHash | null {
  const [prefix = '', kind] = DJANGO.exec(hash) ?? []
  const crypt = hash.slice(prefix.length)
  const cost = Number(CRYPT.exec(crypt)?.[1])
  return cost >= 4 && cost <= MOST_COST ? { crypt, digested: kind === 'bcrypt_sha256' } : null
}

/**
 * Whether the password is the one of the hash. bcrypt itself sees 72 bytes: what comes behind them counts for nothing, or those with long
 * passwords could not come in to have their hash renewed. It takes NUL for the end, as which nobody can type it: a password with NUL is
 * never right. Neither holds where a digest was hashed.
 */
export async function verifyBcrypt(password: Buffer, { crypt, digested }: BcryptHash): Promise<boolean> {
  if (digested) return verify(createHash('sha256').update(password).digest('hex'), crypt)
  return (await verify(password, crypt)) && !password.includes(0)
}

import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import { OptionInvalid } from '../errors.ts'

/** What Django signs with. */
export interface DjangoKeyOptions {
  /** SECRET_KEY of Django's settings: it signs, and verifies. */
  secretKey: string
  /** SECRET_KEY_FALLBACKS of Django's settings: keys of before, which verify. @default none */
  secretKeyFallbacks?: readonly string[] | undefined
}

/** What binds a session to a user's password. */
const AUTH_HASH = 'django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash'
/** The most that a session may be, in bytes, once it is unpacked. */
const MOST_BYTES = 1024 * 1024
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SIGNED = /^(\.?)([\w-]+):([0-9A-Za-z]{1,10}):([\w-]{43})$/

/** Django's secret keys, from which it derives one for each purpose: HMAC-SHA256 by the SHA-256 of the purpose's salt and the secret key. */
export class DjangoKeys {
  readonly #secrets: readonly string[]
  readonly #derived = new Map<string, readonly KeyObject[]>()

  /** @throws OptionInvalid in the name of `where` */
  constructor(where: string, { secretKey, secretKeyFallbacks = [] }: DjangoKeyOptions) {
    if (typeof secretKey !== 'string' || secretKey === '')
      throw new OptionInvalid(where, 'secretKey', "must be the SECRET_KEY of Django's settings.")
    if (!Array.isArray(secretKeyFallbacks) || secretKeyFallbacks.some(key => typeof key !== 'string' || key === ''))
      throw new OptionInvalid(
        where,
        'secretKeyFallbacks',
        "must be an array of keys, as SECRET_KEY_FALLBACKS of Django's settings.",
      )
    this.#secrets = [secretKey, ...secretKeyFallbacks]
  }

  /** What Django binds the sessions of a user with this hash of a password to: by the key that signs first, then by those of before. */
  sessionAuthHashes(password: string): [current: string, ...former: string[]] {
    const [current, ...former] = this.for(AUTH_HASH).map(key => hmac(key, password).toString('hex'))
    return [current!, ...former]
  }

  /** The keys for a purpose: the first signs, all verify. */
  for(salt: string): readonly KeyObject[] {
    const known = this.#derived.get(salt)
    if (known) return known
    const derived = this.#secrets.map(secret => createSecretKey(hash('sha256', salt + secret, 'buffer')))
    this.#derived.set(salt, derived)
    return derived
  }
}

/** Signs and packs as `django.core.signing.dumps()` does with `compress=True`: `[.]payload:time:signature`. */
export class DjangoSigning {
  readonly #keys: readonly KeyObject[]

  /** @param salt what for: nothing that was signed with another one verifies */
  constructor(keys: DjangoKeys, salt: string) {
    this.#keys = keys.for(`${salt}signer`)
  }

  /** @param now in epoch milliseconds, of which the seconds are signed */
  dumps(payload: Buffer, now: number): string {
    const packed = deflateSync(payload)
    const isSmaller = packed.length < payload.length - 1
    const encoded = (isSmaller ? packed : payload).toString('base64url')
    const value = `${isSmaller ? '.' : ''}${encoded}:${base62(Math.floor(now / 1000))}`
    return `${value}:${hmac(this.#keys[0]!, value).toString('base64url')}`
  }

  /** What was signed, and when, in epoch milliseconds; null where it was not, or not by these keys. */
  loads(signed: string): { payload: Buffer; at: number } | null {
    const [, isPacked, encoded, time, signature] = SIGNED.exec(signed) ?? []
    if (encoded === undefined || time === undefined || signature === undefined) return null
    const value = signed.slice(0, -signature.length - 1)
    const given = Buffer.from(signature, 'base64url')
    if (!this.#keys.some(key => timingSafeEqual(hmac(key, value), given))) return null
    const bytes = Buffer.from(encoded, 'base64url')
    try {
      const payload = isPacked ? inflateSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes
      return { payload, at: number62(time) * 1000 }
    } catch {
      return null
    }
  }
}

function hmac(key: KeyObject, value: string): Buffer {
  return createHmac('sha256', key).update(value).digest()
}

function base62(number: number): string {
  const rest = Math.floor(number / 62)
  return (rest > 0 ? base62(rest) : '') + DIGITS[number % 62]
}

function number62(text: string): number {
  return [...text].reduce((number, digit) => number * 62 + DIGITS.indexOf(digit), 0)
}

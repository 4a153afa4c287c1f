import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { OptionInvalid } from '../errors.ts'

/** A key to sign with: text or bytes, at least 32 bytes of them. */
export type SigningKey = string | Uint8Array

const LEAST_BYTES = 32

/** Signs and verifies with HMAC-SHA256 (RFC 2104): the first key signs, every key verifies. */
export class Signer {
  readonly #keys: readonly KeyObject[]

  /** @throws OptionInvalid, naming `where`, when there is no key or one is shorter than 32 bytes */
  constructor(where: string, keys: unknown) {
    if (!Array.isArray(keys) || keys.length === 0) {
      throw new OptionInvalid(
        where,
        'keys',
        'must be an array of at least one key: random text or bytes, 32 bytes or longer.',
      )
    }
    this.#keys = keys.map((key: unknown, index) => {
      const bytes = typeof key === 'string' ? Buffer.from(key, 'utf8') : key
      if (!(bytes instanceof Uint8Array) || bytes.length < LEAST_BYTES) {
        throw new OptionInvalid(where, `keys[${index}]`, `must be text or bytes, ${LEAST_BYTES} bytes or longer.`)
      }
      return createSecretKey(bytes)
    })
  }

  /** The signature of a text, base64url: 43 characters. */
  sign(text: string): string {
    return mac(this.#keys[0]!, text)
  }

  /** Whether one of the keys made this signature. Takes the same time for a wrong signature as for a right one. */
  verify(text: string, signature: string): boolean {
    const given = Buffer.from(signature)
    return this.#keys.some(key => {
      const right = Buffer.from(mac(key, text))
      return right.length === given.length && timingSafeEqual(right, given)
    })
  }
}

function mac(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** The signer for `app.keys`, made anew when they are others: rotating them needs no restart. */
export function signerOfApp(): (keys: unknown) => Signer {
  let last: { keys: unknown[]; signer: Signer } | null = null
  return keys => {
    const given = Array.isArray(keys) ? keys : []
    if (!last || last.keys.length !== given.length || last.keys.some((key, index) => key !== given[index])) {
      last = { keys: [...given], signer: new Signer('app', keys) }
    }
    return last.signer
  }
}

import { hash, randomBytes } from 'node:crypto'

const SHAPE = /^[\w-]{43}$/

/** A new session id: 256 random bits from the platform's CSPRNG, base64url (RFC 4648 §5). */
export function newSessionId(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether a text has the shape of a session id. */
export function isSessionId(text: string): boolean {
  return SHAPE.test(text)
}

/** What a store knows of an id: its SHA-256 in hex. A leaked store logs nobody in. */
export function storeId(id: string): string {
  return hash('sha256', id)
}

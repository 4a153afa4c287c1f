import { createHmac, randomBytes, scryptSync } from 'node:crypto'

/** What the fingerprints of one card are made with, so that those of two cards tell nothing of one another. */
export function newSalt(): string {
  return randomBytes(32).toString('base64url')
}

/** What tells a signing key again: 22 characters. Keys are too long to be guessed, or every cookie that they signed would let them be. */
export function keyFingerprint(salt: string, key: Uint8Array): string {
  return createHmac('sha256', `koa-strata key ${salt}`).update(key).digest('base64url').slice(0, 22)
}

/** What tells a text again that could be guessed: 22 characters by scrypt (RFC 7914), so that each guess costs as much as this does. */
export function textFingerprint(salt: string, text: string): string {
  return scryptSync(text, `koa-strata text ${salt}`, 16).toString('base64url')
}

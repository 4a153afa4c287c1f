import { createHash } from 'node:crypto'

/** A user's hash, and what it was made from where it has been renewed. */
export interface HashColumns {
  readonly password: string | null
  readonly stampOrigin: string | null
}

/** The columns of a user that a stamp is made from. */
export interface StampColumns extends HashColumns {
  readonly epoch: string
  readonly isActive: boolean
}

/**
 * What sessions of a user are bound to: it becomes another with the password, the epoch or the activity, and tells nothing of them. A hash
 * that was renewed counts as the one it was made from.
 */
export function stampOf(user: StampColumns): string {
  return digest(JSON.stringify([basisOf(user), user.epoch, user.isActive]))
}

/**
 * What to store as `stampOrigin` beside a renewed hash of the same password, so that the user's stamp stays. It names the new hash: a password
 * that is changed by other hands leaves it behind without effect.
 */
export function renewedOrigin(user: HashColumns, newHash: string): string {
  return `${fingerprint(newHash)}:${basisOf(user)}`
}

function basisOf({ password, stampOrigin }: HashColumns): string {
  if (password === null) return 'none'
  const [renewed, basis] = (stampOrigin ?? '').split(':')
  const current = fingerprint(password)
  return renewed === current && basis ? basis : current
}

function fingerprint(hash: string): string {
  return digest(`password ${hash}`)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 32)
}

import { createHash } from 'node:crypto'

/** The columns of a user that a stamp is made from. */
export interface StampColumns {
  readonly password: string | null
  readonly stamp_origin: string | null
  readonly epoch: number | string | bigint
}

/**
 * What sessions of a user are bound to: it becomes another with the password, the epoch or the activity, and tells nothing of them. A hash
 * that was renewed counts as the one it was made from.
 */
export function stampOf(user: StampColumns, isActive: boolean): string {
  return digest(JSON.stringify([basisOf(user), String(user.epoch), isActive]))
}

/**
 * What to store as `stamp_origin` beside a renewed hash of the same password, so that the user's stamp stays. It names the new hash: a password
 * that is changed by other hands leaves it behind without effect.
 */
export function renewedOrigin(user: StampColumns, newHash: string): string {
  return `${fingerprint(newHash)}:${basisOf(user)}`
}

function basisOf({ password, stamp_origin }: StampColumns): string {
  if (password === null) return 'none'
  const [renewed, basis] = (stamp_origin ?? '').split(':')
  const current = fingerprint(password)
  return renewed === current && basis ? basis : current
}

function fingerprint(hash: string): string {
  return digest(`password ${hash}`)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 32)
}

import { hash, randomUUID } from 'node:crypto'

/**
 * The name of an empty file that says what stands in a session's directory. No name comes twice: `turn` tells those of one version apart.
 * Names go up to about 130 bytes.
 */
export interface Pointer {
  readonly version: string
  readonly turn: number
  /** In epoch milliseconds. */
  readonly expiresAt: number
  /** What a user is called here, or NOBODY. */
  readonly owner: string
}

/** The owner of a session that is nobody's. */
export const NOBODY = 'nobody'

const POINTER = /^at\.(-?\d{1,16})\.(\d{1,9})\.([\da-f-]{36})\.([\da-f]{64}|nobody)$/
const CONTENT = /^[\da-f-]{36}\.json$/

/** What a user is called here: a text of the same length for every user, which tells nothing. */
export function ownerOf(user: string | null): string {
  // As JSON, since halves of surrogate pairs would all be the same as UTF-8.
  return user === null ? NOBODY : hash('sha256', JSON.stringify(user))
}

/** @throws RangeError where `expiresAt` is no moment */
export function newPointer(owner: string, expiresAt: number): Pointer {
  return { version: randomUUID(), turn: 0, expiresAt: wholeMoment(expiresAt), owner }
}

/** The same version with another expiry. */
export function turned(pointer: Pointer, expiresAt: number): Pointer {
  return { ...pointer, turn: pointer.turn + 1, expiresAt: wholeMoment(expiresAt) }
}

export function pointerName({ version, turn, expiresAt, owner }: Pointer): string {
  return `at.${expiresAt}.${turn}.${version}.${owner}`
}

/** The pointer of a name, or null. */
export function pointerOf(name: string): Pointer | null {
  const [, expiresAt, turn, version, owner] = POINTER.exec(name) ?? []
  if (version === undefined || owner === undefined) return null
  return { version, turn: Number(turn), expiresAt: Number(expiresAt), owner }
}

/** The name of the file that holds what a version holds. */
export function contentName(version: string): string {
  return `${version}.json`
}

export function isContentName(name: string): boolean {
  return CONTENT.test(name)
}

function wholeMoment(expiresAt: number): number {
  const whole = Math.floor(expiresAt)
  if (!Number.isSafeInteger(whole)) throw new RangeError('fileStore(): expiresAt must be epoch milliseconds.')
  return whole
}

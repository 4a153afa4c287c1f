import { fromBytes } from './dialects.ts'

/** Text or a number in a column, whatever the driver answers it as: as such, as BigInt, or everything as bytes. Null where there is none. */
export function textOf(stored: unknown): string | null {
  if (stored === null || stored === undefined) return null
  return stored instanceof Uint8Array ? fromBytes(stored) : String(stored)
}

/** Whether a column of booleans holds true: drivers answer it as true, 1, 1n, '1', or a byte; whatever else is false. */
export function isTrue(stored: unknown): boolean {
  return stored === true || Number(textOf(stored)) === 1 || textOf(stored) === '\u0001'
}

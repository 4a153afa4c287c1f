import { SessionDataInvalid } from '../errors.ts'
import type { SessionData } from './store.ts'

/** The most that one session may hold, as JSON. */
const MOST_BYTES = 256 * 1024
const DEEPEST = 32

/** Names that koa-session's own object or every object has: a value under one of them would shadow or break it. */
const RESERVED = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...[
    'length',
    'populated',
    'externalKey',
    'maxAge',
    'isNew',
    'toJSON',
    'save',
    'regenerate',
    'manuallyCommit',
    'commit',
  ],
])

/** Whether `ctx.session` cannot hold this key: a name of its own, or one that starts with '_', which is the library's. */
export function isReservedKey(key: string): boolean {
  return key.startsWith('_') || RESERVED.has(key)
}

/** Whether a value is an object as JSON has them: no array, no instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The JSON of each top-level key: what a change is told by. */
export type Snapshot = ReadonlyMap<string, string>

/**
 * The JSON of each key of `values`, exact: reading it gives back what was there. A top-level `undefined` is an absent key.
 * @throws SessionDataInvalid naming the first key that is reserved, or whose value JSON would change or drop, or when all is above 256 KiB
 */
export function exactSnapshot(values: object): Snapshot {
  const snapshot = new Map<string, string>()
  let bytes = 0
  for (const key of Object.keys(values)) {
    const value = (values as SessionData)[key]
    if (value === undefined) continue
    refuseReserved(key)
    refuseInexact(value, key, 1)
    const json = JSON.stringify(value)
    bytes += Buffer.byteLength(json)
    snapshot.set(key, json)
    if (bytes > MOST_BYTES)
      throw new SessionDataInvalid(
        key,
        `makes the session larger than ${MOST_BYTES / 1024} KiB. Keep such data elsewhere.`,
      )
  }
  return snapshot
}

/** The JSON of each key of values that came out of a store, which `isStorable` has looked over. */
export function storedSnapshot(values: SessionData): Snapshot {
  return new Map(Object.keys(values).map(key => [key, JSON.stringify(values[key])]))
}

/** Whether stored data is a plain object within the limits of depth and size that hold for storing. */
export function isStorable(data: unknown): data is SessionData {
  return (
    isPlainObject(data) && isShallow(data, DEEPEST + 2) && Buffer.byteLength(JSON.stringify(data)) <= 2 * MOST_BYTES
  )
}

function isShallow(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return true
  if (levels === 0) return false
  return Object.values(value).every(inner => isShallow(inner, levels - 1))
}

/** @throws SessionDataInvalid where `ctx.session` cannot hold the key */
export function refuseReserved(key: string): void {
  if (isReservedKey(key)) {
    throw new SessionDataInvalid(
      key,
      "cannot be stored: names that start with '_' and names of the session's own methods are reserved.",
    )
  }
}

function refuseInexact(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new SessionDataInvalid(path, `is ${value}, which JSON cannot hold.`)
    return
  }
  if (depth > DEEPEST) throw new SessionDataInvalid(path, `is nested deeper than ${DEEPEST} levels, or holds itself.`)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) refuseInexact(value[index], `${path}[${index}]`, depth + 1)
    return
  }
  if (!isPlainObject(value))
    throw new SessionDataInvalid(
      path,
      `is ${nameOf(value)}, which JSON would change or drop. Store text, a number or a plain object.`,
    )
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw new SessionDataInvalid(path, 'has keys that are symbols, which JSON would drop.')
  for (const key of Object.keys(value)) {
    if (key === '__proto__' || key === 'toJSON')
      throw new SessionDataInvalid(`${path}.${key}`, 'cannot be stored under this name.')
    refuseInexact(value[key], `${path}.${key}`, depth + 1)
  }
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value !== 'object') return `a ${typeof value}`
  const made: unknown = value?.constructor
  return typeof made === 'function' ? `a ${made.name}` : 'an object of a class'
}

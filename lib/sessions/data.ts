import { SessionDataInvalid } from '../errors.ts'
import { isPlainObject } from '../options.ts'
import type { SessionData } from './store.ts'

/** The most that one session may hold, as JSON. */
const MOST_BYTES = 256 * 1024
/** The most that is taken back from a store, as `sizeOf` has it: more than could be stored. */
const MOST_STORED = 2 * MOST_BYTES
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

/** The JSON of each top-level key: what a change is told by. */
export type Snapshot = ReadonlyMap<string, string>

/**
 * The JSON of each key of `values`, exact: reading it gives back what was there. A top-level `undefined` is an absent key.
 * @throws SessionDataInvalid naming the first key that is reserved, or whose value JSON would change or drop
 */
export function exactSnapshot(values: object): Snapshot {
  const snapshot = new Map<string, string>()
  const [symbol] = Object.getOwnPropertySymbols(values)
  if (symbol) throw new SessionDataInvalid(symbol.toString(), 'is under a symbol, which JSON would drop.')
  for (const key of Object.keys(values)) {
    const value = (values as SessionData)[key]
    if (value === undefined) continue
    refuseReserved(key)
    refuseInexact(value, key, 1)
    snapshot.set(key, JSON.stringify(value))
  }
  return snapshot
}

/** The JSON of each key of values that came out of a store, which `isStorable` has looked over. */
export function storedSnapshot(values: SessionData): Snapshot {
  return new Map(Object.keys(values).map(key => [key, JSON.stringify(values[key])]))
}

/** Whether stored data is a plain object of JSON values within the limits of depth, size and names that hold for storing. */
export function isStorable(data: unknown): data is SessionData {
  if (!isPlainObject(data)) return false
  let size = 2
  for (const key of Object.keys(data)) {
    // These hold what may be as deep as a value.
    size += sizeOf(data[key], key === '_login' || key === '_guest' ? DEEPEST + 1 : DEEPEST) + key.length + 3
  }
  return size <= MOST_STORED
}

/**
 * @param before what it replaces: what makes a session smaller is taken even where it is still too large
 * @throws SessionDataInvalid, naming the largest key, where data to be stored, merged with what other requests stored, is above 256 KiB
 */
export function refuseOversize(data: SessionData, before: SessionData | null): void {
  const bytes = bytesOf(data)
  if (bytes <= MOST_BYTES || (before && bytes <= bytesOf(before))) return
  const [largest = ''] = Object.keys(data).sort((one, other) => bytesOf(data[other]) - bytesOf(data[one]))
  throw new SessionDataInvalid(
    largest,
    `is the largest part of a session of more than ${MOST_BYTES / 1024} KiB. Keep such data elsewhere.`,
  )
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}

/** About the length of a value as JSON, and never more; infinite where it is no JSON, nested deeper than `levels`, or has a name that is refused. */
function sizeOf(value: unknown, levels: number): number {
  if (typeof value === 'string') return value.length + 2
  if (value === null || typeof value === 'boolean') return 4
  if (typeof value === 'number') return Number.isFinite(value) ? 1 : Number.POSITIVE_INFINITY
  if (levels === 0 || !(Array.isArray(value) || isPlainObject(value))) return Number.POSITIVE_INFINITY
  let size = 2
  for (const [key, inner] of Object.entries(value)) {
    if (isRefusedInside(key)) return Number.POSITIVE_INFINITY
    size += sizeOf(inner, levels - 1) + (Array.isArray(value) ? 1 : key.length + 3)
  }
  return size
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

/** Whether no object in a session may have this key: one would be lost in copies, by the other JSON would be something else. */
function isRefusedInside(key: string): boolean {
  return key === '__proto__' || key === 'toJSON'
}

function refuseInexact(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new SessionDataInvalid(path, `is ${value}, which JSON cannot hold.`)
    return
  }
  if (depth > DEEPEST) throw new SessionDataInvalid(path, `is nested deeper than ${DEEPEST} levels, or holds itself.`)
  if (Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype) {
    for (let index = 0; index < value.length; index++) refuseInexact(value[index], `${path}[${index}]`, depth + 1)
    // 'length' is the one name that no index has.
    if (Reflect.ownKeys(value).length > value.length + 1)
      throw new SessionDataInvalid(path, 'is an array with names of its own, which JSON would drop.')
    return
  }
  if (!isPlainObject(value))
    throw new SessionDataInvalid(
      path,
      `is ${nameOf(value)}, which JSON would change or drop. Store text, a number or a plain object.`,
    )
  if (Reflect.ownKeys(value).length > Object.keys(value).length)
    throw new SessionDataInvalid(path, 'has keys that are symbols or not enumerable, which JSON would drop.')
  for (const key of Object.keys(value)) {
    if (isRefusedInside(key)) throw new SessionDataInvalid(`${path}.${key}`, 'cannot be stored under this name.')
    refuseInexact(value[key], `${path}.${key}`, depth + 1)
  }
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value !== 'object') return `a ${typeof value}`
  const made: unknown = value?.constructor
  return typeof made === 'function' ? `a ${made.name}` : 'an object of a class'
}

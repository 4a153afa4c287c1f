import { OptionInvalid, ProfileInvalid } from '../errors.ts'
import { isPlainObject } from '../options.ts'

/** @throws OptionInvalid where these are no columns that may be set, or the key of the owner among them */
export function checkFields(where: string, fields: unknown, key: string): void {
  if (!Array.isArray(fields) || fields.some(field => typeof field !== 'string' || !/^[^\s`"'?\0.*]+$/.test(field)))
    throw new OptionInvalid(where, 'fields', "must be an array of names of columns, as ['company', 'about'].")
  // SQLite and MariaDB do not tell columns apart by case.
  if (fields.some(field => field.toLowerCase() === key.toLowerCase()))
    throw new OptionInvalid(where, 'fields', `must not have '${key}' among them: whose a profile is cannot be set.`)
}

/**
 * The columns to set for these values. A field that is left out, or undefined, is none of them.
 * @throws ProfileInvalid, naming each that is not one of `fields`, or is no text, number, boolean, date, bytes or null: a driver would read an object
 * as a part of the statement
 */
export function rowOf(values: object, fields: readonly string[]): Record<string, unknown> {
  if (!isPlainObject(values)) throw new ProfileInvalid({ values: 'The values must be an object.' })
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  const problems = given.flatMap(([field, value]) => {
    const problem = fields.includes(field) ? valueProblem(value) : 'This field cannot be set.'
    return problem === null ? [] : [[/^[\w-]{1,64}$/.test(field) ? field : 'values', problem]]
  })
  if (problems.length > 0) throw new ProfileInvalid(Object.fromEntries(problems))
  return Object.fromEntries(
    given.map(([field, value]) => [field, value instanceof Uint8Array ? asBuffer(value) : value]),
  )
}

/** What every driver takes for bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function valueProblem(value: unknown): string | null {
  if (typeof value === 'string')
    return value.isWellFormed() && !value.includes('\0') ? null : 'This text holds what cannot be stored.'
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'This is no number that can be stored.'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'This is no date.' : null
  const isScalar =
    value === null || typeof value === 'boolean' || typeof value === 'bigint' || value instanceof Uint8Array
  return isScalar ? null : 'This must be text, a number, a date or nothing.'
}

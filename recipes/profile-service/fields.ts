import { ProfileServiceError } from './profile-service-error.ts'

/** An object that a service answered, of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** Whether a value that came as JSON is an object. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field of one line of text, of 200 characters at most. @throws ProfileServiceError where it is none */
export function lineOf(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value.length > 200 || !/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u.test(value))
    throw new ProfileServiceError(`answered a profile whose '${name}' is no line of text`)
  return value
}

/** A field that is a day, as `2026-11-07`. @throws ProfileServiceError where it is none */
export function dayOf(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || !isDay(value))
    throw new ProfileServiceError(`answered a profile whose '${name}' is no day`)
  return value
}

/** A field that is one of these texts. @throws ProfileServiceError where it is none */
export function choiceOf<const Choice extends string>(
  fields: Fields,
  name: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find(one => one === fields[name])
  if (choice === undefined)
    throw new ProfileServiceError(`answered a profile whose '${name}' is none of ${choices.join(', ')}`)
  return choice
}

/** Dates that do not exist, as the 30th of February, become others when they are written again. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

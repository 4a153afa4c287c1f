import { isPlainObject } from '../../../options.ts'

/** What to throw for a member that is not as it must be. What is there is not repeated. */
export function wrong(where: string): Error {
  return new Error(`it is no card that koa-strata doctor has written: ${where} is not as it must be.`)
}

/** An object. */
export function record(value: unknown, where: string): Record<string, unknown> {
  if (!isPlainObject(value)) throw wrong(where)
  return value
}

/** An array of `most` at most, each item taken by `item`. */
export function list<Item>(value: unknown, where: string, most: number, item: (value: unknown) => Item): Item[] {
  if (!Array.isArray(value) || value.length > most) throw wrong(where)
  return value.map(one => item(one))
}

/** Text of this shape. */
export function text(value: unknown, where: string, shape: RegExp): string {
  if (typeof value !== 'string' || !shape.test(value)) throw wrong(where)
  return value
}

/** One of these texts. */
export function choice<Choice extends string>(value: unknown, where: string, choices: readonly Choice[]): Choice {
  const found = choices.find(one => one === value)
  if (found === undefined) throw wrong(where)
  return found
}

/** A whole number from 0 on. */
export function number(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(where)
  return value as number
}

/** True or false. */
export function flag(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw wrong(where)
  return value
}

import { OptionInvalid } from './errors.ts'

/** What Node's timers count at most, in milliseconds; beyond it they fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** Refuses option names that `where` does not know, so that a typing error never becomes a silent default. */
export function knownOptions(where: string, options: unknown, known: readonly string[]): void {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new OptionInvalid(where, 'options', 'must be an object.')
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new OptionInvalid(where, name, `is unknown. Known: ${known.join(', ')}.`)
  }
}

/** Refuses what is not a whole number of milliseconds of at least `least`. */
export function checkDuration(where: string, option: string, value: unknown, least = 1): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new OptionInvalid(where, option, `must be a whole number of milliseconds, at least ${least}.`)
  }
}

/** Refuses what is not one of `allowed`. */
export function checkOneOf(where: string, option: string, value: unknown, allowed: readonly unknown[]): void {
  if (!allowed.includes(value)) {
    throw new OptionInvalid(where, option, `must be one of ${allowed.map(one => JSON.stringify(one)).join(', ')}.`)
  }
}

/** Refuses what lacks one of the named methods. */
export function checkMethods(where: string, option: string, value: unknown, methods: readonly string[]): void {
  const given = value as Record<string, unknown> | null
  for (const method of methods) {
    if (given === null || typeof given !== 'object' || typeof given[method] !== 'function') {
      throw new OptionInvalid(where, option, `must be an object with ${methods.map(name => `${name}()`).join(', ')}.`)
    }
  }
}

/** Refuses what is not text that `pattern` matches. */
export function checkText(where: string, option: string, value: unknown, pattern: RegExp, problem: string): void {
  if (typeof value !== 'string' || !pattern.test(value)) throw new OptionInvalid(where, option, problem)
}

/** Refuses what is not a function, where there is something. */
export function checkOptionalFunction(where: string, option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw new OptionInvalid(where, option, 'must be a function, or left out.')
}

/** Refuses what is not a clock. */
export function checkClock(where: string, now: unknown): void {
  if (typeof now !== 'function')
    throw new OptionInvalid(where, 'now', 'must be a function that answers epoch milliseconds.')
}

/** Whether a value is an object as JSON has them: no array, no instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

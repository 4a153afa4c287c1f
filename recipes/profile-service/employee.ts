import { choiceOf, dayOf, type Fields, lineOf } from './fields.ts'

const DIETS = ['any', 'vegetarian', 'vegan'] as const

/** Somebody whom the personnel department knows. */
export interface Employee {
  readonly name: string
  readonly department: string
  /** The day on which they began, as `2026-11-07`. */
  readonly since: string
  readonly diet: (typeof DIETS)[number]
}

/** Makes an employee of what the department's service answers: of these fields alone, each checked. @throws ProfileServiceError */
export function readEmployee(fields: Fields): Employee {
  return {
    name: lineOf(fields, 'name'),
    department: lineOf(fields, 'department'),
    since: dayOf(fields, 'since'),
    diet: choiceOf(fields, 'diet', DIETS),
  }
}

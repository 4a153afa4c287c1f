import type { Form } from './form.ts'

/** A field of a form: how it is shown, and what it takes. */
export interface Field {
  readonly name: string
  readonly label: string
  /** How many characters it takes at most. */
  readonly max: number
  /** What helps to fill it in. */
  readonly hint?: string
  /** What to say where it is empty. @default it may be empty */
  readonly required?: string
  /** A text of several lines, shown this high. @default one line */
  readonly rows?: number
  /** What browsers may fill in. @default 'off' */
  readonly autocomplete?: string
}

/** The value of each field. */
export type ValuesOf<F extends readonly Field[]> = { [Name in F[number]['name']]: string }

/** What is wrong with fields, by their names, in words to show beside them. */
export type FieldErrors = Readonly<Record<string, string>>

/** A form as it was filled in. */
export interface Filled<F extends readonly Field[]> {
  readonly values: ValuesOf<F>
  /** null: every field is right. */
  readonly errors: FieldErrors | null
}

/** Characters that show nothing, or that XML cannot hold, as feeds must. A line break is one of them; joiners are not. */
const UNFIT = /[\p{Cc}\p{Noncharacter_Code_Point}\u2028\u2029]/u
const UNFIT_BUT_BREAKS = /[^\P{Cc}\n\t]|[\p{Noncharacter_Code_Point}\u2028\u2029]/u
const VISIBLE = /[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\n\t]/u

/** Reads what was filled in: without space at the ends, in one form of Unicode (NFC), with one kind of line break. */
export function fillIn<const F extends readonly Field[]>(form: Form, fields: F): Filled<F> {
  const values: Record<string, string> = {}
  const errors: Record<string, string> = {}
  for (const field of fields) {
    const value = form.get(field.name).replace(/\r\n?/g, '\n').normalize('NFC').trim()
    const problem = problemWith(value, field)
    values[field.name] = value
    if (problem) errors[field.name] = problem
  }
  return { values: values as ValuesOf<F>, errors: Object.keys(errors).length > 0 ? errors : null }
}

function problemWith(value: string, { max, required, rows }: Field): string | null {
  if (!VISIBLE.test(value)) {
    if (required !== undefined) return required
    return value === '' ? null : 'This holds nothing that can be seen. Write something, or leave it empty.'
  }
  if ((rows === undefined ? UNFIT : UNFIT_BUT_BREAKS).test(value))
    return 'This holds characters that cannot be shown. Take them out.'
  const { length } = [...value]
  const number = new Intl.NumberFormat('en')
  return length > max ? `This has ${number.format(length)} characters. ${number.format(max)} at most, please.` : null
}

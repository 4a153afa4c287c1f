import type { Field, FieldErrors } from './fields.ts'
import { type Html, html } from './html.ts'

/** A part of a form that is no field of text. */
export interface FormPart {
  /** What its error goes by, and the id of what a link to it leads to. */
  readonly name: string
  readonly label: string
  /** @param isFirstWrong whether the keyboard should begin here */
  view(error: string | undefined, isFirstWrong: boolean): Html
}

/** A form: its fields, and what stands in them. */
export interface FormView {
  readonly action: string
  readonly fields: readonly Field[]
  readonly values: Readonly<Record<string, string>>
  readonly errors: FieldErrors | null
  /** What comes after the fields. @default nothing */
  readonly parts?: readonly FormPart[]
  /** What the button says. */
  readonly submit: string
  /** Where to go instead. */
  readonly cancel?: string
}

/** A form with its labels, and with what is wrong beside each field. */
export function formView({ action, fields, values, errors, parts = [], submit, cancel }: FormView): Html {
  const wrong = [...fields, ...parts].filter(({ name }) => errors?.[name])
  return html`${wrong.length > 0 && summary(wrong)}
<form class="fields" method="post" action="${action}" novalidate>
${fields.map(field => fieldView(field, values[field.name] ?? '', errors?.[field.name], field === wrong[0]))}
${parts.map(part => part.view(errors?.[part.name], part === wrong[0]))}
<p class="actions"><button>${submit}</button>${cancel && html` <a class="button quiet" href="${cancel}">Cancel</a>`}</p>
</form>`
}

function summary(wrong: readonly Pick<Field, 'name' | 'label'>[]): Html {
  return html`<div class="problem" role="alert">
<p>${wrong.length === 1 ? 'One field needs another look:' : `${wrong.length} fields need another look:`}
${wrong.map(({ name, label }, index) => html`${index > 0 && ', '}<a href="#${name}">${label}</a>`)}. Nothing was saved yet.</p>
</div>`
}

function fieldView(
  { name, label, hint, max, rows, required, autocomplete = 'off' }: Field,
  value: string,
  error: string | undefined,
  isFirstWrong: boolean,
): Html {
  const described = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ')
  const attributes = html`id="${name}" name="${name}" dir="auto" maxlength="${max}" autocomplete="${autocomplete}"${
    required !== undefined && html` required`
  }${described && html` aria-describedby="${described}"`}${error && html` aria-invalid="true"`}${
    isFirstWrong && html` autofocus`
  }`
  return html`<div class="field">
<label for="${name}">${label}${required === undefined && html` <span class="optional">(optional)</span>`}</label>
${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
${error && html`<p class="error" id="${name}-error">${error}</p>`}
${
  rows === undefined
    ? html`<input type="text" ${attributes} value="${value}">`
    : html`<textarea ${attributes} rows="${rows}">
${value}</textarea>`
}
</div>`
}

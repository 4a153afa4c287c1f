import type { FieldErrors } from '../web/fields.ts'
import { html } from '../web/html.ts'
import type { Page } from '../web/page.ts'

/** The login form. */
export interface LoginView {
  readonly username: string
  /** Where to go afterwards. */
  readonly next: string
  /** Why the last try did not work. */
  readonly problem?: string
  /** What is wrong with `username` and `password`. */
  readonly errors?: FieldErrors
  readonly status?: number
}

export function loginPage({ username, next, problem, errors = {}, status = 200 }: LoginView): Page {
  const wrong = Object.keys(errors)
  const marks = (field: string) =>
    errors[field] &&
    html` aria-invalid="true" aria-describedby="${field}-error"${field === wrong[0] && html` autofocus`}`
  const message = (field: string) => errors[field] && html`<p class="error" id="${field}-error">${errors[field]}</p>`
  return {
    title: problem || wrong.length > 0 ? 'Error: Log in' : 'Log in',
    status,
    body: html`<div class="narrow">
<h1>Log in</h1>
${problem && html`<div class="problem" role="alert"><p>${problem}</p></div>`}
<form class="fields" method="post" action="/login" novalidate>
<input type="hidden" name="next" value="${next}">
<div class="field">
<label for="username">Name or e-mail address</label>
${message('username')}
<input type="text" id="username" name="username" value="${username}" dir="auto" maxlength="320" autocomplete="username" autocapitalize="none" spellcheck="false" required${marks('username')}>
</div>
<div class="field">
<label for="password">Password</label>
${message('password')}
<input type="password" id="password" name="password" autocomplete="current-password" required${marks('password')}${problem && html` autofocus`}>
</div>
<p class="actions"><button>Log in</button></p>
</form>
</div>`,
  }
}

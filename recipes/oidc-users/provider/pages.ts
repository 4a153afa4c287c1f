import { escaped } from '../page.ts'

/** A page of the identity provider. @param body HTML */
export function providerPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · Example ID</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 24rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
  h1 { line-height: 1.2 }
  label { display: block; margin: 1rem 0; font-weight: 600 }
  input:not([type=hidden]) { display: block; box-sizing: border-box; width: 100%; font: inherit; font-weight: 400; padding: .5rem .75rem; margin-top: .25rem }
  button { font: inherit; padding: .4rem 1rem; margin-inline-end: .5rem }
  [role=alert] { border-inline-start: .25rem solid #c33; padding: .25rem .75rem }
</style>
<p><b>Example ID</b>, an identity provider for trying things out</p>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>
</html>
`
}

/** Where people show who they are. @param problem why the last try did not work */
export function signInForm(action: string, problem = ''): string {
  return `${problem && `<p role="alert">${escaped(problem)}</p>`}
<form method="post" action="${escaped(action)}">
<label>Name <input name="username" dir="auto" autocomplete="username" autocapitalize="none" spellcheck="false"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button name="choice" value="sign-in">Sign in</button>
<button name="choice" value="cancel">Cancel</button>
</form>`
}

/** Asks whether somebody wants to leave. @param form the provider's own form, without buttons */
export function signOutForm(form: string): string {
  return `<p>You will be logged out of the sites that you came to by Example ID.</p>
${form}
<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button type="submit" form="op.logoutForm">Stay</button>`
}

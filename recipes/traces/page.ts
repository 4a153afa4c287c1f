/** The page. @param name who is logged in; null for nobody */
export function loginPage(name: string | null): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Traces</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem }
  label, form { display: block; margin: .5rem 0 }
  input { display: block; font: inherit; padding: .25rem .5rem }
  button { font: inherit; padding: .25rem 1rem }
</style>
<h1>Traces</h1>
${name === null ? LOGIN : greeting(name)}
</html>
`
}

function greeting(name: string): string {
  return `<p>Logged in as ${escaped(name)}.</p>
<form method="post" action="/logout"><button>Log out</button></form>`
}

const LOGIN = `<form method="post" action="/login">
<label>Name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

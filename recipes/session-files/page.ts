/** Whoever looks at the page. */
export interface Viewer {
  readonly name: string
  /** How far they have counted. */
  readonly count: number
}

/** The page. @param viewer null for somebody who is not logged in */
export function countingPage(viewer: Viewer | null): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sessions in files</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem }
  label, form { display: block; margin: .5rem 0 }
  input { display: block; font: inherit; padding: .25rem .5rem }
  button { font: inherit; padding: .25rem 1rem }
</style>
<h1>Count</h1>
${viewer ? counting(viewer) : LOGIN}
<p>Answered by process ${process.pid}.</p>
</html>
`
}

function counting({ name, count }: Viewer): string {
  return `<p>${escaped(name)} has counted to <output>${count}</output>.</p>
<form method="post" action="/count"><button>Count</button></form>
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

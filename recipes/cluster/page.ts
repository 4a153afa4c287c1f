/** Whoever looks at the page. */
export interface Viewer {
  readonly name: string
  readonly boat: string
  /** How many laps they have rowed since they logged in. */
  readonly laps: number
}

/** The page. @param by which process made it @param viewer null for somebody who is not logged in */
export function clubPage(by: string, viewer: Viewer | null): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Rowing club</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem }
  form { margin: 1rem 0 }
  label { display: block; margin: .5rem 0 }
  input { display: block; font: inherit; padding: .25rem .5rem }
  button { font: inherit; padding: .25rem 1rem }
</style>
<h1>Rowing club</h1>
<p>Made by ${escaped(by)}.</p>
${viewer ? memberPart(viewer) : LOGIN}
</html>
`
}

function memberPart({ name, boat, laps }: Viewer): string {
  return `<p>Logged in as ${escaped(name)}. Boat: ${escaped(boat)}. Laps since then: ${laps}</p>
<form method="post" action="/laps"><button>Another lap</button></form>
<form method="post" action="/password">
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<label>New password <input name="next" type="password" autocomplete="new-password" required></label>
<button>Change password</button>
</form>
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

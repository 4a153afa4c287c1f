/** An application, as its pages show it. */
export interface Site {
  readonly name: string
  /** The other application of the organisation. */
  readonly other: { readonly name: string; readonly address: string }
}

/** Who looks at a page, as far as it shows it. */
export interface Viewer {
  readonly isAuthenticated: boolean
  readonly username: string
}

/** What stands between the header and the end of a page. */
export interface Page {
  readonly title: string
  /** HTML: whatever came from somewhere else is escaped in it. */
  readonly body: string
}

/** A whole page. @param viewer null where nobody can say who it is */
export function layout({ name, other }: Site, { title, body }: Page, viewer: Viewer | null): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · ${escaped(name)}</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 0 auto; padding: 0 1rem 2rem; overflow-wrap: anywhere }
  header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; padding: .75rem 0; border-bottom: 1px solid #8886 }
  nav { display: flex; gap: 1rem; margin-inline-end: auto }
  nav > [aria-current] { font-weight: 600; color: inherit; text-decoration: none }
  header form { margin: 0 }
  header button { padding: .2rem .75rem }
  h1 { line-height: 1.2; margin: 1.5rem 0 .75rem }
  h2 { line-height: 1.2; margin: 2rem 0 .5rem; font-size: 1.25rem }
  label { display: block; margin: 1rem 0; font-weight: 600 }
  input, textarea { display: block; box-sizing: border-box; width: 100%; font: inherit; font-weight: 400; padding: .5rem .75rem; margin-top: .25rem }
  button { font: inherit; padding: .4rem 1rem; white-space: nowrap }
  ul { list-style: none; padding: 0; margin: 0 }
  li { display: flex; gap: .25rem 1rem; align-items: center; justify-content: space-between; padding: .5rem 0; border-bottom: 1px solid #8886 }
  li form { margin: 0 }
  .buttons { display: flex; gap: .5rem }
  form + ul { margin-top: 1rem }
  li.post { display: block }
  mark { padding: 0 .4rem; border-radius: .25rem }
  [role=alert] { border-inline-start: .25rem solid #c33; padding: .25rem 1rem }
</style>
<header>
<nav><a href="/" aria-current="true">${escaped(name)}</a> <a href="${escaped(other.address)}">${escaped(other.name)}</a></nav>
${viewer ? person(viewer) : ''}
</header>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>
</html>
`
}

function person({ isAuthenticated, username }: Viewer): string {
  if (!isAuthenticated) return '<a href="/login">Log in</a>'
  return `<bdi>${escaped(username)}</bdi>
<form method="post" action="/logout"><button>Log out</button></form>`
}

/** Text as HTML, for content and for quoted attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

/** A part of the site, with a login of its own. */
export interface Place {
  readonly name: string
  /** What its addresses begin with, as `/admin`; empty where it has a host of its own. */
  readonly prefix: string
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
export function layout(place: Place, { title, body }: Page, viewer: Viewer | null): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · ${escaped(place.name)}</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 0 auto; padding: 0 1rem 2rem; overflow-wrap: anywhere }
  header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; padding: .75rem 0; border-bottom: 1px solid #8886 }
  header > a:first-child { font-weight: 600; margin-inline-end: auto }
  header form, li form { margin: 0 }
  header button { padding: .2rem .75rem }
  h1 { line-height: 1.2; margin: 1.5rem 0 .75rem }
  label { display: block; margin: 1rem 0; font-weight: 600 }
  input { display: block; box-sizing: border-box; width: 100%; font: inherit; font-weight: 400; padding: .5rem .75rem; margin-top: .25rem }
  button { font: inherit; padding: .4rem 1rem; white-space: nowrap }
  ul { list-style: none; padding: 0; margin: 0 }
  li { display: flex; gap: .25rem 1rem; align-items: center; justify-content: space-between; padding: .5rem 0; border-bottom: 1px solid #8886 }
  small { display: block; opacity: .75 }
  [role=alert] { border-inline-start: .25rem solid #c33; padding: .25rem .75rem }
</style>
<header>
<a href="${place.prefix}/">${escaped(place.name)}</a>
${viewer ? person(place, viewer) : ''}
</header>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>
</html>
`
}

function person({ prefix }: Place, { isAuthenticated, username }: Viewer): string {
  if (!isAuthenticated) return `<a href="${prefix}/login">Log in</a>`
  return `<bdi>${escaped(username)}</bdi>
<form method="post" action="${prefix}/logout"><button>Log out</button></form>`
}

/** Text as HTML, for content and for quoted attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

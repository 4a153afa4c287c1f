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
export function layout({ title, body }: Page, viewer: Viewer | null): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · Works canteen</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 0 auto; padding: 0 1rem 2rem; overflow-wrap: anywhere }
  header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; padding: .75rem 0; border-bottom: 1px solid #8886 }
  header a:first-child { font-weight: 600; margin-right: auto }
  h1 { line-height: 1.2; margin: 1.5rem 0 .75rem }
  label { display: block; margin: 1rem 0; font-weight: 600 }
  input { display: block; box-sizing: border-box; width: 100%; font: inherit; font-weight: 400; padding: .5rem .75rem; margin-top: .25rem }
  button { font: inherit; padding: .4rem 1rem }
  header form { margin: 0 }
  header button { padding: .2rem .75rem }
  table { border-collapse: collapse; width: 100% }
  caption { text-align: start; padding-bottom: .5rem }
  th, td { text-align: start; padding: .5rem 0; border-bottom: 1px solid #8886; vertical-align: baseline }
  tr > :last-child { text-align: end; padding-inline-start: 1rem; white-space: nowrap; font-variant-numeric: tabular-nums }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.5rem }
  dt { font-weight: 600 }
  dd { margin: 0 }
  [role=alert], [role=status] { border-inline-start: .25rem solid #c33; padding: .25rem .75rem }
  [role=status] { border-color: #c80 }
</style>
<header>
<a href="/">Works canteen</a>
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

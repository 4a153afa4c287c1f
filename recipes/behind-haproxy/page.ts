/** What the site's page says. */
export interface Pool {
  /** Where the world finds the page. */
  readonly address: string
  /** What the app takes the request for. */
  readonly seen: { readonly ip: string; readonly protocol: string }
  /** Whoever looks at it; null for somebody who is not logged in. */
  readonly swimmer: { readonly name: string; readonly lengths: number } | null
}

/** The page for everybody. */
export function poolPage({ address, seen, swimmer }: Pool): string {
  return page(
    'The pool',
    `<link rel="canonical" href="${escaped(address)}">
${swimmer ? counting(swimmer) : LOGIN}
<p>You are at ${escaped(seen.ip)} and ask over ${escaped(seen.protocol)}. Tell others: ${escaped(address)}</p>`,
  )
}

/** The page for those whom the proxy has let through. */
export function staffPage(name: string): string {
  return page('Staff of the pool', `<p>Hello ${escaped(name)}.</p>`)
}

function counting({ name, lengths }: NonNullable<Pool['swimmer']>): string {
  return `<p>${escaped(name)} has swum <output>${lengths}</output> lengths.</p>
<form method="post" action="/lengths"><button>One more</button></form>
<form method="post" action="/logout"><button>Log out</button></form>`
}

const LOGIN = `<form method="post" action="/login">
<label>Name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem }
  label, form { display: block; margin: .5rem 0 }
  input { display: block; font: inherit; padding: .25rem .5rem }
  button { font: inherit; padding: .25rem 1rem }
</style>
<h1>${title}</h1>
${content}
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

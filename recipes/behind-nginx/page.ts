/** What the page for everybody says. */
export interface Home {
  /** Where the world finds it. */
  readonly address: string
  /** Which process made it. */
  readonly process: string
  /** What the app takes the request for. */
  readonly seen: { readonly ip: string; readonly protocol: string }
  /** Whoever looks at it; null for somebody who is not logged in. */
  readonly singer: string | null
}

/** The page for everybody. */
export function homePage({ address, process, seen, singer }: Home): string {
  return page(
    'The choir',
    `<link rel="canonical" href="${escaped(address)}">
${singer === null ? '<p><a href="/login">Log in</a></p>' : greeting(singer)}
<ul>
<li><a href="/documents/spring-concert.txt">The spring concert</a>, a file of nginx, for whom we let read it
<li><a href="/archive/">The archive</a>, another program, for all singers
<li><a href="/staff">Staff</a>, whom nginx asks for a password
</ul>
<p>Made by process ${escaped(process)}, for ${escaped(seen.ip)}, who asks over ${escaped(seen.protocol)}. Tell others: ${escaped(address)}</p>`,
  )
}

/** The login form. @param next where to go afterwards */
export function loginPage(next: string): string {
  return page(
    'Log in',
    `<form method="post" action="/login">
<input type="hidden" name="next" value="${escaped(next)}">
<label>Name <input name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>`,
  )
}

/** The page for those whom nginx has asked for a password. */
export function staffPage(name: string): string {
  return page('Staff of the choir', `<p>Hello <bdi>${escaped(name)}</bdi>.</p>`)
}

function greeting(singer: string): string {
  return `<p>Logged in as <bdi>${escaped(singer)}</bdi>.</p>
<form method="post" action="/logout"><button>Log out</button></form>`
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
  label { display: block; margin: .75rem 0 }
  input { display: block; box-sizing: border-box; width: 100%; font: inherit; padding: .4rem .6rem }
  button { font: inherit; padding: .3rem 1rem }
</style>
<h1>${title}</h1>
${content}
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

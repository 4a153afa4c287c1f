import type { User } from 'koa-strata'

/** What stands between the header and the end of a page. */
export interface Page {
  readonly title: string
  /** HTML: whatever came from somewhere else is escaped in it. */
  readonly body: string
}

/** A whole page, which looks as Django's do: by the same style sheet. */
export function layout({ title, body }: Page, user: User): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · Jobs</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/site.css">
<header>
<a href="/">Jobs</a>
${user.isAuthenticated ? person(user.username) : '<a href="/accounts/login/">Log in</a>'}
</header>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>
</html>
`
}

function person(username: string): string {
  return `<a href="/feeds">Your feeds</a>
<bdi>${escaped(username)}</bdi>
<form method="post" action="/feeds/logout"><button>Log out</button></form>`
}

/** The feeds that somebody may read, by their titles. */
export function feedsPage(feeds: readonly { title: string; address: string }[]): Page {
  const items = feeds.map(
    ({ title, address }) =>
      `<li><a href="${escaped(address)}">${escaped(title)}</a> <small>${escaped(address)}</small></li>`,
  )
  return {
    title: 'Your feeds',
    body: `<ul>
${items.join('\n')}
</ul>
<p>Your feed reader gets them with the name and the password that you log in with.</p>`,
  }
}

/** The login form of this side. @param problem why the last try did not work */
export function loginPage(problem?: string): Page {
  return {
    title: 'Log in to your feeds',
    body: `${problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`}
<form method="post" action="/feeds/login">
<label for="username">Name or e-mail address</label>
<input id="username" name="username" autocomplete="username" autocapitalize="none" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Log in</button>
</form>`,
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

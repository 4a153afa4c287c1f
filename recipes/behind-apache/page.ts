import { url } from './address.ts'

/** Who looks at a page, and who made it. */
export interface Seen {
  /** What the process is called that made it. */
  readonly by: string
  readonly user: {
    readonly isAuthenticated: boolean
    readonly username: string
    hasPermission(permission: string): boolean
  }
}

/** What stands in a page. */
export interface Page {
  readonly title: string
  /** Its path in the app. */
  readonly path: string
  /** HTML: whatever came from somewhere else is escaped in it, or was written by those who may write HTML. */
  readonly body: string
}

/** A whole page. Links go by `url.path()`, since a browser sees the app below the prefix; what is copied to elsewhere is a whole address. */
export function layout({ title, path, body }: Page, { by, user }: Seen): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="canonical" href="${escaped(url(path))}">
<link rel="alternate" type="application/atom+xml" href="${escaped(url.path('/notices.atom'))}">
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 0 auto; padding: 1rem }
  header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; border-bottom: 1px solid #8886 }
  header > :first-child { font-weight: 600; margin-inline-end: auto }
  label { display: block; margin: 1rem 0 }
  input { display: block; font: inherit; padding: .25rem .5rem }
  button { font: inherit; padding: .25rem 1rem }
  img { max-width: 100% }
</style>
<header>
<a href="${escaped(url.path('/'))}">Harbour notices</a>
<a href="${escaped(url.path('/berth'))}">Your berth</a>
${user.hasPermission('drafts.read') ? `<a href="${escaped(url.path('/staff'))}">Drafts</a>` : ''}
${user.isAuthenticated ? greeting(user.username) : `<a href="${escaped(url.path('/login'))}">Log in</a>`}
</header>
<h1>${escaped(title)}</h1>
${body}
<p><small>Made by ${escaped(by)}.</small></p>
</html>
`
}

function greeting(name: string): string {
  return `<span>Logged in as <bdi>${escaped(name)}</bdi></span>
<form method="post" action="${escaped(url.path('/logout'))}"><button>Log out</button></form>`
}

/** Text as HTML, for content and for quoted attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

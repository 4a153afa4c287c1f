import type { ParameterizedContext } from 'koa'
import { feedFormats, feedsOf, READ_REPORTS } from '../feeds/catalogue.ts'
import type { BoardCtx, BoardUser } from '../identity.ts'
import { ICON, STYLESHEET } from './assets.ts'
import { type Html, html } from './html.ts'

/** A page: what stands between the board's header and footer. */
export interface Page {
  readonly title: string
  readonly body: Html
  /** @default 200 */
  readonly status?: number
}

/** Answers with a page, and with the message that the last request left for it. */
export function showPage(ctx: BoardCtx, page: Page): void {
  const message = ctx.method === 'GET' ? takeMessage(ctx) : null
  sendPage(ctx, page, ctx.state.user, message)
}

/** Answers with a page. @param user null where nobody can say who is there */
export function sendPage(
  ctx: ParameterizedContext,
  { title, body, status = 200 }: Page,
  user: BoardUser | null,
  message: string | null = null,
): void {
  ctx.status = status
  ctx.type = 'html'
  ctx.body = String(layout(title, body, user, message, ctx.path))
}

/** Sends on to a page (303), with a message to show there. */
export function seeOther(ctx: BoardCtx, path: string, message?: string): void {
  if (message !== undefined) ctx.session.message = message
  ctx.status = 303
  ctx.redirect(path)
}

function takeMessage(ctx: BoardCtx): string | null {
  const { message } = ctx.session
  if (typeof message !== 'string') return null
  delete ctx.session.message
  return message
}

function layout(title: string, body: Html, user: BoardUser | null, message: string | null, path: string): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Job Board</title>
<link rel="stylesheet" href="${STYLESHEET}">
<link rel="icon" href="${ICON}" type="image/svg+xml">
${user && feedLinks(user)}</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="site">
<div class="wide">
<a class="brand" href="/"><span aria-hidden="true" class="mark"></span>Job Board</a>
${user && navigation(user, path)}
</div>
</header>
<main id="main" class="wide" tabindex="-1">
${message && html`<p class="message" role="status">${message}</p>`}
${body}
</main>
<footer class="site"><div class="wide"><p>A recipe of koa-strata: sessions, users, profiles and private feeds for Koa.</p></div></footer>
</body>
</html>
`
}

function feedLinks(user: BoardUser): Html[] {
  return feedsOf(user).flatMap(({ path, title }) =>
    feedFormats.map(
      ({ name, extension, type }) =>
        html`<link rel="alternate" type="${type}" title="${title} (${name})" href="${path}.${extension}">
`,
    ),
  )
}

function navigation(user: BoardUser, path: string): Html {
  if (!user.isAuthenticated) {
    return html`<div class="person"><a class="button" href="/login"${current('/login', path)}>Log in</a></div>`
  }
  return html`<nav aria-label="Pages"><ul>
${pagesOf(user).map(([to, text]) => html`<li><a href="${to}"${current(to, path)}>${text}</a></li>`)}
</ul></nav>
<div class="person">
<a href="/account"${current('/account', path)}><span class="who">Account of </span><bdi>${user.username}</bdi></a>
<form method="post" action="/logout"><button class="quiet">Log out</button></form>
</div>`
}

function pagesOf(user: BoardUser): [path: string, text: string][] {
  const pages: [string, string][] = []
  if (user.isEmployer) pages.push(['/company', 'Your openings'], ['/openings', 'All openings'], ['/profile', 'Company'])
  else if (user.isEmployee)
    pages.push(['/openings', 'Openings'], ['/applications', 'Your applications'], ['/profile', 'Profile'])
  else if (user.isPartner)
    pages.push(['/openings', 'Openings'], ['/recommendations', 'Your recommendations'], ['/profile', 'Agency'])
  else pages.push(['/openings', 'Openings'])
  if (user.hasPermission(READ_REPORTS)) pages.push(['/staff', 'Staff'])
  else if (user.profile === null) pages.push(['/welcome', 'Set up your profile'])
  if (feedsOf(user).length > 0) pages.push(['/feeds', 'Feeds'])
  return pages
}

function current(link: string, path: string): Html | null {
  if (link === path) return html` aria-current="page"`
  return path.startsWith(`${link}/`) ? html` aria-current="true"` : null
}

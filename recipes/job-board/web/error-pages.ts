import { STATUS_CODES } from 'node:http'
import type { Middleware, ParameterizedContext } from 'koa'
import type { BoardUser } from '../identity.ts'
import { type Html, html } from './html.ts'
import { sendPage } from './page.ts'

/** The addresses of feeds. What else begins so is a page. */
const FEED = /^\/feeds\/[^/]+\.\w+$/

interface Answer {
  readonly status: number
  /** What happened, where that may be told. */
  readonly message: string | null
}

/**
 * Answers whatever goes wrong with a page of the board, or with a line of text where a feed reader asked. What must not be told is not; the
 * application's 'error' event has it.
 */
export const errorPages: Middleware = async function errorPages(ctx, next) {
  try {
    await next()
    if (ctx.status >= 400 && ctx.body === undefined) answer(ctx, { status: ctx.status, message: null })
  } catch (thrown) {
    const { status, headers, message } = describe(thrown)
    for (const [name, value] of Object.entries(headers)) {
      // The layers have put theirs on the response already.
      if (!ctx.response.get(name)) ctx.set(name, value)
    }
    if (status >= 500) ctx.app.emit('error', thrown, ctx)
    answer(ctx, { status, message })
  }
}

function answer(ctx: ParameterizedContext, given: Answer): void {
  const { title, advice } = wording(given.status)
  const text = given.message ?? advice
  // Before the session layer has run, or where it could not, nobody knows who is there.
  const user: BoardUser | null = ctx.state.user ?? null
  ctx.remove('ETag')
  ctx.remove('Last-Modified')
  if (FEED.test(ctx.path) && ctx.accepts('text', 'html') === 'text') {
    ctx.status = given.status
    ctx.type = 'text'
    ctx.body = `${text}\n`
    return
  }
  sendPage(ctx, { title, status: given.status, body: errorBody(given.status, title, text, user) }, user)
}

function errorBody(status: number, title: string, text: string, user: BoardUser | null): Html {
  const [to, link] = wayOn(status, user)
  return html`<div class="notice">
<p class="kicker">${status}</p>
<h1>${title}</h1>
<p>${text}</p>
<p class="actions"><a class="button" href="${to}">${link}</a></p>
</div>`
}

function wayOn(status: number, user: BoardUser | null): [path: string, text: string] {
  if (status === 401) return ['/login', 'Log in']
  if (status === 403 && user?.isAuthenticated && user.profile === null) return ['/welcome', 'Set up your profile']
  return ['/', 'Go to the start']
}

function wording(status: number): { title: string; advice: string } {
  switch (status) {
    case 400:
      return { title: 'That did not come through', advice: 'The request could not be read. Nothing was changed.' }
    case 401:
      return { title: 'Please log in', advice: 'This page is for people who are logged in.' }
    case 403:
      return { title: 'Not for you', advice: 'You are not allowed to see or do this.' }
    case 404:
      return { title: 'Nothing here', advice: 'There is no such page, or it belongs to somebody else.' }
    case 405:
      return { title: 'Not this way', advice: 'This address does not take that kind of request.' }
    case 413:
      return { title: 'Too long', advice: 'This is too much text for one form. Nothing was changed.' }
    case 415:
      return { title: 'Not a form', advice: 'This address takes forms only. Nothing was changed.' }
    case 503:
      return { title: 'One moment, please', advice: 'The board is unavailable just now. Please try again shortly.' }
    default:
      return status >= 500
        ? { title: 'Something went wrong', advice: 'This is our mistake, not yours. Nothing was changed by it.' }
        : { title: STATUS_CODES[status] ?? 'This did not work', advice: 'The request could not be carried out.' }
  }
}

/** Koa's own reading of an error: its status, its header fields, and its message where that may be shown. */
function describe(thrown: unknown): Answer & { headers: Record<string, string> } {
  const { status: given, headers, expose, message } = Object(thrown) as Record<string, unknown>
  const status = typeof given === 'number' && given >= 400 && given < 600 ? given : 500
  // 'Not Found' and the like say less than the page does.
  const isTelling = expose === true && typeof message === 'string' && message !== STATUS_CODES[status]
  return {
    status,
    headers: { ...(headers as Record<string, string> | undefined) },
    message: isTelling ? message : null,
  }
}

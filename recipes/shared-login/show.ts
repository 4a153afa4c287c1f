import { STATUS_CODES } from 'node:http'
import type { Middleware, ParameterizedContext } from 'koa'
import { layout, type Page, type Site } from './page.ts'
import { errorPage } from './pages.ts'

/** Has the pages of an application say which one it is. */
export function ofSite(site: Site): Middleware {
  return async function siteOfPages(ctx, next) {
    ctx.state.site = site
    await next()
  }
}

/** Answers with a page, which says who is there: no cache may keep it. */
export function show(ctx: ParameterizedContext, page: Page, status = 200): void {
  ctx.status = status
  ctx.type = 'html'
  ctx.set('Cache-Control', 'no-store')
  // Where the users layer could not run, nobody knows who is there.
  ctx.body = layout(ctx.state.site, page, ctx.state.user ?? null)
}

/** Sends the browser to a page with GET (303, RFC 9110 §15.4.4). */
export function seeOther(ctx: ParameterizedContext, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}

/** Answers whatever goes wrong with a page, and keeps what may not be told for the application's 'error' event. */
export const errorPages: Middleware = async function errorPages(ctx, next) {
  try {
    await next()
    if (ctx.status === 404 && ctx.body === undefined) show(ctx, errorPage(404, 'There is no such page.'), 404)
  } catch (thrown) {
    const { status = 500, expose, headers, message } = Object(thrown) as Partial<Thrown>
    if (status >= 500) ctx.app.emit('error', thrown, ctx)
    for (const [name, value] of Object.entries(headers ?? {})) {
      // The layers have put theirs on the response already.
      if (!ctx.response.get(name)) ctx.set(name, value)
    }
    show(ctx, errorPage(status, expose && message ? message : `${STATUS_CODES[status]}.`), status)
  }
}

interface Thrown {
  status: number
  expose: boolean
  headers: Record<string, string>
  message: string
}

import { STATUS_CODES } from 'node:http'
import type { Middleware, ParameterizedContext } from 'koa'
import { layout, type Page, type Place } from './page.ts'
import { errorPage } from './pages.ts'

/** Answers with a page of a place. */
export function show(ctx: ParameterizedContext, place: Place, page: Page, status = 200): void {
  ctx.status = status
  ctx.type = 'html'
  // Where the users layer could not run, nobody knows who is there.
  ctx.body = layout(place, page, ctx.state.user ?? null)
}

/** Sends the browser to a page with GET (303, RFC 9110 §15.4.4). */
export function seeOther(ctx: ParameterizedContext, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}

/** Answers whatever goes wrong with a page of the place it was at, and keeps what may not be told for the application's 'error' event. */
export function errorPages(placeOf: (ctx: ParameterizedContext) => Place): Middleware {
  return async function errorPages(ctx, next) {
    try {
      await next()
      if (ctx.status === 404 && ctx.body === undefined)
        show(ctx, placeOf(ctx), errorPage(placeOf(ctx), 404, 'There is no such page.'), 404)
    } catch (thrown) {
      const { status = 500, expose, headers, message } = Object(thrown) as Partial<Thrown>
      if (status >= 500) ctx.app.emit('error', thrown, ctx)
      for (const [name, value] of Object.entries(headers ?? {})) {
        // The layers have put theirs on the response already.
        if (!ctx.response.get(name)) ctx.set(name, value)
      }
      const said = expose && message ? message : `${STATUS_CODES[status]}.`
      show(ctx, placeOf(ctx), errorPage(placeOf(ctx), status, said), status)
    }
  }
}

interface Thrown {
  status: number
  expose: boolean
  headers: Record<string, string>
  message: string
}

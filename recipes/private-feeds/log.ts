import type { Middleware } from 'koa'

/**
 * Writes a line for each answer: who asked for what, and the status. It says the path and no more: a token stands behind the question mark of an
 * address until the feed's guard has taken it out, and where somebody mistypes the path, no guard does.
 */
export function requestLog(log: (line: string) => void): Middleware {
  return async (ctx, next) => {
    await next()
    log(`${ctx.ip} ${ctx.method} ${ctx.path} ${ctx.status}`)
  }
}

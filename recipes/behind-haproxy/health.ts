import type { Middleware } from 'koa'

/** Whether a process is about to end. */
export interface Health {
  isEnding: boolean
}

/** Answers HAProxy's question whether this process wants requests: 200, or 503 while it is about to end. It stands first, and asks for no host. */
export function healthz(health: Health): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/healthz') return next()
    ctx.set('Cache-Control', 'no-store')
    ctx.status = health.isEnding ? 503 : 200
    ctx.body = health.isEnding ? 'ending\n' : 'up\n'
  }
}

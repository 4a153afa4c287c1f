import http from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import Koa from 'koa'
import compose from 'koa-compose'
import type { Handler, TestContext } from './app.ts'

/** What a request came to. */
export interface DirectAnswer {
  status: number
  /** What the handler answered. */
  body: unknown
  /** The Set-Cookie lines. */
  setCookies: string[]
  /** What was thrown. */
  error: unknown
}

/** Layers alone, in the hands of a context that Koa made: what a request comes to, without the sockets. */
export function direct(...layers: unknown[]): (cookie: string, handler: Handler) => Promise<DirectAnswer> {
  const koa = new Koa()
  const handled = Symbol('handled')
  const run = compose([
    ...layers,
    async (ctx: TestContext & { [handled]: [Handler, unknown] }) => {
      ctx.status = 200
      ctx[handled][1] = await ctx[handled][0](ctx)
    },
  ] as Koa.Middleware[])
  const socket = new Socket()
  let count = 0
  return async (cookie, handler) => {
    // What requests leave behind goes only when the event loop turns, and nothing here waits for anything.
    if (++count % 50 === 0) await turn()
    const request = new http.IncomingMessage(socket)
    request.headers = { host: '127.0.0.1', ...(cookie && { cookie }) }
    const ctx = koa.createContext(request, new http.ServerResponse(request))
    const held: [Handler, unknown] = [handler, undefined]
    Object.assign(ctx, { [handled]: held })
    let error: unknown
    try {
      await run(ctx, async () => {})
    } catch (thrown) {
      error = thrown
    }
    const { status = 500 } = error === undefined ? ctx : ((error ?? {}) as { status?: number })
    const setCookies = [ctx.res.getHeader('Set-Cookie') ?? []].flat().map(String)
    return { status, body: held[1], setCookies, error }
  }
}

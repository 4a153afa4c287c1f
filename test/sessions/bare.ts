import type Koa from 'koa'
import type { Context, Next } from 'koa'
import { createSession } from 'koa-session'

/** koa-session alone, with a plain Map for its store: the control that shows that a race is one. */
export function bareSessions(): (ctx: Context, next: Next) => Promise<void> {
  const kept = new Map<string, string>()
  const turn = () => new Promise(setImmediate)
  const store = {
    async get(key: string) {
      await turn()
      const found = kept.get(key)
      return found === undefined ? null : JSON.parse(found)
    },
    async set(key: string, values: unknown) {
      await turn()
      kept.set(key, JSON.stringify(values))
    },
    async destroy(key: string) {
      await turn()
      kept.delete(key)
    },
  }
  let session: ReturnType<typeof createSession> | undefined
  return (ctx, next) => {
    session ??= createSession({ key: 'sid', signed: false, store }, ctx.app as Koa as never)
    return session(ctx as never, next as never)
  }
}

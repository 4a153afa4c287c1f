import type Koa from 'koa'
import type { Context, Next } from 'koa'
import { createSession } from 'koa-session'
import type { SessionStore } from 'koa-strata'
import { storeId } from '../../lib/sessions/id.ts'

const HOUR = 3_600_000

/** koa-session alone, on the very place that several processes share: the control that shows that a race is one. */
export function bareSessions(place: SessionStore): (ctx: Context, next: Next) => Promise<void> {
  const store = {
    async get(key: string) {
      return (await place.read(storeId(key)))?.data ?? null
    },
    async set(key: string, data: object) {
      const record = { data: { ...data }, user: null, expiresAt: Date.now() + HOUR }
      const found = await place.read(storeId(key))
      if (found) await place.replace(storeId(key), found.version, record)
      else await place.create(storeId(key), record)
    },
    destroy: (key: string) => place.destroy(storeId(key)),
  }
  let session: ReturnType<typeof createSession> | undefined
  return (ctx, next) => {
    session ??= createSession({ key: 'sid', signed: false, store }, ctx.app as Koa as never)
    return session(ctx as never, next as never)
  }
}

import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Tracer } from '@opentelemetry/api'
import Koa from 'koa'
import {
  type ContextOf,
  detachedUsers,
  requireLogin,
  type SessionStore,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  type UserBackend,
  users,
} from 'koa-strata'
import { loginPage } from './page.ts'
import { requestSpans } from './request-spans.ts'

/** What the app is made of. */
export interface AppOptions {
  store: SessionStore
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** Makes the spans of requests. Those below them are made by `traceStrata()`. */
  tracer: Tracer
  /** Asked behind the people of the app, as a directory would be. @default none */
  directory?: UserBackend
}

/** Who can log in, with their passwords: stands for whatever knows your users. */
export const PEOPLE: ReadonlyMap<string, string> = new Map([
  ['ada', 'engines weave patterns'],
  ['grace', 'moths in the relays 70'],
])

/** An app to log in to, count and log out of, with a span for each request. */
export function createApp({ store, keys, tracer, directory }: AppOptions): Koa {
  const people = detachedUsers({
    name: 'people',
    authenticate: async ({ username = '', password }) => (PEOPLE.get(username) === password ? { id: username } : null),
  })
  const backends = directory ? [people, directory] : [people]
  const identity = stack(sessions({ store, keys }), users({ backends }))
  const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()

  router.get('/', ctx => {
    const { user } = ctx.state
    ctx.type = 'html'
    ctx.body = loginPage(user.isAuthenticated ? user.username : null)
  })
  router.post('/login', async ctx => {
    const user = await ctx.authenticate(ctx.request.body ?? {})
    if (!user) return ctx.throw(401, 'Nobody has this name and password.')
    await ctx.login(user)
    ctx.status = 303
    ctx.redirect('/')
  })
  router.post('/visits/:page', requireLogin(), async ctx => {
    await ctx.updateSession(session => {
      session.visits = (session.visits ?? 0) + 1
    })
    ctx.body = `${ctx.session.visits}\n`
  })
  router.post('/logout', async ctx => {
    await ctx.logout()
    ctx.status = 303
    ctx.redirect('/')
  })

  const app = new Koa()
  app.use(requestSpans(tracer)).use(sameOrigin()).use(identity).use(bodyParser())
  app.use(router.routes()).use(router.allowedMethods())
  return app
}

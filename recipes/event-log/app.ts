import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import {
  AccessDenied,
  type ContextOf,
  detachedUsers,
  type SessionStore,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  users,
} from 'koa-strata'
import type { Logger } from 'pino'
import { loginPage } from './page.ts'

/** What the app is made of. */
export interface AppOptions {
  store: SessionStore
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** Where the app's own errors go. What koa-strata tells goes there by `logEvents()`. */
  log: Logger
}

/** Who can log in, with their passwords: stands for whatever knows your users. */
export const PEOPLE: ReadonlyMap<string, string> = new Map([
  ['ada', 'engines weave patterns'],
  ['grace', 'moths in the relays 70'],
])

/** Who is let in no more. */
const BANNED: readonly string[] = ['mallory']

/** An app to log in to and out of. It has no line for logins: nothing in it knows of the log but its own errors. */
export function createApp({ store, keys, log }: AppOptions): Koa {
  const known = detachedUsers({
    name: 'people',
    async authenticate({ username = '', password }) {
      if (BANNED.includes(username)) throw new AccessDenied()
      return PEOPLE.get(username) === password ? { id: username } : null
    },
  })
  const identity = stack(sessions({ store, keys }), users({ backends: [known] }))
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
  router.post('/logout', async ctx => {
    await ctx.logout()
    ctx.status = 303
    ctx.redirect('/')
  })

  const app = new Koa()
  app.use(sameOrigin()).use(identity).use(bodyParser()).use(router.routes()).use(router.allowedMethods())
  app.on('error', (err, ctx?: Koa.Context) => {
    // What the client is told is the client's mistake, or has a line by its event.
    if (!err.expose) log.error({ err, req: ctx?.req }, 'request failed')
  })
  return app
}

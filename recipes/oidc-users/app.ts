import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa, { type ParameterizedContext } from 'koa'
import {
  type ContextOf,
  detachedUsers,
  nextPath,
  requireLogin,
  type SessionStore,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { BACKEND, type IdentityProvider } from './identity-provider.ts'
import { LoginFailure } from './login-failure.ts'
import { LogoutTokenInvalid } from './logout-tokens.ts'
import { homePage, loginPage, shelfPage } from './pages.ts'
import { PendingLogins } from './pending-logins.ts'
import { errorPages, show } from './show.ts'

/** What the reading room is made of. */
export interface ReadingRoomOptions {
  /** Where its people have their accounts. */
  provider: IdentityProvider
  /** Where sessions are, and what ends them. */
  store: SessionStore
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
}

/** Nobody asks the provider again while somebody is logged in: they come back to it after a working day at the latest. */
const WORKING_DAY = 10 * 3_600_000

/** Composes the reading room: its people log in at the identity provider, and there is no record of them here. */
export function createReadingRoom({ provider, store, keys }: ReadingRoomOptions): Koa {
  const identity = stack(
    sessions({ store, keys, idleTimeout: WORKING_DAY, absoluteTimeout: WORKING_DAY }),
    users({ backends: [detachedUsers({ name: BACKEND })] }),
  )
  const pendingLogins = new PendingLogins(store, keys)

  const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
  router.get('/', ctx => show(ctx, homePage(ctx.state.user)))
  router.get('/shelf', requireLogin({ redirect: '/login' }), ctx => show(ctx, shelfPage(ctx.state.user)))

  router.get('/login', ctx => show(ctx, loginPage(nextPath(ctx.query.next))))
  router.post('/login', async ctx => {
    const { url, state, ...pending } = await provider.beginLogin()
    const { next } = (ctx.request.body ?? {}) as Record<string, unknown>
    await pendingLogins.keep(ctx, state, { ...pending, next: nextPath(next) })
    seeOther(ctx, url)
  })
  router.get('/callback', async ctx => {
    const { state } = ctx.query
    const pending = typeof state === 'string' ? await pendingLogins.take(ctx, state) : null
    if (!pending) throw new LoginFailure('stale', 'No login of this browser has this state.')
    const { user, idToken } = await provider.finishLogin(ctx.search, state as string, pending)
    await ctx.login(user)
    // Many providers ask for it when somebody logs out; it is of no other use, and goes with the session.
    ctx.session.idToken = idToken
    seeOther(ctx, pending.next)
  })

  router.post('/logout', async ctx => {
    const { idToken } = ctx.session
    await ctx.logout()
    seeOther(ctx, (typeof idToken === 'string' && (await provider.logoutUrl(idToken))) || '/')
  })
  // The provider asks, not a browser: no cookie comes with it, and the token is what is believed.
  router.post('/backchannel-logout', async ctx => {
    ctx.set('Cache-Control', 'no-store')
    try {
      const { id, done } = await provider.loggedOut(
        (ctx.request.body as Record<string, unknown> | undefined)?.logout_token,
      )
      await ctx.endSessions({ backend: BACKEND, id })
      done()
      ctx.status = 204
    } catch (error) {
      if (!(error instanceof LogoutTokenInvalid)) throw error
      ctx.status = 400
      ctx.body = { error: 'invalid_request', error_description: error.message }
    }
  })

  const app = new Koa()
  app
    .use(errorPages)
    .use(sameOrigin())
    .use(bodyParser())
    .use(identity)
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

function seeOther(ctx: ParameterizedContext, url: string): void {
  ctx.status = 303
  ctx.redirect(url)
}

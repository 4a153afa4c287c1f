import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import { nextPath, requireLogin, requirePermission, type SigningKey, sameOrigin } from 'koa-strata'
import { forceHttps, trustedProxies } from 'koa-strata/sharing'
import { url } from './address.ts'
import { answerFeed } from './feed.ts'
import { type BoardContext, type BoardState, createIdentity, PROXY } from './identity.ts'
import { draftsOf, type Notice, publishedOf } from './notices.ts'
import { berthPage, boardPage, draftsPage, loginPage, noticePage } from './pages.ts'

/** What one process of the app is made of. */
export interface BoardOptions {
  /** The directory of the sessions, which all processes share. */
  directory: string
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. The same in every process. */
  keys: readonly SigningKey[]
  notices: readonly Notice[]
  /** What this process is called on the pages. */
  name: string
  /** How long a call of the session store may take before it is 503, in milliseconds. @default 500 */
  deadline?: number
}

/** Composes the notice board of a harbour: notices and a feed for everybody, drafts for the staff. PUBLIC_ORIGIN says where the world sees it. */
export function createBoard({ directory, keys, notices, name, deadline }: BoardOptions): Koa {
  const published = publishedOf(notices)
  const router = new Router<BoardState, BoardContext>()
  router.get('/', ctx => {
    ctx.type = 'html'
    ctx.body = boardPage(published, { by: name, user: ctx.state.user })
  })
  router.get('/notices/:id', ctx => {
    const notice = published.find(({ id }) => String(id) === ctx.params.id)
    if (!notice) return
    ctx.type = 'html'
    ctx.body = noticePage(notice, { by: name, user: ctx.state.user })
  })
  router.get('/notices.atom', ctx => answerFeed(ctx, published))
  router.get('/staff', requirePermission('drafts.read'), ctx => {
    ctx.type = 'html'
    ctx.body = draftsPage(draftsOf(notices), { by: name, user: ctx.state.user })
  })
  router.get('/berth', requireLogin({ redirect: url.path('/login') }), ctx => {
    ctx.type = 'html'
    ctx.body = berthPage({ by: name, user: ctx.state.user })
  })
  router.get('/login', ctx => {
    ctx.type = 'html'
    ctx.body = loginPage(nextPath(ctx.query.next), { by: name, user: ctx.state.user })
  })
  router.post('/login', async ctx => {
    const { username, password, next } = (ctx.request.body ?? {}) as Record<string, unknown>
    const user = await ctx.authenticate({ username, password })
    if (!user) return ctx.throw(401, 'Nobody has this name and password.')
    await ctx.login(user)
    ctx.status = 303
    ctx.redirect(url.path(nextPath(next)))
  })
  router.post('/logout', async ctx => {
    await ctx.logout()
    ctx.status = 303
    ctx.redirect(url.path('/'))
  })

  const app = new Koa({ proxy: true })
  app
    .use(trustedProxies([PROXY], { hosts: [new URL(url.origin).hostname] }))
    .use(forceHttps())
    .use(sameOrigin())
    .use(bodyParser())
    .use(createIdentity(directory, keys, deadline))
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

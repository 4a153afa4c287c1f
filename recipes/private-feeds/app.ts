import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Knex } from 'knex'
import Koa from 'koa'
import { nextPath, requireLogin, type SigningKey, sameOrigin } from 'koa-strata'
import { trustedProxies } from 'koa-strata/sharing'
import { sqlFeedTokens } from 'koa-strata/sql'
import { answerFeed } from './atom.ts'
import { createIdentity, type LibraryContext, type LibraryState } from './identity.ts'
import { requestLog } from './log.ts'
import { homePage, loansPage, loginPage } from './pages.ts'
import { addLoansFeed } from './private-feed.ts'
import { errorPages, seeOther, show } from './show.ts'
import { addTokenPages } from './token-pages.ts'
import { Tools } from './tools.ts'

/** What the tool library is made of. */
export interface LibraryOptions {
  /** With the tables that `migrate(knex)` and `Tools` make. It stays yours to destroy. */
  database: Knex
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** What people see the site at, as `https://tools.example.org`: links in feeds begin with it. */
  origin: string
  /** Where the app's own log goes, line by line. */
  log: (line: string) => void
}

/** Composes the tool library: what there is for everybody, as a page and as a feed, and what they have borrowed for whoever is logged in. */
export function createToolLibrary({ database, keys, origin, log }: LibraryOptions): Koa {
  const tools = new Tools(database)
  const tokens = sqlFeedTokens(database)
  const identity = createIdentity(database, keys)

  const router = new Router<LibraryState, LibraryContext>()
  router.get('/', async ctx => show(ctx, homePage(await tools.newest())))
  router.get('/tools.atom', async ctx => {
    const newest = await tools.newest()
    // The same for everybody, so the cache in front may keep it.
    ctx.set('Cache-Control', 'public, max-age=60')
    const entries = newest.map(({ id, name, added_at }) => ({ id: `tools/${id}`, title: name, at: added_at }))
    answerFeed(ctx, { title: 'New tools', address: `${origin}/tools.atom`, page: `${origin}/`, entries })
  })
  router.get('/loans', requireLogin({ redirect: '/login' }), async ctx => {
    show(ctx, loansPage(await tools.lentTo(ctx.state.user.key)))
  })
  addLoansFeed(router, { tools, tokens, origin })
  addTokenPages(router, { tokens, origin })

  router.get('/login', ctx => show(ctx, loginPage({ next: nextPath(ctx.query.next) })))
  router.post('/login', async ctx => {
    const { username, password, next } = (ctx.request.body ?? {}) as Record<string, unknown>
    const user = await ctx.authenticate({ username, password })
    if (!user) {
      ctx.set('WWW-Authenticate', 'Cookie realm="login"')
      const problem = 'Nobody has this name and password. Try again.'
      return show(ctx, loginPage({ next: nextPath(next), username: String(username), problem }), 401)
    }
    await ctx.login(user)
    seeOther(ctx, nextPath(next))
  })
  router.post('/logout', async ctx => {
    await ctx.logout()
    seeOther(ctx, '/')
  })

  const app = new Koa()
  // nginx stands in front, on this machine: what it says in X-Forwarded-* counts, and what anybody else says does not.
  app.proxy = true
  app
    .use(trustedProxies(['127.0.0.1']))
    .use(requestLog(log))
    .use(errorPages)
    .use(sameOrigin())
    .use(bodyParser())
    .use(identity)
    .use(router.routes())
    .use(router.allowedMethods())
  app.on('error', error => log(`error ${error instanceof Error ? error.stack : String(error)}`))
  return app
}

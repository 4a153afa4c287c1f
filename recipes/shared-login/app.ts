import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Knex } from 'knex'
import Koa, { type ParameterizedContext } from 'koa'
import { requireLogin, sameOrigin } from 'koa-strata'
import { addLoginPages, type LoginContext, type LoginState, type SharedLogin, sharedLogin } from './login.ts'
import { forumPage, shopPage } from './pages.ts'
import { errorPages, ofSite, seeOther, show } from './show.ts'

/** What one application of the organisation is made of. */
export interface AppOptions {
  /** Its own database. It stays yours to destroy. */
  database: Knex
  /** What it has in common with the others. */
  login: SharedLogin
  /** Where the other one is, for a link to it. */
  other: string
}

type LoginRouter = Router<LoginState, LoginContext>

/** The shop. Wishes are in its own database, by the person's key; the basket is in the session, which the forum shares and leaves alone. */
export function createShop({ database, login, other }: AppOptions): Koa {
  const router: LoginRouter = new Router()
  router.get('/', async ctx => {
    const { user } = ctx.state
    const teas = await database('teas').orderBy('name').pluck('name')
    const wishes = user.isAuthenticated
      ? await database('wishes').where({ user_key: user.key }).orderBy('tea').pluck('tea')
      : null
    show(ctx, shopPage({ teas, basket: ctx.session.basket ?? [], wishes }))
  })
  router.post('/basket', async ctx => {
    const tea = await teaOf(ctx)
    // In one step, whatever the other application stores in the session at the same time.
    await ctx.updateSession(session => {
      session.basket = [...(session.basket ?? []), tea].slice(-20)
    })
    seeOther(ctx, '/')
  })
  router.post('/wishes', requireLogin(), async ctx => {
    const tea = await teaOf(ctx)
    await database('wishes').insert({ user_key: ctx.state.user.key, tea }).onConflict().ignore()
    seeOther(ctx, '/')
  })
  return compose('Shop', router, { login, other: { name: 'Forum', address: other } })

  async function teaOf(ctx: ParameterizedContext): Promise<string> {
    const { tea } = (ctx.request.body ?? {}) as Record<string, unknown>
    if (typeof tea === 'string' && (await database('teas').where({ name: tea }).first())) return tea
    return ctx.throw(422, 'There is no such tea.')
  }
}

/** The forum. Posts are in its own database, by the person's key; how far somebody has read is in the session. */
export function createForum({ database, login, other }: AppOptions): Koa {
  const router: LoginRouter = new Router()
  router.get('/', async ctx => {
    const { user } = ctx.state
    const posts = await database('posts').orderBy('id', 'desc').limit(50)
    const read = user.isAuthenticated ? (ctx.session.read ?? 0) : null
    if (user.isAuthenticated && posts.length > 0) ctx.session.read = posts[0].id
    show(ctx, forumPage({ posts, read }))
  })
  router.post('/posts', requireLogin(), async ctx => {
    const { text } = (ctx.request.body ?? {}) as Record<string, unknown>
    if (typeof text !== 'string' || text.trim() === '' || text.length > 500)
      return ctx.throw(422, 'Write 1 to 500 characters.')
    const { key, username } = ctx.state.user
    await database('posts').insert({ user_key: key, author: username, text })
    seeOther(ctx, '/')
  })
  return compose('Forum', router, { login, other: { name: 'Shop', address: other } })
}

function compose(
  name: string,
  router: LoginRouter,
  { login, other }: { login: SharedLogin; other: { name: string; address: string } },
): Koa {
  addLoginPages(router)
  const app = new Koa()
  app
    .use(ofSite({ name, other }))
    .use(errorPages)
    .use(sameOrigin())
    .use(bodyParser())
    .use(sharedLogin(login))
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

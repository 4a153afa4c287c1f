import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Knex } from 'knex'
import Koa, { type ParameterizedContext } from 'koa'
import {
  type ContextOf,
  permissionOrBasicAuth,
  requireLogin,
  type StateOf,
  sameOrigin,
  sessionOrBasicAuth,
  sessions,
  stack,
  type UserBackend,
  users,
} from 'koa-strata'
import { type DjangoKeyOptions, djangoSessions, djangoUsers } from 'koa-strata/django'
import { publicUrl, trustedProxies } from 'koa-strata/sharing'
import { answerFeed } from './atom.ts'
import { newestOpenings } from './openings.ts'
import { feedsPage, layout, loginPage, type Page } from './page.ts'

/** What the feeds are made of. */
export interface FeedsOptions {
  /** Django's database. It stays yours to destroy. */
  database: Knex
  /** SECRET_KEY of Django's settings, and SECRET_KEY_FALLBACKS where there are some. */
  keys: DjangoKeyOptions
  /** What people see the site at, as `https://jobs.example`: links in feeds begin with it. */
  origin: string
  /** Who can log in here beside Django's users. @default nobody */
  guests?: readonly UserBackend[]
}

/** Composes the feeds of a Django site, by its users and its sessions: whoever is logged in there is logged in here, and the other way round. */
export function createFeeds({ database, keys, origin, guests = [] }: FeedsOptions): Koa {
  const identity = stack(
    sessions(djangoSessions({ ...keys, database })),
    users({ backends: [djangoUsers(database, keys), ...guests] }),
  )
  const url = publicUrl({ origin })
  const realm = 'Jobs'

  const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
  router.get('/feeds/openings.atom', sessionOrBasicAuth({ realm }), async ctx => {
    const openings = await newestOpenings(database, { drafts: false })
    const title = `Openings for ${ctx.state.user.username}`
    answerFeed(ctx, { title, address: url('/feeds/openings.atom'), page: url('/'), openings })
  })
  // A permission of Django's: one of its model, which the admin grants.
  router.get('/feeds/drafts.atom', permissionOrBasicAuth('openings.view_draft', { realm }), async ctx => {
    const openings = await newestOpenings(database, { drafts: true })
    answerFeed(ctx, { title: 'Drafts', address: url('/feeds/drafts.atom'), page: url('/'), openings })
  })
  // Django's login form comes back to where `next` says, as ours would.
  router.get('/feeds', requireLogin({ redirect: '/accounts/login/' }), ctx => {
    const feeds = [{ title: 'Openings', address: url('/feeds/openings.atom') }]
    if (ctx.state.user.hasPermission('openings.view_draft'))
      feeds.push({ title: 'Drafts', address: url('/feeds/drafts.atom') })
    show(ctx, feedsPage(feeds))
  })

  // A login on this side, for guests and for Django's users alike.
  router.get('/feeds/login', ctx => show(ctx, loginPage()))
  router.post('/feeds/login', async ctx => {
    const user = await ctx.authenticate(ctx.request.body ?? {})
    if (!user) {
      ctx.status = 401
      ctx.set('WWW-Authenticate', 'Cookie realm="login"')
      return show(ctx, loginPage('Nobody has this name and password. Try again.'))
    }
    await ctx.login(user)
    seeOther(ctx, '/feeds')
  })
  router.post('/feeds/logout', async ctx => {
    await ctx.logout()
    seeOther(ctx, '/')
  })

  const app = new Koa({ proxy: true })
  app
    .use(trustedProxies(['127.0.0.1'], { hosts: [new URL(origin).hostname] }))
    .use(sameOrigin())
    .use(bodyParser())
    .use(identity)
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

/** Answers with a page, which says who is there: no cache may keep it. */
function show(ctx: ParameterizedContext, page: Page): void {
  ctx.type = 'html'
  ctx.set('Cache-Control', 'no-store')
  ctx.body = layout(page, ctx.state.user)
}

function seeOther(ctx: ParameterizedContext, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}

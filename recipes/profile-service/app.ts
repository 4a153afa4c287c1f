import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import { requireProfile, sameOrigin, sessionOrBasicAuth } from 'koa-strata'
import { type CanteenContext, type CanteenState, createIdentity, type IdentityOptions } from './identity.ts'
import { menuFor } from './menu.ts'
import { deliveriesPage, entryPage, menuPage, menuText, tablePage } from './pages.ts'
import { errorPages, show } from './show.ts'

/** Composes the canteen: a menu for everybody, whose prices go by the profile, and pages for people of one kind or of two. */
export function createCanteen(options: IdentityOptions): Koa {
  const redirect = '/login'
  const router = new Router<CanteenState, CanteenContext>()
  router.get('/', ctx => show(ctx, menuPage(menuFor(ctx.state.user), ctx.state.user, ctx.profileUnavailable)))
  router.get('/menu.txt', sessionOrBasicAuth({ realm: 'Canteen' }), ctx => {
    ctx.body = menuText(menuFor(ctx.state.user), ctx.profileUnavailable)
  })
  router.get('/entry', requireProfile('employee', { redirect }), ctx => show(ctx, entryPage(ctx.state.user.profile)))
  router.get('/table', requireProfile(['employee', 'temp'], { redirect }), ctx => {
    const { user } = ctx.state
    show(ctx, tablePage(user.isEmployee ? user.profile.department : user.profile.agency))
  })
  router.get('/deliveries', requireProfile('supplier', { redirect }), ctx =>
    show(ctx, deliveriesPage(ctx.state.user.profile)),
  )

  const app = new Koa()
  app
    .use(errorPages)
    .use(sameOrigin())
    .use(bodyParser())
    .use(createIdentity(options))
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

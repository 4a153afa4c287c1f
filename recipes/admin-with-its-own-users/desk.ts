import Router from '@koa/router'
import type { Knex } from 'knex'
import { requireLogin, type SigningKey, stack } from 'koa-strata'
import type { Articles } from './articles.ts'
import { editors, type PeopleContext, type PeopleState } from './identity.ts'
import { addLogin } from './login.ts'
import type { Place } from './page.ts'
import { deskPage } from './pages.ts'
import { seeOther, show } from './show.ts'

/** What editors see: every article, to publish and to take back. Their routes stand in their realm's stack, so no reader's login reaches them. */
export function desk(database: Knex, keys: readonly SigningKey[], articles: Articles, place: Place) {
  const { prefix } = place
  const router = new Router<PeopleState, PeopleContext>({ prefix })
  // On each route: what router.use() adds to a router with a prefix minds the case of the path, and its routes do not.
  const guard = requireLogin({ redirect: `${prefix}/login` })
  router.get('/', guard, async ctx => show(ctx, place, deskPage(place, await articles.all())))
  router.post('/articles/:id/publish', guard, async ctx => {
    if (await articles.publish(ctx.params.id!, true)) seeOther(ctx, `${prefix}/`)
  })
  router.post('/articles/:id/withdraw', guard, async ctx => {
    if (await articles.publish(ctx.params.id!, false)) seeOther(ctx, `${prefix}/`)
  })
  addLogin(router, place)
  return stack(editors(database, keys), router.routes(), router.allowedMethods())
}

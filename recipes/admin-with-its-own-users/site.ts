import Router from '@koa/router'
import { requireLogin, stack } from 'koa-strata'
import type { Articles } from './articles.ts'
import { type PeopleContext, type PeopleState, readers, type SharedLogin } from './identity.ts'
import { addLogin } from './login.ts'
import type { Place } from './page.ts'
import { articlePage, frontPage } from './pages.ts'
import { show } from './show.ts'

/** The magazine itself. */
export const SITE: Place = { name: 'Tideline', prefix: '' }

/** What readers see: titles for everybody, articles for whoever has an account at the publisher. */
export function site(publisher: SharedLogin, articles: Articles) {
  const router = new Router<PeopleState, PeopleContext>()
  router.get('/', async ctx => show(ctx, SITE, frontPage(await articles.published())))
  router.get('/articles/:id', requireLogin({ redirect: '/login' }), async ctx => {
    const article = await articles.find(ctx.params.id!)
    if (article) show(ctx, SITE, articlePage(article))
  })
  addLogin(router, SITE)
  return stack(readers(publisher), router.routes(), router.allowedMethods())
}

import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import { sameOrigin } from 'koa-strata'
import { type PeopleContext, type PeopleState, readers, type SharedLogin } from './identity.ts'
import { addLogin } from './login.ts'
import type { Place } from './page.ts'
import { accountPage } from './pages.ts'
import { errorPages, show } from './show.ts'

const PLACE: Place = { name: 'Harbour Press', prefix: '' }

/** The other application, which has the users and sessions that the magazine's readers are: here no more than a login. */
export function createPublisher(login: SharedLogin): Koa {
  const router = new Router<PeopleState, PeopleContext>()
  router.get('/', ctx => show(ctx, PLACE, accountPage()))
  addLogin(router, PLACE)
  const app = new Koa()
  app
    .use(errorPages(() => PLACE))
    .use(sameOrigin())
    .use(bodyParser())
    .use(readers(login))
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

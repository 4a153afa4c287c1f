import type Router from '@koa/router'
import { nextPath } from 'koa-strata'
import type { PeopleContext, PeopleState } from './identity.ts'
import type { Place } from './page.ts'
import { loginPage } from './pages.ts'
import { seeOther, show } from './show.ts'

/** Adds the pages by which people log in to a place and out of it, whoever its users are. */
export function addLogin(router: Router<PeopleState, PeopleContext>, place: Place): void {
  const home = `${place.prefix}/`
  router.get('/login', ctx => show(ctx, place, loginPage(place, { next: nextPath(ctx.query.next, home) })))
  router.post('/login', async ctx => {
    const { username, password, next } = (ctx.request.body ?? {}) as Record<string, unknown>
    const user = await ctx.authenticate({ username, password })
    if (!user) {
      ctx.set('WWW-Authenticate', 'Cookie realm="login"')
      const problem = 'Nobody has this name and password here. Try again.'
      const view = { next: nextPath(next, home), username: String(username), problem }
      return show(ctx, place, loginPage(place, view), 401)
    }
    await ctx.login(user)
    seeOther(ctx, nextPath(next, home))
  })
  router.post('/logout', async ctx => {
    await ctx.logout()
    seeOther(ctx, home)
  })
}

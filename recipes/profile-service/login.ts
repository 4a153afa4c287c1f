import Router from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { nextPath, type UserContext, type UserState } from 'koa-strata'
import { loginPage } from './pages.ts'
import { show } from './show.ts'

/** Login and logout. They stand before `profiles()`, so that nobody needs a profile for either. */
export function loginRoutes(): Router<UserState, UserContext> {
  const router = new Router<UserState, UserContext>()
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
  return router
}

function seeOther(ctx: ParameterizedContext, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}

import Router from '@koa/router'
import { requireLogin } from 'koa-strata'
import type { BoardContext, BoardState } from '../identity.ts'
import { accountPage } from '../pages/account.ts'
import { seeOther, showPage } from '../web/page.ts'

/** Somebody's account and where they are logged in. */
export function accountRoutes(): Router<BoardState, BoardContext> {
  const router = new Router<BoardState, BoardContext>({ prefix: '/account' })
  const loggedIn = requireLogin()

  router.get('/', requireLogin({ redirect: '/login' }), async ctx => {
    showPage(ctx, accountPage(ctx.state.user, await ctx.listSessions()))
  })

  router.post('/sessions/end', loggedIn, async ctx => {
    const asked = ctx.state.form.get('session')
    const sessions = await ctx.listSessions()
    const found = sessions.find(({ id }) => id === asked) ?? ctx.throw(404, 'There is no such session any more.')
    if (found.isCurrent) {
      await ctx.logout()
      return seeOther(ctx, '/', 'You are logged out.')
    }
    await found.end()
    seeOther(ctx, '/account', 'That session has ended.')
  })

  router.post('/sessions/end-others', loggedIn, async ctx => {
    await ctx.logoutEverywhere({ keepCurrent: true })
    seeOther(ctx, '/account', 'All your other sessions have ended.')
  })

  router.post('/sessions/end-all', loggedIn, async ctx => {
    await ctx.logoutEverywhere()
    seeOther(ctx, '/', 'You are logged out everywhere.')
  })

  return router
}

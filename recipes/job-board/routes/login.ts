import Router from '@koa/router'
import { nextPath, TooManyAttempts } from 'koa-strata'
import type { Board } from '../board/board.ts'
import { READ_REPORTS } from '../feeds/catalogue.ts'
import type { BoardContext, BoardState, BoardUser } from '../identity.ts'
import { landingPage } from '../pages/landing.ts'
import { loginPage } from '../pages/login.ts'
import { seeOther, showPage } from '../web/page.ts'

/** The start, and the ways in and out. */
export function loginRoutes({ openings }: Board): Router<BoardState, BoardContext> {
  const router = new Router<BoardState, BoardContext>()

  router.get('/', async ctx => {
    const { user } = ctx.state
    if (user.isAuthenticated) return seeOther(ctx, homeOf(user))
    showPage(ctx, landingPage(await openings.countOpen()))
  })

  router.get('/login', ctx => {
    const next = nextPath(ctx.query.next)
    if (ctx.state.user.isAuthenticated) return seeOther(ctx, next)
    showPage(ctx, loginPage({ username: '', next }))
  })

  router.post('/login', async ctx => {
    const { form } = ctx.state
    const username = form.get('username').trim()
    const password = form.get('password')
    const next = nextPath(form.get('next'))
    const errors = {
      ...(username === '' && { username: 'Enter your name or e-mail address.' }),
      ...(password === '' && { password: 'Enter your password.' }),
    }
    if (Object.keys(errors).length > 0) return showPage(ctx, loginPage({ username, next, errors, status: 422 }))
    const user = await ctx.authenticate({ username, password }).catch(tooManyAttempts)
    if (user instanceof TooManyAttempts) {
      const problem = `Too many logins have failed. Try again in ${user.retryAfter} seconds.`
      ctx.set(user.headers)
      return showPage(ctx, loginPage({ username, next, problem, status: user.status }))
    }
    if (!user) {
      const problem = 'This name and password do not belong together. Try again.'
      ctx.set('WWW-Authenticate', 'Cookie realm="login"')
      return showPage(ctx, loginPage({ username, next, problem, status: 401 }))
    }
    await ctx.login(user)
    seeOther(ctx, next)
  })

  router.post('/logout', async ctx => {
    await ctx.logout()
    seeOther(ctx, '/', 'You are logged out.')
  })

  return router
}

/** The error to show the form again with; any other is thrown on. */
function tooManyAttempts(error: unknown): TooManyAttempts {
  if (error instanceof TooManyAttempts) return error
  throw error
}

/** Where somebody begins. */
function homeOf(user: BoardUser): string {
  if (user.isEmployer) return '/company'
  if (user.isEmployee || user.isPartner) return '/openings'
  return user.hasPermission(READ_REPORTS) ? '/staff' : '/welcome'
}

import type Router from '@koa/router'
import { FeedTokenInvalid, requireLogin } from 'koa-strata'
import type { SqlFeedTokens } from 'koa-strata/sql'
import { feedsPage } from './feeds-page.ts'
import type { LibraryContext, LibraryState } from './identity.ts'
import { FEED } from './private-feed.ts'
import { seeOther, show } from './show.ts'

/** Adds the page on which people make, see and revoke the tokens of their feed readers. */
export function addTokenPages(
  router: Router<LibraryState, LibraryContext>,
  { tokens, origin }: { tokens: SqlFeedTokens; origin: string },
): void {
  const loggedIn = requireLogin({ redirect: '/login' })

  router.get('/feeds', loggedIn, async ctx => {
    const { user } = ctx.state
    show(ctx, feedsPage({ origin, username: user.username, tokens: await tokens.list(user) }))
  })

  router.post('/feeds/tokens', requireLogin(), async ctx => {
    const { user } = ctx.state
    const { name } = (ctx.request.body ?? {}) as Record<string, unknown>
    const page = { origin, username: user.username }
    try {
      const made = await tokens.create(user, { name: typeof name === 'string' ? name.trim() : '', feeds: [FEED] })
      // Shown by this answer and never again, so there is no page to send the browser to.
      show(ctx, feedsPage({ ...page, tokens: await tokens.list(user), made }), 201)
    } catch (error) {
      if (!(error instanceof FeedTokenInvalid)) throw error
      show(ctx, feedsPage({ ...page, tokens: await tokens.list(user), problem: error.message }), 422)
    }
  })

  router.post('/feeds/tokens/:id/revoke', requireLogin(), async ctx => {
    if (!(await tokens.revoke(ctx.state.user, ctx.params.id!))) ctx.throw(404, 'This token is gone already.')
    seeOther(ctx, '/feeds')
  })
}

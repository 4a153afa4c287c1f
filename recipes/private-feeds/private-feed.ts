import type Router from '@koa/router'
import { type FeedTokens, sessionOrBasicAuth } from 'koa-strata'
import { answerFeed } from './atom.ts'
import type { LibraryContext, LibraryState } from './identity.ts'
import type { Tools } from './tools.ts'

/** What tokens for the feed are for. */
export const FEED = 'loans'

/**
 * Adds a private feed: what whoever asks has borrowed. A session opens it, else a token, in the address or as the password of HTTP Basic, else a
 * name and password; else the answer is 401 with the challenge.
 */
export function addLoansFeed(
  router: Router<LibraryState, LibraryContext>,
  { tools, tokens, origin }: { tools: Tools; tokens: FeedTokens; origin: string },
): void {
  router.get('/loans.atom', sessionOrBasicAuth({ realm: 'Tool library', tokens, feed: FEED }), async ctx => {
    const loans = await tools.lentTo(ctx.state.user.key)
    // A reader asks each time, and is told by 304 that it has the newest: `private` is said by the guard.
    ctx.set('Cache-Control', 'no-cache')
    answerFeed(ctx, {
      title: `Tools lent to ${ctx.state.user.username}`,
      address: `${origin}/loans.atom`,
      page: `${origin}/loans`,
      entries: loans.map(({ id, tool, due, lent_at }) => ({
        id: `loans/${id}`,
        title: `${tool}: due back ${due}`,
        at: lent_at,
      })),
    })
  })
}

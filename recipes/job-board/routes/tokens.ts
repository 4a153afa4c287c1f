import Router from '@koa/router'
import type { Knex } from 'knex'
import { requireLogin } from 'koa-strata'
import type { SqlFeedTokens } from 'koa-strata/sql'
import { feedsOf } from '../feeds/catalogue.ts'
import { makeToken } from '../feeds/tokens.ts'
import type { BoardContext, BoardState } from '../identity.ts'
import { newTokenPage } from '../pages/new-token.ts'
import { chosenFeeds, tokenFields, tokensPage } from '../pages/tokens.ts'
import { fillIn } from '../web/fields.ts'
import { seeOther, showPage } from '../web/page.ts'

/** What the pages of tokens need. */
export interface TokenOptions {
  database: Knex
  tokens: SqlFeedTokens
  /** What the addresses of feeds begin with, as `https://jobs.example.org`. */
  origin: string
  /** The clock, in epoch milliseconds. */
  now: () => number
}

/** The tokens that somebody gives their feed readers. Those of others are not there (404). */
export function tokenRoutes({ database, tokens, origin, now }: TokenOptions): Router<BoardState, BoardContext> {
  const router = new Router<BoardState, BoardContext>({ prefix: '/feeds/tokens' })
  const loggedIn = requireLogin()

  router.get('/', requireLogin({ redirect: '/login' }), async ctx => {
    const { user } = ctx.state
    showPage(ctx, tokensPage(await tokens.list(user), feedsOf(user)))
  })

  // The answer is a page and no redirect: the token is in it, and is kept nowhere.
  router.post('/', loggedIn, async ctx => {
    const { user, form } = ctx.state
    const feeds = feedsOf(user)
    if (feeds.length === 0) ctx.throw(403, 'There are no feeds for you yet.')
    const { values, errors } = fillIn(form, tokenFields)
    const chosen = chosenFeeds(form, feeds)
    const problems = { ...errors, ...(chosen?.length === 0 && { feeds: 'Choose at least one of your feeds.' }) }
    if (Object.keys(problems).length > 0)
      return showPage(ctx, tokensPage(await tokens.list(user), feeds, { values, chosen, errors: problems }))
    const made = await makeToken(database, user, { name: values.name, feeds: chosen }, now)
    if (!made) return showPage(ctx, tokensPage(await tokens.list(user), feeds, 'too many'))
    showPage(ctx, newTokenPage(made, feeds, user.username, origin))
  })

  router.post('/end', loggedIn, async ctx => {
    const { user, form } = ctx.state
    if (!(await tokens.revoke(user, form.get('token')))) ctx.throw(404, 'There is no such token any more.')
    seeOther(ctx, '/feeds/tokens', 'That token has ended.')
  })

  router.post('/end-all', loggedIn, async ctx => {
    await tokens.revokeAll(ctx.state.user)
    seeOther(ctx, '/feeds/tokens', 'All your tokens have ended.')
  })

  return router
}

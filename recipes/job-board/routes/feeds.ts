import Router from '@koa/router'
import { permissionOrBasicAuth, requireLogin, requireProfile, sessionOrBasicAuth } from 'koa-strata'
import type { SqlFeedTokens } from 'koa-strata/sql'
import type { Board } from '../board/board.ts'
import { type FeedFormat, type FeedInfo, feedFormats, feeds, feedsOf, READ_REPORTS } from '../feeds/catalogue.ts'
import { answerConditionally } from '../feeds/conditional.ts'
import { type Entry, renderFeed } from '../feeds/document.ts'
import { activityEntry, applicationEntry, openingEntry, recommendationEntry } from '../feeds/entries.ts'
import type { BoardContext, BoardCtx, BoardState } from '../identity.ts'
import { feedsPage } from '../pages/feeds.ts'
import { showPage } from '../web/page.ts'

/** How many entries a feed has at most. */
const MOST_ENTRIES = 50

/** What the feeds need beside the board. */
export interface FeedOptions {
  /** What links begin with, as `https://jobs.example.org`. */
  origin: string
  /** Whether passwords are refused over plain http. */
  requireHttps: boolean
  /** What people give their readers in the place of their password. */
  tokens: SqlFeedTokens
  /** The clock, in epoch milliseconds. */
  now: () => number
}

/** Private feeds: who has a session passes, else a token, else a name and password (HTTP Basic), else 401. */
export function feedRoutes(
  board: Board,
  { origin, requireHttps, tokens, now }: FeedOptions,
): Router<BoardState, BoardContext> {
  const router = new Router<BoardState, BoardContext>()
  const { openings, candidates, activity } = board
  const basic = { realm: 'Job Board', requireHttps, tokens, now }
  const forOpenings = sessionOrBasicAuth({ ...basic, feed: feeds.openings.name })
  const forApplications = sessionOrBasicAuth({ ...basic, feed: feeds.applications.name })
  const forActivity = permissionOrBasicAuth(READ_REPORTS, { ...basic, feed: feeds.activity.name })

  const answer = (ctx: BoardCtx, info: FeedInfo, format: FeedFormat, entries: Entry[], changed: number) =>
    answerConditionally(ctx, {
      type: format.type,
      text: renderFeed(info, entries, format, origin),
      changed,
      now: now(),
    })

  for (const format of feedFormats) {
    router.get(
      `${feeds.openings.path}.${format.extension}`,
      forOpenings,
      requireProfile(['employee', 'partner']),
      async ctx => {
        const changed = await activity.lastAt({ subjects: ['opening', 'profile'] })
        answer(ctx, feeds.openings, format, (await openings.open(MOST_ENTRIES)).map(openingEntry), changed)
      },
    )

    router.get(
      `${feeds.applications.path}.${format.extension}`,
      forApplications,
      requireProfile('employer'),
      async ctx => {
        const { key } = ctx.state.user
        const changed = await activity.lastAt({ employer_key: key })
        const entries = [
          ...(await candidates.applicationsTo(key, MOST_ENTRIES)).map(applicationEntry),
          ...(await candidates.recommendationsTo(key, MOST_ENTRIES)).map(recommendationEntry),
        ]
        entries.sort((one, other) => other.published - one.published || (one.id < other.id ? -1 : 1))
        answer(ctx, feeds.applications, format, entries.slice(0, MOST_ENTRIES), changed)
      },
    )

    router.get(`${feeds.activity.path}.${format.extension}`, forActivity, async ctx => {
      const entries = (await activity.latest(MOST_ENTRIES)).map(activityEntry)
      answer(ctx, feeds.activity, format, entries, await activity.lastAt())
    })
  }

  router.get('/feeds', requireLogin({ redirect: '/login' }), ctx => {
    const { user } = ctx.state
    showPage(ctx, feedsPage(feedsOf(user), user.username, origin))
  })

  return router
}

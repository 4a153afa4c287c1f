import Router from '@koa/router'
import { requirePermission } from 'koa-strata'
import type { Board } from '../board/board.ts'
import { READ_REPORTS } from '../feeds/catalogue.ts'
import type { BoardContext, BoardState } from '../identity.ts'
import { PAGE_SIZE, pageNumber } from '../pages/pager.ts'
import { staffPage } from '../pages/staff.ts'
import { showPage } from '../web/page.ts'

/** What staff may see. */
export function staffRoutes({ activity }: Board): Router<BoardState, BoardContext> {
  const router = new Router<BoardState, BoardContext>()

  router.get('/staff', requirePermission(READ_REPORTS, { redirect: '/login' }), async ctx => {
    const page = pageNumber(ctx.query.page)
    const activities = await activity.latest(PAGE_SIZE + 1, (page - 1) * PAGE_SIZE)
    showPage(ctx, staffPage(await activity.counts(), activities, page))
  })

  return router
}

import Router from '@koa/router'
import { requireLogin, requireProfile } from 'koa-strata'
import type { Board } from '../board/board.ts'
import type { Sent } from '../board/candidates.ts'
import type { BoardContext, BoardCtx, BoardState } from '../identity.ts'
import { applicationFields, type Draft, openingPage, openingsPage, recommendationFields } from '../pages/openings.ts'
import { PAGE_SIZE, pageNumber } from '../pages/pager.ts'
import { applicationsPage, recommendationsPage } from '../pages/sent.ts'
import { fillIn } from '../web/fields.ts'
import { seeOther, showPage } from '../web/page.ts'
import { idIn } from './ids.ts'

/** The openings for everybody, with what employees and partners do about them. */
export function openingRoutes({ openings, candidates }: Board): Router<BoardState, BoardContext> {
  const router = new Router<BoardState, BoardContext>()
  const redirect = '/login'

  const opening = async (ctx: BoardCtx & { params: Record<string, string> }) =>
    (await openings.find(idIn(ctx))) ?? ctx.throw(404)

  const showOpening = async (ctx: BoardCtx & { params: Record<string, string> }, draft: Draft | null = null) => {
    const { user } = ctx.state
    const found = await opening(ctx)
    const sent = user.isEmployee ? await candidates.applicationOf(user.key, found.id) : undefined
    showPage(ctx, openingPage(found, user, sent, draft))
  }

  router.get('/openings', requireLogin({ redirect }), async ctx => {
    const page = pageNumber(ctx.query.page)
    showPage(ctx, openingsPage(await openings.open(PAGE_SIZE + 1, (page - 1) * PAGE_SIZE), page))
  })

  router.get('/openings/:id', requireLogin({ redirect }), ctx => showOpening(ctx))

  router.post('/openings/:id/applications', requireProfile('employee'), async ctx => {
    const { user, form } = ctx.state
    const found = await opening(ctx)
    const { values, errors } = fillIn(form, applicationFields)
    if (errors) return showOpening(ctx, { values, errors })
    const sent = await candidates.apply(found, user.profile, user.email, values.letter)
    seeOther(
      ctx,
      `/openings/${found.id}`,
      messages(sent, 'Your application is with the employer.', 'You have applied already.'),
    )
  })

  router.post('/openings/:id/recommendations', requireProfile('partner'), async ctx => {
    const { user, form } = ctx.state
    const found = await opening(ctx)
    const { values, errors } = fillIn(form, recommendationFields)
    if (errors) return showOpening(ctx, { values, errors })
    const sent = await candidates.recommend(found, user.profile, user.email, values)
    const before = `You have recommended ${values.candidate} for this opening already.`
    seeOther(
      ctx,
      `/openings/${found.id}`,
      messages(sent, `The employer has your word for ${values.candidate}.`, before),
    )
  })

  router.get('/applications', requireProfile('employee', { redirect }), async ctx => {
    showPage(ctx, applicationsPage(await candidates.applicationsOf(ctx.state.user.key)))
  })

  router.get('/recommendations', requireProfile('partner', { redirect }), async ctx => {
    showPage(ctx, recommendationsPage(await candidates.recommendationsOf(ctx.state.user.key)))
  })

  return router
}

function messages(sent: Sent, isNew: string, isOld: string): string {
  if (sent === 'closed') return 'This opening has been closed. Nothing was sent.'
  return sent === 'sent' ? isNew : isOld
}

import Router from '@koa/router'
import { requireProfile } from 'koa-strata'
import type { Board } from '../board/board.ts'
import type { BoardContext, BoardState } from '../identity.ts'
import { companyPage, openingFields, openingFormPage, ownOpeningPage } from '../pages/company.ts'
import { fillIn } from '../web/fields.ts'
import { seeOther, showPage } from '../web/page.ts'
import { idIn } from './ids.ts'

/** How many answers to an opening are shown. */
const MOST_ANSWERS = 500

/** An employer's own openings. Those of others are not there (404). */
export function companyRoutes({ openings, candidates }: Board): Router<BoardState, BoardContext> {
  const router = new Router<BoardState, BoardContext>({ prefix: '/company' })
  const employer = requireProfile('employer')
  const employerPage = requireProfile('employer', { redirect: '/login' })

  router.get('/', employerPage, async ctx => {
    const { user } = ctx.state
    showPage(ctx, companyPage(user.profile.company, await openings.ownedBy(user.key)))
  })

  router.get('/openings/new', employerPage, ctx => showPage(ctx, openingFormPage(null, {})))

  router.post('/openings', employer, async ctx => {
    const { user, form } = ctx.state
    const { values, errors } = fillIn(form, openingFields)
    if (errors) return showPage(ctx, openingFormPage(null, values, errors))
    const id = await openings.post(user.profile, values)
    seeOther(ctx, `/company/openings/${id}`, 'Your opening is on the board.')
  })

  router.get('/openings/:id', employerPage, async ctx => {
    const { key } = ctx.state.user
    const opening = (await openings.findOwn(idIn(ctx), key)) ?? ctx.throw(404)
    const applications = await candidates.applicationsTo(key, MOST_ANSWERS, opening.id)
    const recommendations = await candidates.recommendationsTo(key, MOST_ANSWERS, opening.id)
    showPage(ctx, ownOpeningPage(opening, applications, recommendations))
  })

  router.get('/openings/:id/edit', employerPage, async ctx => {
    const opening = (await openings.findOwn(idIn(ctx), ctx.state.user.key)) ?? ctx.throw(404)
    const { title, place, salary, description } = opening
    showPage(ctx, openingFormPage(opening.id, { title, place, salary, description }))
  })

  router.post('/openings/:id/edit', employer, async ctx => {
    const { user, form } = ctx.state
    const opening = (await openings.findOwn(idIn(ctx), user.key)) ?? ctx.throw(404)
    const { values, errors } = fillIn(form, openingFields)
    if (errors) return showPage(ctx, openingFormPage(opening.id, values, errors))
    if (!(await openings.edit(opening.id, user.profile, values))) ctx.throw(404)
    seeOther(ctx, `/company/openings/${opening.id}`, 'Saved.')
  })

  const change = (name: 'close' | 'reopen', done: string, before: string) =>
    router.post(`/openings/:id/${name}`, employer, async ctx => {
      const { user } = ctx.state
      const { id } = (await openings.findOwn(idIn(ctx), user.key)) ?? ctx.throw(404)
      seeOther(ctx, `/company/openings/${id}`, (await openings[name](id, user.profile)) ? done : before)
    })
  change('close', 'Closed. Nobody can apply any more.', 'It is closed already.')
  change('reopen', 'Open again.', 'It is open already.')

  return router
}

import Router from '@koa/router'
import { requireLogin } from 'koa-strata'
import type { Board } from '../board/board.ts'
import type { Kind } from '../board/profiles.ts'
import type { BoardContext, BoardState, BoardUser } from '../identity.ts'
import { profileFields, profilePage, welcomePage } from '../pages/profile.ts'
import { fillIn } from '../web/fields.ts'
import { seeOther, showPage } from '../web/page.ts'

/** What people say of themselves: to begin with, changed later, and taken back. */
export function profileRoutes({ profiles }: Board): Router<BoardState, BoardContext> {
  const router = new Router<BoardState, BoardContext>()
  const loggedIn = requireLogin({ redirect: '/login' })

  router.get('/welcome', loggedIn, ctx => {
    const { user } = ctx.state
    const kinds = kindsFor(user)
    if (user.profile !== null) return seeOther(ctx, '/profile')
    if (kinds.length === 1) return seeOther(ctx, `/welcome/${kinds[0]}`)
    showPage(ctx, welcomePage(user.username, kinds))
  })

  router.get('/welcome/:kind', loggedIn, ctx => {
    const { user } = ctx.state
    const kind = kindsFor(user).find(one => one === ctx.params.kind) ?? ctx.throw(404)
    if (user.profile !== null) return seeOther(ctx, '/profile')
    showPage(ctx, profilePage(kind, true, {}))
  })

  router.post('/welcome/:kind', requireLogin(), async ctx => {
    const { user, form } = ctx.state
    const kind = kindsFor(user).find(one => one === ctx.params.kind) ?? ctx.throw(404)
    const { values, errors } = fillIn(form, profileFields[kind])
    if (errors) return showPage(ctx, profilePage(kind, true, values, errors))
    const isNew = await profiles.create(user.key, kind, values)
    seeOther(ctx, '/', isNew ? 'Welcome! Your profile stands.' : 'You have a profile already.')
  })

  router.get('/profile', loggedIn, ctx => {
    const { user } = ctx.state
    const kind = kindOf(user)
    if (!kind) return seeOther(ctx, '/welcome')
    showPage(ctx, profilePage(kind, false, { ...user.profile }))
  })

  router.post('/profile', requireLogin(), async ctx => {
    const { user, form } = ctx.state
    const kind = kindOf(user)
    if (!kind) return seeOther(ctx, '/welcome')
    const { values, errors } = fillIn(form, profileFields[kind])
    if (errors) return showPage(ctx, profilePage(kind, false, values, errors))
    await profiles.update(user.key, kind, values)
    seeOther(ctx, '/profile', 'Saved.')
  })

  router.post('/profile/remove', requireLogin(), async ctx => {
    const { user } = ctx.state
    const kind = kindOf(user)
    if (!kind) return seeOther(ctx, '/welcome')
    if (await profiles.remove(user.key, kind, { ...user.profile })) return seeOther(ctx, '/welcome', 'It is removed.')
    seeOther(ctx, '/profile', 'You have posted openings, and they stand by your company. Nothing was removed.')
  })

  return router
}

/** What somebody can become: a partner's people come as partners. */
function kindsFor(user: BoardUser): Kind[] {
  return user.backend === 'partner' ? ['partner'] : ['employer', 'employee']
}

function kindOf(user: BoardUser): Kind | null {
  if (user.isEmployer) return 'employer'
  if (user.isEmployee) return 'employee'
  return user.isPartner ? 'partner' : null
}

import Router from '@koa/router'
import Koa from 'koa'
import { requireLogin, requirePermission, sameOrigin } from 'koa-strata'
import { trustedProxies } from 'koa-strata/sharing'
import { type Identity, type LedgerContext, type LedgerState, PROXY } from './identity.ts'
import { homePage, ledgerPage } from './pages.ts'

/** Composes a ledger of keys: a page for everybody whom Apache names, and the ledger for those who may read it. */
export function createLedger(identity: Identity): Koa {
  const router = new Router<LedgerState, LedgerContext>()
  router.get('/', requireLogin(), async ctx => {
    let looks = 0
    await ctx.updateSession(session => {
      looks = session.looks = (session.looks ?? 0) + 1
    })
    ctx.type = 'html'
    ctx.body = homePage(ctx.state.user.username, looks)
  })
  router.get('/ledger', requirePermission('ledger.read'), ctx => {
    ctx.type = 'html'
    ctx.body = ledgerPage()
  })

  const app = new Koa({ proxy: true })
  app
    .use(trustedProxies([PROXY]))
    .use(sameOrigin())
    .use(identity)
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

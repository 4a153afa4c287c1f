import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Knex } from 'knex'
import Koa, { type ParameterizedContext } from 'koa'
import {
  type ContextOf,
  DetachedUser,
  nextPath,
  requirePermission,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  type User,
  users,
} from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'
import { ldapUsers } from './backend.ts'
import type { Directory } from './directory.ts'
import { homePage, loginPage, rotaPage } from './pages.ts'
import { errorPages, show } from './show.ts'

/** What the rota is made of. Both stay yours to close. */
export interface RotaOptions {
  /** With the tables that `migrate(knex)` makes: users with a record, and all sessions. */
  database: Knex
  /** Everybody else. */
  directory: Directory
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
}

/** What the members of the directory's groups may do here. */
const GROUPS = new Map([['rota-readers', ['rota.read']]])

/** Composes the rota: a page for everybody, and one for members of a group, whether they have a record here or are in the directory. */
export function createRota({ database, directory, keys }: RotaOptions): Koa {
  const identity = stack(
    sessions({ store: sqlStore(database), keys }),
    // People with a record come first: while the directory is down, they log in without it being asked.
    users({ backends: [sqlUsers(database), ldapUsers(directory, GROUPS)] }),
  )

  const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
  router.get('/', ctx => show(ctx, homePage(nameOf(ctx.state.user))))
  router.get('/rota', requirePermission('rota.read', { redirect: '/login' }), ctx => show(ctx, rotaPage()))
  router.get('/login', ctx => show(ctx, loginPage({ next: nextPath(ctx.query.next) })))
  router.post('/login', async ctx => {
    const { username, password, next } = (ctx.request.body ?? {}) as Record<string, unknown>
    const user = await ctx.authenticate({ username, password })
    if (!user) {
      ctx.set('WWW-Authenticate', 'Cookie realm="login"')
      const problem = 'Nobody has this name and password. Try again.'
      return show(ctx, loginPage({ next: nextPath(next), username: String(username), problem }), 401)
    }
    await ctx.login(user)
    seeOther(ctx, nextPath(next))
  })
  router.post('/logout', async ctx => {
    await ctx.logout()
    seeOther(ctx, '/')
  })

  const app = new Koa()
  app
    .use(errorPages)
    .use(sameOrigin())
    .use(bodyParser())
    .use(identity)
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

/** What somebody is called: the directory knows it of its people. */
function nameOf(user: User): string | null {
  if (!user.isAuthenticated) return null
  return user instanceof DetachedUser && typeof user.attributes.name === 'string' ? user.attributes.name : user.username
}

function seeOther(ctx: ParameterizedContext, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}

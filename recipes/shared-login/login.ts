import type Router from '@koa/router'
import type { Knex } from 'knex'
import {
  type ContextOf,
  nextPath,
  type SessionStore,
  type SigningKey,
  type StateOf,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { loginPage } from './pages.ts'
import { seeOther, show } from './show.ts'

/** What the applications of the organisation have in common: each is handed the same. */
export interface SharedLogin {
  /** The database of its people, with the tables that `migrate(knex)` makes. It stays yours to destroy. */
  people: Knex
  /** Where the sessions are. */
  store: SessionStore
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** The domain whose hosts share the cookie; left out where the applications are one host. */
  domain?: string | undefined
  /** How long a call of the store may take before it is 503, in milliseconds: more where a disk has much else to do. @default 500 */
  deadline?: number | undefined
}

/** Who is there, on every request: the same person in every application. */
export function sharedLogin({ people, store, keys, domain, deadline }: SharedLogin) {
  return stack(
    sessions({ store, keys, cookie: { domain }, deadline }),
    // Failed logins are counted in one place too, or each application would grant as many again.
    users({ backends: [sqlUsers(people)], throttle: { sql: people } }),
  )
}

export type LoginState = StateOf<ReturnType<typeof sharedLogin>>
export type LoginContext = ContextOf<ReturnType<typeof sharedLogin>>

/** Adds the pages to log in and out: any application's will do for all. */
export function addLoginPages(router: Router<LoginState, LoginContext>): void {
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
}

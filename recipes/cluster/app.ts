import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Knex } from 'knex'
import Koa from 'koa'
import {
  type ContextOf,
  profiles,
  type SessionStore,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  type ThrottleOptions,
  UserInvalid,
  users,
} from 'koa-strata'
import { trustedProxies } from 'koa-strata/sharing'
import { sqlProfiles, sqlUsers } from 'koa-strata/sql'
import { clubPage } from './page.ts'

/** What one process of the club's site is made of. */
export interface ClubOptions {
  /** Where all processes keep the sessions. */
  store: SessionStore
  /** Where failed logins are counted for all processes. */
  throttle: ThrottleOptions
  /** The users and the members, with the tables that `createTables()` makes. It stays yours to destroy. */
  database: Knex
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. The same in every process. */
  keys: readonly SigningKey[]
  /** What this process is called on the page. */
  name: string
  /** The addresses of nginx: what it says of a request is believed, and nobody else. */
  proxies: readonly string[]
}

/** What the club knows of a member. */
interface Member {
  boat: string
}

/** Composes one process of the site: it counts, in the session, how many laps whoever is logged in has rowed, and lets them change their password. */
export function createClub({ store, throttle, database, keys, name, proxies }: ClubOptions): Koa {
  const accounts = sqlUsers(database)
  const identity = stack(
    sessions({ store, keys }),
    users({ backends: [accounts], throttle }),
    profiles({ member: sqlProfiles<Member>(database, { table: 'members' }) }),
  )

  const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
  router.get('/', ctx => {
    const { user } = ctx.state
    ctx.type = 'html'
    ctx.body = clubPage(
      name,
      user.isMember ? { name: user.username, boat: user.profile.boat, laps: ctx.session.laps ?? 0 } : null,
    )
  })
  router.post('/laps', async ctx => {
    if (!ctx.state.user.isAuthenticated) return ctx.throw(401, 'Log in.')
    await ctx.updateSession(session => {
      session.laps = (session.laps ?? 0) + 1
    })
    ctx.status = 303
    ctx.redirect('/')
  })
  router.post('/login', async ctx => {
    const user = await ctx.authenticate(ctx.request.body ?? {})
    if (!user) return ctx.throw(401, 'Nobody has this name and password.')
    await ctx.login(user)
    ctx.status = 303
    ctx.redirect('/')
  })
  router.post('/password', async ctx => {
    const { password, next } = (ctx.request.body ?? {}) as Record<string, unknown>
    const { username } = ctx.state.user
    const user = await ctx.authenticate({ username, password })
    if (!user) return ctx.throw(401, 'That is not your password.')
    try {
      await accounts.setPassword(user.id, String(next))
    } catch (error) {
      if (error instanceof UserInvalid) return ctx.throw(422, Object.values(error.fields).join(' '))
      throw error
    }
    // All sessions have ended, this one too.
    const renewed = await ctx.authenticate({ username, password: next })
    if (renewed) await ctx.login(renewed)
    ctx.status = 303
    ctx.redirect('/')
  })
  router.post('/logout', async ctx => {
    await ctx.logout()
    ctx.status = 303
    ctx.redirect('/')
  })

  const app = new Koa({ proxy: true })
  app
    .use(trustedProxies(proxies))
    .use(sameOrigin())
    .use(bodyParser())
    .use(identity)
    .use(router.routes())
    .use(router.allowedMethods())
  return app
}

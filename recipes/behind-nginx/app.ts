import { join } from 'node:path'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Knex } from 'knex'
import Koa from 'koa'
import {
  type ContextOf,
  nextPath,
  requireLogin,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { atPath, authRequest, publicUrl, realms, remoteUser, remoteUsers, trustedProxies } from 'koa-strata/sharing'
import { sqlUsers } from 'koa-strata/sql'
import { fileStore } from 'koa-strata/stores/file'
import { homePage, loginPage, staffPage } from './page.ts'

/** What each process of the site is made of: the same for all of them, but for its name. */
export interface ChoirOptions {
  /** Where the singers are, with the tables that `migrate(knex)` makes. It stays yours to destroy. */
  database: Knex
  /** Where the sessions are, on a disk of this machine. It is made where there is none. */
  directory: string
  /** Keys of 32 bytes or more that sign the session cookies: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** What people see the site at, as `https://www.choir.example`. */
  origin: string
  /** What this process is called on the page. */
  name: string
  /** How long a call of the session store may take before it is 503, in milliseconds. @default 500 */
  deadline?: number
}

/** Where nginx connects from. Nobody else is believed. */
const NGINX = ['127.0.0.1']

/** What nginx has besides this app, for whoever is logged in here. */
const BESIDE = ['/documents/{*path}', '/archive/{*path}']

/** One process of a site behind nginx, which asks it who may see what nginx has besides. */
export function createChoir({ database, directory, keys, origin, name, deadline }: ChoirOptions): Koa {
  const url = publicUrl({ origin })
  const store = fileStore(join(directory, 'singers'))
  const singers = stack(
    sessions({ store, keys, deadline, cookie: { secure: true } }),
    users({ backends: [sqlUsers(database)] }),
  )
  const routes = new Router<StateOf<typeof singers>, ContextOf<typeof singers>>()

  // nginx asks here, and lets nobody else ask.
  routes.get('/auth', authRequest())
  routes.get('/auth/documents', authRequest({ permission: 'documents.read' }))
  // And has those sent on to the login who have none.
  routes.all(BESIDE, requireLogin({ redirect: url.path('/login') }))

  routes.get('/', ctx => {
    const { user } = ctx.state
    ctx.type = 'html'
    ctx.body = homePage({
      address: url('/'),
      process: name,
      seen: { ip: ctx.ip, protocol: ctx.protocol },
      singer: user.isAuthenticated ? user.username : null,
    })
  })
  routes.get('/login', ctx => {
    ctx.type = 'html'
    ctx.body = loginPage(nextPath(ctx.query.next))
  })
  routes.post('/login', async ctx => {
    const { username, password, next } = (ctx.request.body ?? {}) as Record<string, unknown>
    const user = await ctx.authenticate({ username, password })
    if (!user) return ctx.throw(401, 'Nobody has this name and password.')
    await ctx.login(user)
    ctx.status = 303
    ctx.redirect(nextPath(next))
  })
  routes.post('/logout', async ctx => {
    await ctx.logout()
    ctx.status = 303
    ctx.redirect(url.path('/'))
  })

  // Whom nginx has asked for a password itself. They are not the singers, so they have sessions and a cookie of their own.
  const staff = stack(
    sessions({ store: fileStore(join(directory, 'staff')), keys, deadline, cookie: { name: 'staff', secure: true } }),
    users({ backends: [remoteUsers({ name: 'staff' })] }),
    remoteUser({ trust: NGINX, backend: 'staff' }),
  )
  const staffRoutes = new Router<StateOf<typeof staff>, ContextOf<typeof staff>>()
  staffRoutes.get('/staff', requireLogin(), ctx => {
    ctx.type = 'html'
    ctx.body = staffPage(ctx.state.user.username)
  })

  const app = new Koa({ proxy: true })
  app
    .use(trustedProxies(NGINX, { hosts: [new URL(origin).hostname] }))
    .use(healthz)
    .use(sameOrigin())
    .use(bodyParser())
    .use(
      realms({
        staff: { match: atPath('/staff'), stack: stack(staff, staffRoutes.routes()) },
        singers: { stack: stack(singers, routes.routes()) },
      }),
    )
  return app
}

/** For whoever watches over the site: it needs no session and no database. */
const healthz: Koa.Middleware = async (ctx, next) => {
  if (ctx.path === '/healthz') ctx.body = 'up\n'
  else await next()
}

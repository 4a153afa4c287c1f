import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import {
  type ContextOf,
  detachedUsers,
  requireLogin,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { atPath, publicUrl, realms, remoteUser, remoteUsers, trustedProxies } from 'koa-strata/sharing'
import { fileStore } from 'koa-strata/stores/file'
import { type Health, healthz } from './health.ts'
import { poolPage, staffPage } from './page.ts'

/** What each process of the site is made of: the same for all of them, but for its name and its health. */
export interface PoolOptions {
  /** Where the sessions are, on a disk of this machine. It is made where there is none. */
  directory: string
  /** Keys of 32 bytes or more that sign the session cookies: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** What people see the site at, as `https://www.pool.example`. */
  origin: string
  /** What this process is called in the header X-Process. */
  name: string
  health: Health
  /** How long a call of the store may take before it is 503, in milliseconds. @default 500 */
  deadline?: number
}

/** Where HAProxy connects from. Nobody else is believed. */
const PROXIES = ['127.0.0.1']

/** Who can log in at the site, with their passwords: stands for whatever knows your users. */
export const SWIMMERS: ReadonlyMap<string, string> = new Map([
  ['ada', 'ada-demo'],
  ['noor', 'noor-demo'],
])

/** One process of a site behind HAProxy: swimmers log in and count their lengths; those whom HAProxy has let through to /staff are staff. */
export function createPool({ directory, keys, origin, name, health, deadline }: PoolOptions): Koa {
  const url = publicUrl({ origin })
  const store = fileStore(directory)

  const swimmers = detachedUsers({
    name: 'swimmers',
    authenticate: async ({ username = '', password }) =>
      SWIMMERS.get(username) === password ? { id: username } : null,
  })
  const site = stack(sessions({ store, keys, deadline }), users({ backends: [swimmers] }))
  const routes = new Router<StateOf<typeof site>, ContextOf<typeof site>>()
  routes.get('/', ctx => {
    const { user } = ctx.state
    ctx.type = 'html'
    ctx.body = poolPage({
      address: url('/'),
      seen: { ip: ctx.ip, protocol: ctx.protocol },
      swimmer: user.isAuthenticated ? { name: user.username, lengths: Number(ctx.session.lengths ?? 0) } : null,
    })
  })
  routes.post('/login', async ctx => {
    const user = await ctx.authenticate(ctx.request.body ?? {})
    if (!user) return ctx.throw(401, 'Nobody has this name and password.')
    await ctx.login(user)
    ctx.status = 303
    ctx.redirect(url.path('/'))
  })
  routes.post('/lengths', requireLogin(), async ctx => {
    // In one step, whichever processes count at the same time.
    await ctx.updateSession(session => {
      session.lengths = (session.lengths ?? 0) + 1
    })
    ctx.status = 303
    ctx.redirect(url.path('/'))
  })
  routes.post('/logout', async ctx => {
    await ctx.logout()
    ctx.status = 303
    ctx.redirect(url.path('/'))
  })

  const staff = stack(
    sessions({ store, keys, deadline, cookie: { name: 'staff', path: '/staff' } }),
    users({ backends: [remoteUsers({ name: 'staff' })] }),
    remoteUser({ trust: PROXIES, backend: 'staff' }),
  )
  const staffRoutes = new Router<StateOf<typeof staff>, ContextOf<typeof staff>>()
  staffRoutes.get('/staff', requireLogin(), ctx => {
    ctx.type = 'html'
    ctx.body = staffPage(ctx.state.user.username)
  })

  const app = new Koa({ proxy: true })
  app
    .use(healthz(health))
    .use(trustedProxies(PROXIES, { hosts: [new URL(origin).hostname] }))
    .use((ctx, next) => {
      ctx.set('X-Process', `${name} ${process.pid}`)
      return next()
    })
    .use(sameOrigin())
    .use(bodyParser())
    .use(
      realms({
        staff: { match: atPath('/staff'), stack: stack(staff, staffRoutes.routes()) },
        site: { stack: stack(site, routes.routes()) },
      }),
    )
  return app
}

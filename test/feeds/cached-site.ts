import { randomBytes } from 'node:crypto'
import http from 'node:http'
import Router, { type RouterMiddleware } from '@koa/router'
import type { ExecutionContext } from 'ava'
import type { Middleware, ParameterizedContext } from 'koa'
import {
  type AuthenticatedUser,
  type FeedTokens,
  permissionOrBasicAuth,
  requireLogin,
  sessionOrBasicAuth,
  sessions,
  stack,
  type UserBackend,
  type UserContext,
  users,
} from 'koa-strata'
import { readBasic } from '../../lib/feeds/basic.ts'
import { newFeedToken } from '../../lib/feeds/tokens.ts'
import { startNginx } from '../servers/nginx.ts'
import { Browser, KEY, startApp, WIDE_DEADLINE } from '../sessions/app.ts'
import { userOf } from '../users/app.ts'

/** Somebody whose every answer carries their marker. */
export interface Reader {
  readonly user: AuthenticatedUser
  readonly marker: string
  readonly password: string
  /** Their feed token. */
  readonly token: string
  /** Whether they may read the reports. */
  readonly mayReadReports: boolean
}

/** A site behind a shared cache. */
export interface CachedSite {
  readonly readers: readonly Reader[]
  /** Somebody new who goes through the cache. */
  browser(): Browser
}

export interface CachedSiteOptions {
  /** Whether passwords are checked by hand, in responses that say that anybody may keep them. @default by the library's guards */
  byHand?: boolean
  /** Middleware before all of the site's. */
  outside?: Middleware[]
  /** More lines for the `server` block of nginx. */
  nginx?: string
}

const READERS = 24
/** What markers look like, wherever they turn up. */
export const MARKER = /marker-[0-9a-f]{16}/g

/** Serves feeds and pages, private ones and public ones, through an nginx that keeps whatever it may. */
export async function startCachedSite(t: ExecutionContext, options: CachedSiteOptions = {}): Promise<CachedSite> {
  const { byHand = false, outside = [], nginx = '' } = options
  const readers = Array.from({ length: READERS }, (_, index) => newReader(index))
  const markerOf = (ctx: ParameterizedContext) =>
    readers.find(({ user }) => user.key === ctx.state.user?.key)?.marker ?? 'nobody'
  const identity = stack(
    sessions({ keys: [KEY], deadline: WIDE_DEADLINE }),
    users({ backends: [backendOf(readers)], throttle: false }),
  )
  const router = routesOf(readers, markerOf, byHand)
  const { port } = await startApp(t, {
    outside: [...outside, errorPages(markerOf)],
    layers: [identity, router.routes()],
  })
  const cache = await startNginx(t, { http: place => configuration({ ...place, app: port, more: nginx }) })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 200 })
  t.teardown(() => agent.destroy())
  return { readers, browser: () => new Browser(cache.port, agent) }
}

/**
 * A cache as operators set one up, and worse: it goes by the path alone, and keeps what says nothing of caching. nginx asks the application
 * without the client's conditions where it may keep the answer; below /conditional/ it hands them on, and HEAD too, so that the application
 * answers 304 itself.
 */
function configuration({ port, folder, app, more }: { port: number; folder: string; app: number; more: string }) {
  return `
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=pages:10m max_size=100m inactive=10m;
  upstream app {
    server 127.0.0.1:${app};
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_cache pages;
    proxy_cache_key "$request_method $uri";
    proxy_cache_valid 200 303 10m;
    proxy_cache_valid any 1m;
    proxy_cache_revalidate on;
    proxy_cache_lock on;
    proxy_cache_lock_timeout 20ms;
    proxy_cache_background_update on;
    proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504 http_403 http_404;
    add_header X-Cache-Status $upstream_cache_status always;
    ${more}
    location / {
      proxy_pass http://app;
    }
    location /conditional/ {
      proxy_pass http://app;
      proxy_cache_convert_head off;
      proxy_set_header Connection "";
      proxy_set_header If-None-Match $http_if_none_match;
      proxy_set_header If-Modified-Since $http_if_modified_since;
    }
  }`
}

function newReader(index: number): Reader {
  const mayReadReports = index % 2 === 0
  return {
    user: userOf('people', `reader-${index}`, { permissions: mayReadReports ? ['reports.read'] : [] }),
    marker: `marker-${randomBytes(8).toString('hex')}`,
    password: `pässwörd☃ ${index}`,
    token: newFeedToken(),
    mayReadReports,
  }
}

function backendOf(readers: readonly Reader[]): UserBackend {
  return {
    name: 'people',
    async authenticate({ username, password }) {
      const found = readers.find(({ user }) => user.username === username)
      return found?.password === password ? found!.user : null
    },
    load: async id => readers.find(({ user }) => user.id === id)?.user ?? null,
  }
}

function tokensOf(readers: readonly Reader[]): FeedTokens {
  return {
    async find(token) {
      const found = readers.find(one => one.token === token)
      return found ? { id: found.user.id, user: found.user, feeds: null } : null
    },
  }
}

type MarkerOf = (ctx: ParameterizedContext) => string

function routesOf(readers: readonly Reader[], markerOf: MarkerOf, byHand: boolean): Router {
  const guardedBy = (guard: unknown) => (byHand ? checkedByHand(readers) : guard) as RouterMiddleware
  const feeds = { realm: 'Feeds', tokens: tokensOf(readers) }
  const anybody = guardedBy(sessionOrBasicAuth(feeds))
  const some = guardedBy(permissionOrBasicAuth('reports.read', feeds))
  const saysPublic: RouterMiddleware = (ctx, next) => {
    ctx.set('Cache-Control', 'public, max-age=60')
    return next()
  }
  const own: RouterMiddleware = ctx => answer(ctx, ctx.state.byHand ?? markerOf(ctx))
  const router = new Router()
  for (const below of ['', '/conditional']) {
    router.get(`${below}/feed`, anybody, saysPublic, own)
    router.get(`${below}/feed-plain`, anybody, own)
    router.get(`${below}/reports`, some, saysPublic, own)
  }
  router.get('/page', saysPublic, own)
  router.get('/page-plain', own)
  router.get('/mine', requireLogin() as RouterMiddleware, own)
  router.get('/public-feed', saysPublic, ctx => answer(ctx, 'public'))
  router.get('/public', ctx => {
    ctx.set('Cache-Control', 'public, max-age=1')
    answer(ctx, 'public')
  })
  router.get('/login/:index', async ctx => {
    await (ctx as unknown as UserContext).login(readers[Number(ctx.params.index)]!.user)
    ctx.body = markerOf(ctx)
  })
  router.get('/logout', async ctx => {
    await (ctx as unknown as UserContext).logout()
    ctx.body = markerOf(ctx)
  })
  router.get('/begin', ctx => {
    ;(ctx as unknown as { session: object }).session = { begun: true }
    ctx.body = 'begun'
  })
  return router
}

/** What caches have to tell one user's answer from another's by, or to validate it: both are the user's own. */
function answer(ctx: ParameterizedContext, marker: string): void {
  ctx.set({ ETag: `"${marker}"`, 'Last-Modified': 'Sat, 07 Nov 2026 10:00:00 GMT' })
  ctx.type = 'application/atom+xml'
  ctx.body = `<feed>${marker}</feed>`
  if (ctx.fresh) ctx.status = 304
}

/** Says who is there, also where there is no such page, so that nothing before it has asked who it is. */
function errorPages(markerOf: MarkerOf): Middleware {
  return async (ctx, next) => {
    let status = 404
    try {
      await next()
      if (ctx.status !== 404 || ctx.body !== undefined) return
    } catch (error) {
      status = (error as { status?: number }).status ?? 500
    }
    ctx.status = status
    ctx.body = `${status} for ${markerOf(ctx)}`
  }
}

function checkedByHand(readers: readonly Reader[]): RouterMiddleware {
  return async (ctx, next) => {
    const { username, password } = readBasic(ctx.req) ?? {}
    const found = readers.find(one => one.user.username === username && one.password === password)
    if (!found) return ctx.throw(401)
    ctx.state.byHand = found.marker
    await next()
  }
}

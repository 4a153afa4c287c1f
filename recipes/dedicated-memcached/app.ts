import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import {
  type ContextOf,
  detachedUsers,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { type MemcachedClient, memcachedStore } from 'koa-strata/stores/memcached'
import { type Cache, cached } from './cache.ts'
import { timetablePage } from './page.ts'
import { makeTimetable } from './timetable.ts'

/** What the app is made of. The clients stay yours to shut down. */
export interface TimetableOptions {
  /** To the memcached that keeps sessions, and nothing else. */
  sessionClient: MemcachedClient
  /** To the memcached that keeps what can be made again. */
  cacheClient: Cache
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** Makes the timetable, which takes its time. @default makeTimetable */
  make?: () => Promise<string>
}

/** Who can log in. */
export const PEOPLE: Readonly<Record<string, string>> = { ada: 'ada-demo', noor: 'noor-demo' }

/** How long a timetable is good, in seconds. */
const GOOD_FOR = 60

/** Composes the app: a timetable that everybody shares, from the cache, and for whoever is logged in how often they looked at it. */
export function createTimetable({ sessionClient, cacheClient, keys, make = makeTimetable }: TimetableOptions): Koa {
  const identity = stack(
    sessions({ store: memcachedStore(sessionClient), keys }),
    users({
      backends: [
        detachedUsers({
          name: 'demo',
          authenticate: async ({ username = '', password }) =>
            Object.hasOwn(PEOPLE, username) && PEOPLE[username] === password ? { id: username } : null,
        }),
      ],
    }),
  )

  const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
  router.get('/', async ctx => {
    // What belongs to one person never goes into the cache: only the part of the page that is everybody's does.
    const timetable = await cached(cacheClient, 'timetable', GOOD_FOR, make)
    const { user } = ctx.state
    let looks = 0
    if (user.isAuthenticated) {
      await ctx.updateSession(session => {
        looks = session.looks = (session.looks ?? 0) + 1
      })
    }
    ctx.type = 'html'
    ctx.body = timetablePage(timetable, user.isAuthenticated ? { name: user.username, looks } : null)
  })
  router.post('/login', async ctx => {
    const user = await ctx.authenticate(ctx.request.body ?? {})
    if (!user) return ctx.throw(401, 'Nobody has this name and password.')
    await ctx.login(user)
    ctx.status = 303
    ctx.redirect('/')
  })
  router.post('/logout', async ctx => {
    await ctx.logout()
    ctx.status = 303
    ctx.redirect('/')
  })

  const app = new Koa()
  app.use(sameOrigin()).use(bodyParser()).use(identity).use(router.routes()).use(router.allowedMethods())
  return app
}

import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import { Cluster } from 'ioredis'
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
import { redisStore } from 'koa-strata/stores/redis'
import { counterPage } from './page.ts'

/** What the app is made of. */
export interface CounterOptions {
  /** Some nodes of the Cluster, as `redis://127.0.0.1:7001`: it finds the others by them. */
  nodes: readonly string[]
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. The same in every process. */
  keys: readonly SigningKey[]
  /** What this process is called on the page. */
  name: string
}

/** The app of one process. */
export interface Counter {
  readonly app: Koa
  /** Lets go of the Cluster. */
  close(): void
}

/** Who can log in. */
export const PEOPLE: Readonly<Record<string, string>> = { ada: 'ada-demo', noor: 'noor-demo' }

/** A client that fails at once where a node is down, finds the node that took its place, and leaves one that hangs. */
async function openCluster(nodes: readonly string[]): Promise<Cluster> {
  const cluster = new Cluster([...nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: () => 250,
    slotsRefreshInterval: 1000,
    redisOptions: { maxRetriesPerRequest: 0, socketTimeout: 1000 },
  })
  cluster.on('error', (error: Error) => console.error(error.message))
  await cluster.connect()
  return cluster
}

/** Composes the app of one process, connected: it counts, in the session, how often somebody who is logged in has looked at it. */
export async function createCounter({ nodes, keys, name }: CounterOptions): Promise<Counter> {
  const cluster = await openCluster(nodes)
  const identity = stack(
    sessions({ store: redisStore(cluster, { prefix: 'counter:' }), keys }),
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
    const { user } = ctx.state
    let looks = 0
    if (user.isAuthenticated) {
      await ctx.updateSession(session => {
        looks = session.looks = (session.looks ?? 0) + 1
      })
    }
    ctx.type = 'html'
    ctx.body = counterPage(name, user.isAuthenticated ? { name: user.username, looks } : null)
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
  return { app, close: () => cluster.disconnect() }
}

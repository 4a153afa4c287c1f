import http from 'node:http'
import type { ExecutionContext } from 'ava'
import {
  type BasicAuthOptions,
  type Credentials,
  sessionOrBasicAuth,
  type UserBackend,
  type UsersOptions,
} from 'koa-strata'
import { type Answer, Browser, type TestApp, type TestContext } from '../sessions/app.ts'
import { startUsersApp, type UsersHandler } from '../users/app.ts'
import { basic } from './people.ts'

/** The address that polls come from unless another one is said. */
export const HOME = '192.0.2.1'

/** How many connections at once a server takes that listens as Node has it. */
const BACKLOG = 250

/** How somebody polls. */
export interface Polling {
  /** @default '/feed' */
  path?: string
  /** @default HOME */
  from?: string
  /** @default one without cookies */
  browser?: Browser
}

/** An app with feeds that tell whose they are, which believes where its clients say that they are. */
export interface PolledSite extends TestApp {
  /** Opens connections for so many polls at once, which then come in their order. */
  connect(count: number): Promise<void>
  poll(username: string, password: string, polling?: Polling): Promise<Answer>
}

export interface PolledSiteOptions {
  backends: UserBackend[]
  /** @default as users() has it */
  throttle?: UsersOptions['throttle']
  /** What each feed is guarded with, by its path. @default one at '/feed' */
  feeds?: Record<string, Partial<BasicAuthOptions>>
  handlers?: Record<string, UsersHandler>
}

/** Serves feeds to as many at once as come, each on a connection that is kept. */
export async function startPolledSite(t: ExecutionContext, options: PolledSiteOptions): Promise<PolledSite> {
  const { backends, throttle = {}, feeds = { '/feed': {} }, handlers = {} } = options
  const guards = new Map(
    Object.entries(feeds).map(([path, given]) => [path, sessionOrBasicAuth({ realm: 'Jobs', ...given })]),
  )
  const guarded = (ctx: TestContext, next: () => Promise<void>) => {
    const guard = guards.get(ctx.path)
    if (!guard) return next()
    return guard(ctx, async () => {
      ctx.body = ctx.state.user.username
    })
  }
  const app = await startUsersApp(t, { backends, throttle, handlers, above: [guarded] })
  app.koa.proxy = true
  const agents = Array.from({ length: 4 }, () => new http.Agent({ keepAlive: true, maxSockets: BACKLOG }))
  t.teardown(() => {
    for (const agent of agents) agent.destroy()
  })
  let polls = 0
  const stranger = () => new Browser(app.port, agents[polls++ % agents.length]!)
  return {
    ...app,
    async connect(count) {
      for (const agent of agents) {
        const pings = Array.from({ length: Math.ceil(count / agents.length) }, () =>
          new Browser(app.port, agent).get('/ping'),
        )
        await Promise.all(pings)
      }
    },
    poll: (username, password, { path = '/feed', from = HOME, browser = stranger() } = {}) =>
      browser.get(path, { authorization: basic(username, password), 'x-forwarded-for': from }),
  }
}

/** A backend that says what it was asked about. */
export function watched<Backend extends UserBackend>(backend: Backend): Backend & { asked: Credentials[] } {
  const asked: Credentials[] = []
  return {
    ...backend,
    asked,
    authenticate(credentials, ctx) {
      asked.push(credentials)
      return backend.authenticate!(credentials, ctx)
    },
  }
}

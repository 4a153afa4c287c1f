import type { ExecutionContext } from 'ava'
import { type SessionsOptions, sessionOrBasicAuth, type UserBackend, type UsersOptions } from 'koa-strata'
import { basic } from '../../feeds/people.ts'
import type { Answer, Browser, TestApp, TestContext } from '../../sessions/app.ts'
import { handedClock } from '../../sessions/stores/setups.ts'
import { type Directory, directory, startUsersApp, type UsersHandler } from '../app.ts'

/** Somebody's address, in nobody's network but theirs. */
export const HOME = '192.0.2.1'
export const ELSEWHERE = '198.51.100.7'

/** An app with a login form and a feed, which believes where its clients say that they are. */
export interface LimitedApp extends TestApp {
  /** Logs in by the form. */
  logIn(username: string, password: string, from?: string, browser?: Browser): Promise<Answer>
  /** Polls the feed with HTTP Basic. */
  poll(username: string, password: string, from?: string, browser?: Browser): Promise<Answer>
}

export interface LimitedAppOptions {
  backends: UserBackend[]
  /** Its clock stands still unless one is handed over. */
  throttle?: UsersOptions['throttle']
  sessions?: SessionsOptions
  handlers?: Record<string, UsersHandler>
}

export async function startLimitedApp(t: ExecutionContext, options: LimitedAppOptions): Promise<LimitedApp> {
  const { backends, throttle = {}, sessions = {}, handlers = {} } = options
  const guard = sessionOrBasicAuth({ realm: 'Jobs', requireHttps: false })
  const feed = (ctx: TestContext, next: () => Promise<void>) => {
    if (ctx.path !== '/feed') return next()
    return guard(ctx, async () => {
      ctx.body = ctx.state.user.key
    })
  }
  const limits = throttle && { now: handedClock().now, ...throttle }
  const app = await startUsersApp(t, { backends, throttle: limits, handlers, above: [feed], ...sessions })
  app.koa.proxy = true
  return {
    ...app,
    logIn: (username, password, from = HOME, browser = app.browser()) => {
      const query = new URLSearchParams({ u: username, p: password })
      return browser.get(`/login?${query}`, { 'x-forwarded-for': from })
    },
    poll: (username, password, from = HOME, browser = app.browser()) =>
      browser.get('/feed', { authorization: basic(username, password), 'x-forwarded-for': from }),
  }
}

/** A directory whose every look-up takes a turn of the event loop, as a hash does. */
export function slowDirectory(people: Parameters<typeof directory>[1]): Directory {
  const backend = directory('local', people)
  const quick = backend.authenticate!
  return Object.assign(backend, {
    async authenticate(...given: Parameters<typeof quick>) {
      const user = await quick(...given)
      await new Promise(setImmediate)
      return user
    },
  })
}

/** How many answers there were of each status. */
export function statuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Does something so many times, each after the one before. */
export async function inTurn<Answer>(count: number, act: (index: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let index = 0; index < count; index++) answers.push(await act(index))
  return answers
}

/** Does something so many times at once. */
export function atOnce<Answer>(count: number, act: (index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => act(index)))
}

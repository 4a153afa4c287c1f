import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import type Koa from 'koa'
import type { Middleware } from 'koa'
import type { ProfileSource } from 'koa-strata'
import type { SqlUsers } from 'koa-strata/sql'
import { loginAs } from 'koa-strata/testing'
import { createCanteen } from './app.ts'
import { type Employee, readEmployee } from './employee.ts'
import { agencyTemps, EMPLOYEES, employ, openExample, PEOPLE, Personnel } from './example.ts'
import { httpProfiles } from './http-profiles.ts'

/** In milliseconds: so long nothing takes on a busy machine either. */
export const WIDE = 30_000
/** How long tests of a service that does not answer let it take, in milliseconds. */
export const DEADLINE = 1000

/** What a test has otherwise than the recipe. */
export interface TestCanteenOptions {
  onUnavailable?: 'fail' | 'without'
  /** How long the source lets the service take, in milliseconds. @default WIDE */
  deadline?: number
  /** How long the app lets any source take, in milliseconds. @default 2 * WIDE */
  appDeadline?: number
  /** What stands in place of the source. @default the source itself */
  instead?: (source: Required<ProfileSource<Employee>>) => ProfileSource<Employee>
  /** What stands before everything. */
  outside?: Middleware
  /** What answers where the app has no page. */
  inside?: Middleware
}

/** The very app of this recipe, with a database of its own. */
export interface TestCanteen {
  readonly app: Koa
  readonly origin: string
  readonly database: Knex
  readonly accounts: SqlUsers
  /** The keys of those who have a record. */
  readonly keys: ReadonlyMap<string, string>
  /** Requests for profiles that the service was sent from this process since it was last emptied, as `POST /profiles/look-up`. */
  readonly requests: string[]
  /** What the application was told of with 'error'. */
  readonly errors: unknown[]
}

/** Starts it with a service of its own, which knows the employees of the example. */
export async function startCanteen(
  t: ExecutionContext,
  options?: TestCanteenOptions,
): Promise<TestCanteen & { readonly personnel: Personnel }> {
  const personnel = await Personnel.start(t)
  const canteen = await startCanteenOn(t, personnel, options)
  await employ(personnel, canteen.keys)
  return { ...canteen, personnel }
}

/** Starts it on a service that is there. */
export async function startCanteenOn(
  t: ExecutionContext,
  { url, token }: { url: string; token: string },
  {
    onUnavailable,
    deadline = WIDE,
    appDeadline = 2 * WIDE,
    instead = source => source,
    outside,
    inside,
  }: TestCanteenOptions = {},
): Promise<TestCanteen> {
  const { database, accounts, backends, keys } = await openExample(t)
  const app = createCanteen({
    database,
    backends,
    temps: agencyTemps,
    employees: instead(httpProfiles({ url, token, read: readEmployee, deadline })),
    deadline: appDeadline,
    onUnavailable,
    keys: ['k'.repeat(32)],
  })
  if (outside) app.middleware.unshift(outside)
  if (inside) app.use(inside)
  const errors: unknown[] = []
  app.on('error', error => errors.push(error))
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { app, origin, database, accounts, keys, requests: requestsTo(t, new URL(url).origin), errors }
}

/** What `fetch` of this process sends there from now on, but for the changes that tests make. */
function requestsTo(t: ExecutionContext, service: string): string[] {
  const requests: string[] = []
  const listener = (message: unknown) => {
    const { request } = message as { request: { origin: string; method: string; path: string } }
    if (request.origin === service && ['GET', 'POST'].includes(request.method))
      requests.push(`${request.method} ${request.path}`)
  }
  subscribe('undici:request:create', listener)
  t.teardown(() => unsubscribe('undici:request:create', listener))
  return requests
}

/** Holds requests for a path back until so many have come, and lets them go on together. */
export function together(path: string, count: number): Middleware {
  const enough = Promise.withResolvers<void>()
  let waiting = 0
  return async (ctx, next) => {
    if (ctx.path === path) {
      if (++waiting === count) enough.resolve()
      await enough.promise
    }
    await next()
  }
}

/** What a page is, for a test. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

/** Somebody with a browser of their own. */
export class Visitor {
  readonly #origin: string
  cookie = ''

  constructor({ origin }: { origin: string }) {
    this.#origin = origin
  }

  /** Somebody of the example who is logged in. */
  static async loggedIn(
    site: { origin: string },
    username: string,
    password = PEOPLE[username] ?? '',
  ): Promise<Visitor> {
    const visitor = new Visitor(site)
    const { status } = await visitor.send('/login', { username, password })
    if (status !== 303) throw new Error(`${username} could not log in: ${status}`)
    return visitor
  }

  /** Whose prices the menu has, or the status where it is not there. */
  async tariff(): Promise<string> {
    const { status, text } = await this.send('/')
    return status === 200 ? /<caption><bdi>(.*)<\/bdi>/.exec(text)![1]! : String(status)
  }

  /** Somebody new, whom the personnel department knows as one of this department, and who is logged in. */
  static async employed(
    site: TestCanteen & { personnel: Personnel },
    username: string,
    department: string,
  ): Promise<Visitor> {
    const user = await site.accounts.create({ username })
    await site.personnel.put(user.key, { ...EMPLOYEES.ada, department })
    const visitor = new Visitor(site)
    visitor.cookie = await loginAs(site.app, user)
    return visitor
  }

  /** The status of a page: 303 sends somebody who is anonymous to log in. */
  async status(path: string): Promise<number> {
    return (await this.send(path)).status
  }

  async send(path: string, form?: Record<string, string>): Promise<Answer> {
    const response = await fetch(this.#origin + path, {
      redirect: 'manual',
      headers: { cookie: this.cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    const line = response.headers.getSetCookie().find(one => one.startsWith('sid='))
    if (line !== undefined) this.cookie = line.split(';', 1)[0]!
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
}

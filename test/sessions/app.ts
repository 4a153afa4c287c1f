import http, { type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import Koa, { type Context, type Middleware } from 'koa'
import { type SessionContext, sessionOf, sessions } from '../../lib/sessions/layer.ts'
import type { LiveSession } from '../../lib/sessions/live-session.ts'
import type { SessionsOptions } from '../../lib/sessions/options.ts'
import type { SessionStore } from '../../lib/sessions/store.ts'

/** A key that is long enough. */
export const KEY = 'a key of the tests, 32 bytes or more'
/** Another one. */
export const OTHER_KEY = 'another key of the tests, long enough'
/** A deadline, in milliseconds, that a store keeps on a busy machine too, for tests that are not about deadlines. */
export const WIDE_DEADLINE = 30_000

// biome-ignore lint/suspicious/noExplicitAny: handlers of tests reach into whatever the layers add
export type TestContext = Context & SessionContext & { state: any }
/** Answers a request: what it returns is the body, as JSON unless it is text. */
export type Handler = (ctx: TestContext) => unknown

export interface AppOptions extends SessionsOptions {
  /** What answers each path. */
  handlers?: Record<string, Handler>
  /** Middleware around the sessions. */
  outside?: Middleware[]
  /** What stands in place of `sessions(options)`. */
  layers?: readonly unknown[]
}

/** What a client sees of one response. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** The Set-Cookie lines. */
  setCookies: string[]
  text: string
  /** The body, read as JSON. */
  readonly json: ReturnType<typeof JSON.parse>
}

/** A running app of a test. */
export interface TestApp {
  koa: Koa
  port: number
  /** Every error that reached the app's 'error' event. */
  errors: (Error & { code?: string })[]
  /** A new browser, without cookies. */
  browser(): Browser
}

/** What was behind the errors of an app: the cause where they have one. */
export function causes({ errors }: TestApp): unknown[] {
  return errors.map(error => error.cause ?? error)
}

/** The session of a request, as the layers above see it. */
export function live(ctx: object): LiveSession {
  return sessionOf(ctx, 'test').live
}

/** Someone to log in. */
export function login(id: string, stamp = '') {
  return { backend: 'test', id, stamp }
}

/** What changes who is logged in, and under which id: at '/login?user=…', '/logout', '/null' and '/regenerate'. */
export const LOGINS: Readonly<Record<string, Handler>> = {
  '/login': async ctx => {
    await live(ctx).logIn(login(String(ctx.query.user)))
    return ''
  },
  '/logout': async ctx => {
    await live(ctx).end()
    return 'logged out'
  },
  '/null': ctx => {
    ctx.session = null
    return 'logged out'
  },
  '/regenerate': async ctx => {
    await ctx.session.regenerate()
    return ''
  },
}

/** Serves an app with sessions on a free port of the loopback until the test is over. */
export async function startApp(t: ExecutionContext, options: AppOptions = {}): Promise<TestApp> {
  const { handlers = {}, outside = [], layers, ...given } = options
  const koa = new Koa()
  const errors: TestApp['errors'] = []
  koa.on('error', error => errors.push(error))
  for (const one of [...outside, ...(layers ?? [sessions({ keys: [KEY], ...given })])]) koa.use(one as Middleware)
  koa.use(async ctx => {
    const handler = handlers[ctx.path]
    if (!handler) return
    const body = await handler(ctx as unknown as TestContext)
    if (body !== undefined) ctx.body = typeof body === 'string' ? body : JSON.stringify(body)
  })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 200 })
  const server = koa.listen(0, '127.0.0.1')
  // A busy test may leave a connection idle for longer than a server keeps it, and would then use it again.
  server.keepAliveTimeout = 0
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(async () => {
    agent.destroy()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { koa, port, errors, browser: () => new Browser(port, agent) }
}

/** Keeps cookies as a browser does, as far as one host and Path=/ go, and sends them with each request. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #port: number
  readonly #agent: http.Agent

  constructor(port: number, agent: http.Agent) {
    this.#port = port
    this.#agent = agent
  }

  /** A browser with a copy of these cookies. */
  copy(): Browser {
    const copy = new Browser(this.#port, this.#agent)
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return copy
  }

  /** The Cookie header it would send now. */
  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** @param headers fields to send; `cookie` stands in place of the kept ones */
  async get(path: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
    const kept = this.cookie
    const answer = await new Promise<Answer>((resolve, reject) => {
      const request = http.request(
        {
          host: '127.0.0.1',
          port: this.#port,
          path,
          method,
          agent: this.#agent,
          headers: { ...(kept && { cookie: kept }), ...headers },
        },
        async response => {
          try {
            const text = Buffer.concat(await response.toArray()).toString()
            const { statusCode = 0, headers: received } = response
            resolve({
              status: statusCode,
              headers: received,
              setCookies: received['set-cookie'] ?? [],
              text,
              get json() {
                return JSON.parse(text)
              },
            })
          } catch (error) {
            reject(error)
          }
        },
      )
      request.on('error', reject)
      request.end()
    })
    for (const line of answer.setCookies) this.#keep(line)
    return answer
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */)
    const equals = pair.indexOf('=')
    const over = attributes.some(attribute => /^max-age=(0|-\d+)$/i.test(attribute))
    if (over) this.cookies.delete(pair.slice(0, equals))
    else this.cookies.set(pair.slice(0, equals), pair.slice(equals + 1))
  }
}

/** A store that says which of its calls were made, in their order. */
export function recorded(store: SessionStore): SessionStore & { calls: string[] } {
  const calls: string[] = []
  const proxy = new Proxy(store, {
    get(target, name, receiver) {
      if (name === 'calls') return calls
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        calls.push(String(name))
        return value.apply(target, args)
      }
    },
  })
  return proxy as SessionStore & { calls: string[] }
}

/** Stops whoever waits until it is opened. */
export interface Gate {
  /** Resolves when somebody stands at the gate. */
  readonly reached: Promise<void>
  /** To be awaited by the one who shall stop. */
  pass(): Promise<void>
  open(): void
}

/** A gate for one. */
export function gate(): Gate {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  return {
    reached: reached.promise,
    pass() {
      reached.resolve()
      return opened.promise
    },
    open: () => opened.resolve(),
  }
}

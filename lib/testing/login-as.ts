import { createServer, type IncomingMessage, request } from 'node:http'
import { duplexPair } from 'node:stream'
import type { default as Koa, Middleware } from 'koa'
import { LoginInvalid, OptionInvalid } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { type RequestUser, requestUserOf } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'

/** Options of `loginAs()`. */
export interface LoginAsOptions {
  /**
   * What is asked for, where it decides which layers a request goes through: a host or a path with users of its own. It should be nobody's
   * page: whatever stands before the layers is asked for it.
   * @default 'https://localhost/login-as'
   */
  url?: string | undefined
}

const WHO = 'loginAs()'
/** A Set-Cookie line by which a browser forgets a cookie. */
const CLEARING = /; *(max-age=0 *(;|$)|expires=Thu, 01 Jan 1970)/i

/**
 * Logs a user in to an application and answers what a client then sends as `Cookie`: for tests of pages behind a login, without a password
 * and a form.
 *
 * ```ts
 * const headers = { cookie: await loginAs(app, await accounts.create({ username: 'ada' })) }
 * const response = await fetch(`${origin}/company`, { headers })
 * ```
 *
 * The application stays as it is, and needs no route for it. One request goes through its middleware, over a connection within the process
 * that passes for https, until a `users()` has this user's backend; there it is answered, by a login like any other: in this application's
 * store, with its keys and its cookie, told by `koa-strata:login`. Where several would do, the first one counts. What a mounted application
 * has inside is reached by a `url` below its path. Not reached are layers inside a router, which run for its routes alone, and layers behind
 * somebody who answers: put a guard for all pages behind `stack()` and not into it.
 * @throws LoginInvalid where the user is not active, or of no backend of these `users()`
 * @throws Error where the request met no `users()`, saying who answered; and whatever the application threw on the way
 */
export async function loginAs(
  // biome-ignore lint/suspicious/noExplicitAny: an application of any state and context
  app: Koa<any, any>,
  user: AuthenticatedUser,
  options: LoginAsOptions = {},
): Promise<string> {
  knownOptions(WHO, options, ['url'])
  const url = checkUrl(options.url ?? 'https://localhost/login-as')
  const attempt = new Attempt(user)
  const response = await answerOf(handlerOf(app, attempt), url)
  if (!attempt.loggedIn) throw attempt.error ?? new Error(notReached(url, response, attempt.cameThrough))
  const kept = (response.headers['set-cookie'] ?? []).filter(line => !CLEARING.test(line))
  return kept.map(line => line.split(';', 1)[0]).join('; ')
}

/** The login of one request, tried behind each middleware. */
class Attempt {
  loggedIn = false
  /** Whether nobody answered before the end of the application. */
  cameThrough = false
  /** The first thing that went wrong, wherever it was. */
  error: unknown
  readonly #user: AuthenticatedUser
  readonly #tried = new Set<RequestUser>()

  constructor(user: AuthenticatedUser) {
    this.#user = user
  }

  /** Stands behind each middleware of the application. */
  readonly probe: Middleware = async (ctx, next) => {
    const users = usersOf(ctx)
    if (users && !this.#tried.has(users)) {
      this.#tried.add(users)
      try {
        await users.by.logIn(this.#user)
        this.loggedIn = true
        this.error = undefined
        ctx.status = 204
        return
      } catch (error) {
        this.error ??= error
        // The user may be of another users() further on.
        if (!(error instanceof LoginInvalid)) throw error
      }
    }
    try {
      await next()
    } catch (error) {
      this.error ??= error
      throw error
    }
  }

  /** Stands at the end. */
  readonly end: Middleware = () => {
    this.cameThrough = true
  }

  /** Stands before the application, whose listeners of errors are not told. */
  readonly begin: Middleware = async (ctx, next) => {
    try {
      await this.probe(ctx, next)
    } catch {
      ctx.status = 500
    }
  }
}

/** What answers as the application does, with the attempt behind each of its middlewares. */
function handlerOf(app: Koa, attempt: Attempt): ReturnType<Koa['callback']> {
  const { middleware } = app
  const silent = () => {}
  // Koa takes the list at once, and adds a listener of errors where there is none.
  app.middleware = [attempt.begin, ...middleware.flatMap(one => [one, attempt.probe]), attempt.end]
  app.on('error', silent)
  try {
    return app.callback()
  } finally {
    app.middleware = middleware
    app.off('error', silent)
  }
}

function usersOf(ctx: object): RequestUser | null {
  try {
    return requestUserOf(ctx, WHO)
  } catch {
    return null
  }
}

/** Asks a handler, through a pair of streams: nothing listens. */
async function answerOf(handler: ReturnType<Koa['callback']>, url: URL): Promise<IncomingMessage> {
  const [ours, theirs] = duplexPair()
  const encrypted = url.protocol === 'https:'
  createServer(handler).emit('connection', Object.assign(theirs, { encrypted, remoteAddress: '127.0.0.1' }))
  try {
    return await new Promise((resolve, reject) => {
      const asked = request({
        createConnection: () => ours,
        path: url.pathname + url.search,
        headers: { host: url.host, 'x-forwarded-proto': url.protocol.slice(0, -1), connection: 'close' },
      })
      asked.once('response', resolve)
      asked.on('error', reject)
      asked.end()
    })
  } finally {
    ours.destroy()
    theirs.destroy()
  }
}

function checkUrl(given: unknown): URL {
  if (typeof given === 'string' && /^https?:/i.test(given) && URL.canParse(given)) return new URL(given)
  throw new OptionInvalid(WHO, 'url', "must be an absolute address, as 'https://localhost/admin'.")
}

function notReached(url: URL, { statusCode, headers: { location } }: IncomingMessage, cameThrough: boolean): string {
  const asked = `${WHO}: no users() was reached by GET ${url}.`
  if (cameThrough)
    return `${asked} Add it with app.use() or stack(), and not inside a router, which runs it for its routes alone.`
  const answer = location === undefined ? statusCode : `${statusCode} to ${location}`
  return `${asked} Something else answered ${answer}. Put that behind the layers, or hand in a \`url\` that it lets through.`
}

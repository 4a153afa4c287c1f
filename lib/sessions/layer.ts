import type { Next, ParameterizedContext } from 'koa'
import { type Description, describe } from '../described.ts'
import { LayerMissing } from '../errors.ts'
import { publish, type SessionGone } from '../events.ts'
import type { Layer } from '../stack.ts'
import { SessionAnswer } from './answer.ts'
import type { SessionCookie } from './cookie.ts'
import { createEngine, type Session } from './engine.ts'
import { Epochs } from './epochs.ts'
import { LiveSession, type SessionChange } from './live-session.ts'
import { openCarrier } from './open-carrier.ts'
import { type SessionsOptions, type SessionsSetting, settleSessions } from './options.ts'
import { KeyedQueue } from './queue.ts'
import { signerOfApp } from './signature.ts'
import type { SessionData, SessionStore } from './store.ts'

/** What `sessions()` adds to `ctx`. */
export interface SessionContext {
  /**
   * koa-session's object. Change its properties; set it to null to end the session. For a minute after a session has ended, from elsewhere too,
   * what a request with its cookie writes here is not kept, unless somebody logs in: it may be a late one.
   */
  get session(): Session
  set session(values: SessionData | null)
  /**
   * Runs `change` on the newest stored values in one step, again if another request came between, and stores this request's changes so far
   * with it. It stays stored even if the handler throws. False where the session has ended meanwhile: nothing was stored.
   */
  updateSession(change: SessionChange): Promise<boolean>
}

/** What the layers above need of the session of a request. */
export interface SessionAccess {
  readonly live: LiveSession
  readonly answer: SessionAnswer
  readonly setting: SessionsSetting
  /** Where users' epochs are kept; null where nothing keeps them. */
  readonly epochs: Epochs | null
  /** Tells that the login in the session no longer holds. */
  gone(reason: SessionGone, user: string): void
}

/** What a layer of sessions was made with. */
export interface SessionsDescription extends Description {
  readonly by: 'sessions()'
  readonly options: Readonly<SessionsOptions>
  readonly cookie: SessionCookie
  /** As in the options, or else their defaults; in milliseconds. */
  readonly idleTimeout: number
  readonly absoluteTimeout: number
}

/** The longest that browsers keep a cookie, in milliseconds (RFC 6265bis §5.5). */
const LONGEST_COOKIE = 400 * 86_400_000
/** How often at most expired records are swept, in milliseconds, and how many at once. */
const SWEEP_EVERY = 300_000
const SWEEP_BATCH = 500

/** Where a request carries it: a property of our own, since a WeakMap of requests costs the garbage collector more than all of this layer. */
const ACCESS = Symbol('koa-strata session')

/** The session of a request. @throws LayerMissing, in the name of `who`, where no `sessions()` ran before */
export function sessionOf(ctx: object, who: string): SessionAccess {
  const access = (ctx as { [ACCESS]?: SessionAccess })[ACCESS]
  if (!access) throw new LayerMissing(who, 'ctx.session', 'sessions(…)')
  return access
}

/**
 * A session on every request: `ctx.session`. Reading it creates nothing; what a handler changes is stored when it has succeeded, merged with
 * what other requests stored meanwhile. A session that has ended stays ended.
 * @throws OptionInvalid at construction, naming the option that is wrong
 */
export function sessions(options: SessionsOptions = {}): Layer<never, 'sessions', unknown, SessionContext> {
  const setting = settleSessions(options)
  const start = createEngine()
  const { epochStore } = setting
  const epochs = epochStore && new Epochs(epochStore, Math.min(setting.absoluteTimeout, LONGEST_COOKIE), setting.now)
  const { store, cookie } = setting
  const stored = store && { ...setting, store, queue: new KeyedQueue(), created: sweeper(store, setting.now) }
  const appSigner = signerOfApp()

  const layer = async function sessionsLayer(ctx: ParameterizedContext, next: Next): Promise<void> {
    const signer = setting.signer ?? appSigner(ctx.app.keys)
    const answer = new SessionAnswer(ctx)
    const gone = (reason: SessionGone, user: string | null = null) =>
      publish('koa-strata:session-gone', { reason, user, ip: ctx.ip })
    const carrier = openCarrier(ctx, { setting, stored, signer, answer, gone })
    const { now, absoluteTimeout } = setting
    const live = new LiveSession(carrier, { now, absoluteTimeout, gone, onRead: () => answer.dependsOn('Cookie') })
    if (cookie.domain !== undefined && !cookie.covers(ctx.hostname)) {
      publish('koa-strata:cookie-domain', { domain: cookie.domain, host: ctx.hostname })
    }
    const restore = expose(ctx, live, { live, answer, setting, epochs, gone })
    try {
      await start(live, async hold => {
        live.attach(hold)
        await next()
        if (ctx.status < 500) await live.commit()
      })
      answer.complete()
    } catch (error) {
      throw answer.completeError(error)
    } finally {
      restore()
    }
  } as Layer<never, 'sessions', unknown, SessionContext>
  const { idleTimeout, absoluteTimeout } = setting
  const description = { by: 'sessions()', options: { ...options }, cookie, idleTimeout, absoluteTimeout } as const
  return describe(layer, description satisfies SessionsDescription)
}

function expose(ctx: ParameterizedContext, live: LiveSession, access: SessionAccess): () => void {
  const outer = ctx[ACCESS]
  const outerSession = Object.getOwnPropertyDescriptor(ctx, 'session')
  const outerUpdate = ctx.updateSession
  ctx[ACCESS] = access
  Object.defineProperty(ctx, 'session', {
    get: () => live.session,
    set: (values: unknown) => {
      live.session = values
    },
    configurable: true,
    enumerable: false,
  })
  ctx.updateSession = (change: SessionChange) => live.update(change)
  return () => {
    if (!outer || !outerSession) return
    ctx[ACCESS] = outer
    Object.defineProperty(ctx, 'session', outerSession)
    ctx.updateSession = outerUpdate
  }
}

function sweeper(store: SessionStore, now: () => number): () => void {
  let last = now()
  let sweeping = false
  const over = () => {
    sweeping = false
  }
  return () => {
    if (!store.sweep || sweeping || now() - last < SWEEP_EVERY) return
    last = now()
    sweeping = true
    store.sweep(SWEEP_BATCH).then(over, over)
  }
}

import type { Next, ParameterizedContext } from 'koa'
import { LayerMissing } from '../errors.ts'
import { publish, type SessionGone } from '../events.ts'
import type { Layer } from '../stack.ts'
import { SessionAnswer } from './answer.ts'
import type { Carrier } from './carrier.ts'
import { CookieSession } from './cookie-session.ts'
import { createEngine, type Session } from './engine.ts'
import { Epochs } from './epochs.ts'
import { isSessionId } from './id.ts'
import { LiveSession, type SessionChange } from './live-session.ts'
import { type SessionsOptions, type SessionsSetting, settleSessions } from './options.ts'
import { KeyedQueue } from './queue.ts'
import { Signer } from './signature.ts'
import type { SessionData, SessionStore } from './store.ts'
import { StoredSession } from './stored-session.ts'

/** What `sessions()` adds to `ctx`. */
export interface SessionContext {
  /** koa-session's object. Change its properties; set it to null to end the session. */
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

/** How often at most expired records are swept, in milliseconds, and how many at once. */
const SWEEP_EVERY = 300_000
const SWEEP_BATCH = 500

const accesses = new WeakMap<object, SessionAccess>()

/** The session of a request. @throws LayerMissing, in the name of `who`, where no `sessions()` ran before */
export function sessionOf(ctx: object, who: string): SessionAccess {
  const access = accesses.get(ctx)
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
  const queue = new KeyedQueue()
  const epochs = setting.epochStore && new Epochs(setting.epochStore, setting.absoluteTimeout, setting.now)
  const sweep = setting.store ? sweeper(setting.store, setting.now) : () => {}
  const appSigner = signerOfApp()

  return async function sessionsLayer(ctx: ParameterizedContext, next: Next): Promise<void> {
    const signer = setting.signer ?? appSigner(ctx.app.keys)
    const answer = new SessionAnswer(ctx)
    const gone = (reason: SessionGone, user: string | null = null) =>
      publish('koa-strata:session-gone', { reason, user, ip: ctx.ip })
    const carrier = openCarrier(ctx, { setting, signer, answer, queue, gone, created: sweep })
    const live = new LiveSession(carrier, { now: setting.now, absoluteTimeout: setting.absoluteTimeout, gone })
    if (!setting.cookie.covers(ctx.hostname)) {
      publish('koa-strata:cookie-domain', { domain: setting.cookie.domain ?? '', host: ctx.hostname })
    }
    const restore = expose(ctx, live, { live, answer, setting, epochs, gone })
    try {
      await start(live, async hold => {
        live.attach(hold)
        await next()
        if (ctx.status < 500) await live.commit()
      })
      answer.complete(live.wasRead)
    } catch (error) {
      throw answer.completeError(error, live.wasRead)
    } finally {
      restore()
    }
  } as Layer<never, 'sessions', unknown, SessionContext>
}

interface CarrierParts {
  setting: SessionsSetting
  signer: Signer
  answer: SessionAnswer
  queue: KeyedQueue
  gone(reason: SessionGone): void
  created(): void
}

function openCarrier(ctx: ParameterizedContext, parts: CarrierParts): Carrier {
  const { setting, signer, answer, gone } = parts
  const { cookie, store } = setting
  const purpose = store ? 'id' : 'data'
  const signed = (value: string) => `koa-strata ${purpose} ${cookie.name}=${value}`
  const received = (): string | null => {
    const values = cookie.valuesIn(ctx.req)
    const [value, another] = values
    if (value === undefined) return null
    const dot = value.lastIndexOf('.')
    const payload = value.slice(0, dot)
    const fits = dot > 0 && (purpose === 'data' || isSessionId(payload))
    if (another === undefined && fits && signer.verify(signed(payload), value.slice(dot + 1))) return payload
    gone(another === undefined ? 'bad-cookie' : 'duplicate-cookie')
    return null
  }
  const send = (payload: string) =>
    answer.setCookie(cookie.set(`${payload}.${signer.sign(signed(payload))}`, setting.absoluteTimeout))
  const clear = () => answer.setCookie(cookie.clear())
  if (!store) return new CookieSession(setting, { payload: received(), send, clear, gone })
  return new StoredSession(
    { ...setting, store, queue: parts.queue, created: parts.created },
    // Once the head is sent the cookie stays, and leads nowhere: the session has ended in the store.
    { id: received(), assertOpen: () => answer.assertOpen(), send, clear: () => ctx.headerSent || clear(), gone },
  )
}

function expose(ctx: ParameterizedContext, live: LiveSession, access: SessionAccess): () => void {
  const outer = accesses.get(ctx)
  const outerSession = Object.getOwnPropertyDescriptor(ctx, 'session')
  const outerUpdate = ctx.updateSession
  accesses.set(ctx, access)
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
    accesses.set(ctx, outer)
    Object.defineProperty(ctx, 'session', outerSession)
    ctx.updateSession = outerUpdate
  }
}

/** The signer for `app.keys`, made anew when they are others: rotating them needs no restart. */
function signerOfApp(): (keys: unknown) => Signer {
  let last: { keys: unknown[]; signer: Signer } | null = null
  return keys => {
    const given = Array.isArray(keys) ? keys : []
    if (!last || last.keys.length !== given.length || last.keys.some((key, index) => key !== given[index])) {
      last = { keys: [...given], signer: new Signer('app', keys) }
    }
    return last.signer
  }
}

function sweeper(store: SessionStore, now: () => number): () => void {
  let last = now()
  return () => {
    if (!store.sweep || now() - last < SWEEP_EVERY) return
    last = now()
    store.sweep(SWEEP_BATCH).catch(() => {})
  }
}

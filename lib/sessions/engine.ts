import { createSession } from 'koa-session'
import type { SessionData } from './store.ts'

/**
 * koa-session's session object: the stored values as plain properties, and its methods. Keys that start with '_' and the names below cannot
 * hold values; storing one is an error.
 */
export interface Session {
  // biome-ignore lint/suspicious/noExplicitAny: an application's own values, which `unknown` would make unusable without a cast
  [key: string]: any
  /** Whether the request came without a session. */
  readonly isNew: boolean
  /** How many values there are. */
  readonly length: number
  /** Whether there is a value. */
  readonly populated: boolean
  /** Stores the changes so far, at once: they stay even if the handler throws afterwards. */
  save(): Promise<void>
  /** Gives the session a new id and ends the old one. */
  regenerate(): Promise<void>
  /** Stores the changes so far where there are any. */
  manuallyCommit(): Promise<void>
  /** The values. */
  toJSON(): SessionData
}

/** What the engine asks of one request's session. */
export interface EngineClient {
  /** The values of the session that the request came with, or null. */
  load(): Promise<SessionData | null>
  /** Stores the values that the session object holds by now. */
  store(renew: boolean): Promise<void>
  /** Ends the session. */
  end(): Promise<void>
}

/** One request's hold on the engine. */
export interface EngineHold {
  /** koa-session's object; null after `session = null`. */
  get session(): Session | null
  set session(values: SessionData | null)
}

interface EngineContext extends EngineHold {
  client: EngineClient
  renewing: boolean
}

type Start = (client: EngineClient, next: (hold: EngineHold) => Promise<void>) => Promise<void>

/** koa-session wants a number; when a session expires is ours to say. */
const UNUSED_MAX_AGE = 86_400_000

/**
 * koa-session by its public options alone, on a stand-in for the application, so that several layers do not share its `ctx.session`. It is
 * handed neither ids nor cookies: its external key says only whether there is a session, so that nothing it prints or keeps can be replayed.
 */
export function createEngine(): Start {
  const app = { use() {}, emit() {}, context: {} as object }
  Object.assign(app.context, { app, cookies: { set() {} } })
  const run = createSession(
    {
      autoCommit: false,
      signed: false,
      maxAge: UNUSED_MAX_AGE,
      genid: () => 'new',
      externalKey: { get: () => 'request', set: () => {} },
      store: {
        get: (_key, _maxAge, { ctx }) => (ctx as EngineContext).client.load(),
        async set(_key, _values, _maxAge, { ctx }) {
          const context = ctx as EngineContext
          const { renewing } = context
          context.renewing = false
          await context.client.store(renewing)
        },
        async destroy(_key, { ctx }) {
          const context = ctx as EngineContext
          // regenerate() destroys before it stores: the old session is ended then, together with the storing of the new one.
          if (context.session) context.renewing = true
          else await context.client.end()
        },
      },
    },
    app,
  )
  return (client, next) => {
    const context: EngineContext = Object.assign(Object.create(app.context), { client, renewing: false })
    return run(context, () => next(context))
  }
}

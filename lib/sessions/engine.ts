import { debuglog } from 'node:util'
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
  /** Stores the values that the session object holds by now: under a new id, or under the id they have, then perhaps only if they have changed. */
  store(how: 'renew' | 'save' | 'if changed'): Promise<void>
  /** Ends the session. */
  end(): Promise<void>
}

/** One request's hold on the engine. */
export interface EngineHold {
  /** koa-session's object; null after `session = null`. */
  get session(): Session | null
  set session(values: SessionData | null)
}

/** What koa-session is handed in place of Koa's `ctx`. */
interface EngineContext extends EngineHold {
  client: EngineClient
  /** What was loaded, until the session object has it. */
  loaded: SessionData | null
  renewing: boolean
}

type Start = (client: EngineClient, next: (hold: EngineHold) => Promise<void>) => Promise<void>

/** koa-session wants a number; when a session expires is ours to say. */
const UNUSED_MAX_AGE = 86_400_000
const debugging = debuglog('koa-session:context')

/**
 * koa-session by its public options alone, on a stand-in for the application, so that several layers do not share its `ctx.session`. It is
 * handed neither ids nor data: its external key says only whether there is a session, its session object begins empty and is filled here, so
 * that nothing it prints (NODE_DEBUG) or hashes is anybody's.
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
      beforeSave: (_ctx, session) => hide(session),
      store: {
        async get(_key, _maxAge, { ctx }) {
          const context = ctx as EngineContext
          context.loaded = await context.client.load()
          return context.loaded && {}
        },
        async set(_key, _values, _maxAge, { ctx, changed }) {
          const context = ctx as EngineContext
          show(context.session)
          const { renewing } = context
          context.renewing = false
          // It compares with the empty values it knows: only `manuallyCommit` asks it to.
          await context.client.store(renewing ? 'renew' : changed ? 'if changed' : 'save')
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
    const context: EngineContext = Object.assign(Object.create(app.context), { client, loaded: null, renewing: false })
    return run(context, () => {
      const hold = new Hold(context)
      if (context.loaded) Object.assign(context.session!, context.loaded)
      return next(hold)
    })
  }
}

class Hold implements EngineHold {
  readonly #context: EngineContext

  constructor(context: EngineContext) {
    this.#context = context
  }

  get session(): Session | null {
    return this.#context.session
  }

  set session(values: SessionData | null) {
    this.#context.session = values && {}
    if (values) Object.assign(this.#context.session!, values)
  }
}

const hidden = new WeakMap<object, PropertyDescriptor | null>()

/** While koa-session prints what it saves, its session object tells nothing. */
function hide(session: object): void {
  if (!debugging.enabled || !Object.isExtensible(session)) return
  hidden.set(session, Object.getOwnPropertyDescriptor(session, 'toJSON') ?? null)
  Object.defineProperty(session, 'toJSON', { value: () => ({}), configurable: true })
}

function show(session: object | null): void {
  const own = session && hidden.get(session)
  if (!session || own === undefined) return
  hidden.delete(session)
  Reflect.deleteProperty(session, 'toJSON')
  if (own) Object.defineProperty(session, 'toJSON', own)
}

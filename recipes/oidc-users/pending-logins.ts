import { type SessionStore, type SigningKey, sessions } from 'koa-strata'

/** What is kept between the way to the provider and the way back. */
export interface PendingLogin {
  /** Comes back in the ID token: it was made for this login. */
  readonly nonce: string
  /** Shows that whoever exchanges the code has asked for it (PKCE, RFC 7636). */
  readonly verifier: string
  /** Where to go afterwards. */
  readonly next: string
}

type SessionLayer = ReturnType<typeof sessions>
/** A context that has a session. */
type SessionCtx = Parameters<SessionLayer>[0]

/** How long somebody may take at the provider, in milliseconds. */
const PATIENCE = 15 * 60_000
/** How many logins of one browser may be on their way: one in each of its tabs. */
const MOST = 5

/**
 * Logins that are on their way, in a session of their own beside the one that people are logged in by: whoever has been logged out there, which
 * ends that one and keeps late requests from writing to it, can log in again at once.
 */
export class PendingLogins {
  /** A middleware: while it runs, its session is the context's. */
  readonly #session: SessionLayer

  constructor(store: SessionStore, keys: readonly SigningKey[]) {
    const timeouts = { idleTimeout: PATIENCE, absoluteTimeout: 4 * PATIENCE }
    this.#session = sessions({ store, keys, cookie: { name: 'login' }, ...timeouts })
  }

  /** Keeps a login that begins, by its state. */
  async keep(ctx: SessionCtx, state: string, pending: PendingLogin): Promise<void> {
    await this.#session(ctx, async () => {
      await ctx.updateSession(session => {
        const others = Object.entries(session.pending ?? {}).slice(1 - MOST)
        session.pending = Object.fromEntries([...others, [state, pending]])
      })
    })
  }

  /** The login with this state, which is good once; null where this browser has begun none. */
  async take(ctx: SessionCtx, state: string): Promise<PendingLogin | null> {
    let taken: PendingLogin | null = null
    await this.#session(ctx, async () => {
      if (!Object.hasOwn(ctx.session.pending ?? {}, state)) return
      await ctx.updateSession(session => {
        const { [state]: found = null, ...others } = session.pending ?? {}
        taken = found
        session.pending = others
      })
    })
    return taken
  }
}

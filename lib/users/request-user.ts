import type { ParameterizedContext } from 'koa'
import { LayerMissing } from '../errors.ts'
import type { UserBackend } from './backend.ts'
import type { RememberedUser } from './login.ts'
import type { AnonymousUser, AuthenticatedUser } from './user.ts'

/** Whoever a request has. */
export type AnyUser = AnonymousUser | AuthenticatedUser

/** Adds to a user what a layer above knows of them, as their profile. */
export type Enrichment = (user: AnyUser) => Promise<AnyUser>

/** What the layers above ask `users()` to do for a request. */
export interface Identification {
  /** The `users()` that is asked: the same one at each of its requests. */
  readonly layer: object
  /**
   * Who has these credentials. @param recall who is known to have them already, if anybody: asked in place of the backends and within the same
   * limits, so that nobody can tell from a refusal whether somebody would have been known
   */
  authenticate(credentials: object, recall?: () => Promise<AuthenticatedUser | null>): Promise<AuthenticatedUser | null>
  /** What tells a user again who has shown credentials that are right. */
  remember(user: AuthenticatedUser): RememberedUser
  /** Who was remembered, with nothing asked of the backend but who they are now; null where the credentials have to be looked at again. */
  recall(remembered: RememberedUser): Promise<AuthenticatedUser | null>
  /** The user with this id, if there is one who may log in. */
  find(user: { backend: string; id: string }): Promise<AuthenticatedUser | null>
  /** Logs somebody in. @param via what has to vouch for this login at each request; left out, it holds by itself */
  logIn(user: AuthenticatedUser, via?: string): Promise<void>
  /** What has to vouch for the login of the session at each request, if anything has. */
  readonly via: string | undefined
  /** The backend with this name, if there is one. */
  backend(name: string): UserBackend | undefined
}

/** The user of one request, who may change while it runs: by a login, a logout, or credentials that hold for this request alone. */
export class RequestUser {
  /** Set by `users()` before anything above it runs. */
  by!: Identification
  readonly #enrichments: Enrichment[] = []
  /** As the backend knows them. */
  #plain: AnyUser
  #user: AnyUser

  constructor(user: AnyUser) {
    this.#plain = user
    this.#user = user
  }

  get user(): AnyUser {
    return this.#user
  }

  /** Makes somebody the user of this request, enriched by the layers above. */
  async become(user: AnyUser): Promise<void> {
    const enriched = await this.#enriched(user)
    this.#plain = user
    this.#user = enriched
  }

  /** Asks the layers above again what they know of the user. Whoever logs in or out meanwhile stays. */
  async enrichAgain(): Promise<void> {
    const user = this.#plain
    const enriched = await this.#enriched(user)
    if (user === this.#plain) this.#user = enriched
  }

  /** Enriches the user there is, and whoever follows in this request. */
  async enrichWith(enrichment: Enrichment): Promise<void> {
    this.#user = await enrichment(this.#user)
    this.#enrichments.push(enrichment)
  }

  async #enriched(user: AnyUser): Promise<AnyUser> {
    let enriched = user
    for (const enrich of this.#enrichments) enriched = await enrich(enriched)
    return enriched
  }
}

/** Where a request carries its user. */
const USER = Symbol('koa-strata user')

/**
 * Gives a request its user, as `ctx.state.user`, and `additions` to its context. What is answered takes that back where another `users()` around
 * this one had given the request its own.
 */
export function exposeUser(
  ctx: ParameterizedContext,
  current: RequestUser,
  onRead: () => void,
  additions: object,
): () => void {
  const outer = ctx[USER]
  const outerUser = Object.getOwnPropertyDescriptor(ctx.state, 'user')
  const outerAdditions = Object.fromEntries(Object.keys(additions).map(name => [name, ctx[name]]))
  ctx[USER] = current
  Object.defineProperty(ctx.state, 'user', {
    get: () => {
      onRead()
      return current.user
    },
    configurable: true,
    enumerable: true,
  })
  Object.assign(ctx, additions)
  return () => {
    if (!outer || !outerUser) return
    ctx[USER] = outer
    Object.defineProperty(ctx.state, 'user', outerUser)
    Object.assign(ctx, outerAdditions)
  }
}

/** The user of a request. @throws LayerMissing, in the name of `who`, where no `users()` ran before */
export function requestUserOf(ctx: object, who: string): RequestUser {
  const found = (ctx as { [USER]?: RequestUser })[USER]
  if (!found) throw new LayerMissing(who, 'ctx.state.user', 'users(…)')
  return found
}

import { newSessionId, storeId } from './id.ts'
import type { SessionRecord, SessionStore } from './store.ts'

/**
 * Ends all sessions of users whose backend cannot: an epoch beside the sessions, a random text that a login is bound to. A user's first login
 * makes it; it lives as long as a session bound to it can. Where a store loses it, by eviction or a flush, the logins bound to it have ended:
 * none that was ended before can come back.
 */
export class Epochs {
  readonly #store: SessionStore
  readonly #lifetime: number
  readonly #now: () => number

  /** @param lifetime the longest that a session lasts, in milliseconds */
  constructor(store: SessionStore, lifetime: number, now: () => number) {
    this.#store = store
    this.#lifetime = lifetime
    this.#now = now
  }

  /** The user's epoch; empty where there is none, and then no login holds that was bound to one. */
  async current(userKey: string): Promise<string> {
    const found = await this.#store.read(idOf(userKey))
    return typeof found?.data._epoch === 'string' ? found.data._epoch : ''
  }

  /** The epoch to bind a new login to, kept for as long as that login can last. */
  async bind(userKey: string): Promise<string> {
    const id = idOf(userKey)
    if (!(await this.#store.touch(id, this.#expiry()))) {
      const epoch = newSessionId()
      if ((await this.#store.create(id, this.#record(epoch))) !== null) return epoch
    }
    return this.current(userKey)
  }

  /**
   * A new epoch: every login bound to the one before has ended when this resolves. Answers the epoch, or null where another renewal came between
   * and its epoch is the one that holds.
   */
  async renew(userKey: string): Promise<string | null> {
    const id = idOf(userKey)
    const epoch = newSessionId()
    const record = this.#record(epoch)
    for (;;) {
      const found = await this.#store.read(id)
      if (!found) {
        if ((await this.#store.create(id, record)) !== null) return epoch
        continue
      }
      const answer = await this.#store.replace(id, found.version, record)
      // 'changed': another renewal came between, which ended the same logins.
      if (answer !== 'gone') return answer === 'changed' ? null : epoch
    }
  }

  #record(epoch: string): SessionRecord {
    return { data: { _epoch: epoch }, user: null, expiresAt: this.#expiry() }
  }

  #expiry(): number {
    return this.#now() + this.#lifetime
  }
}

function idOf(userKey: string): string {
  return storeId(`epoch:${userKey}`)
}

import { createHmac, randomBytes } from 'node:crypto'
import { Recent } from '../recent.ts'
import type { Credentials } from '../users/backend.ts'
import type { RememberedUser } from '../users/login.ts'
import type { Identification } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'

/** How many credentials are remembered: some megabytes of them. */
const MOST_REMEMBERED = 10_000
/** For how long they are where another password would show in the user's stamp, which is compared at each poll: 12 hours. */
const LONGEST = 43_200_000

/** Who asks, and how long what was right may be taken for right. */
export interface Poll {
  readonly by: Identification
  readonly ip: string
  /** In milliseconds, for backends that say nothing of another password. */
  readonly lasts: number
  /** In epoch milliseconds. */
  readonly now: number
}

interface Verified {
  readonly user: RememberedUser
  readonly at: number
}

/**
 * Credentials that were right a while ago, so that a poll need not cost a password hash. They are kept by an HMAC whose key is this object's
 * alone, and are looked at again when their time is over, or the user is not the same any more, or too many logins have failed there. Many polls
 * at once with the same ones are looked at once.
 */
export class VerifiedCredentials {
  readonly #secret = randomBytes(32)
  readonly #verified = new Recent<Verified>(MOST_REMEMBERED)
  readonly #underway = new Map<string, Promise<AuthenticatedUser | null>>()

  /** The user who has these credentials, or null. @throws what `ctx.authenticate()` throws */
  async userWith(credentials: Credentials, poll: Poll): Promise<AuthenticatedUser | null> {
    const key = this.#hmac(credentials)
    const verified = this.#verified.get(key)
    if (verified) {
      const lasts = verified.user.followsPassword ? LONGEST : poll.lasts
      const user = poll.now - verified.at < lasts ? await poll.by.recall(verified.user, credentials) : null
      if (user) return user
    }
    // By address too, so that nobody is refused since somebody elsewhere has failed too often.
    const asking = `${poll.ip} ${key}`
    let answer = this.#underway.get(asking)
    if (!answer) {
      answer = this.#verify(key, credentials, poll).finally(() => this.#underway.delete(asking))
      this.#underway.set(asking, answer)
    }
    return answer
  }

  async #verify(key: string, credentials: Credentials, { by, now }: Poll): Promise<AuthenticatedUser | null> {
    const user = await by.authenticate(credentials)
    if (user) this.#verified.set(key, { user: by.remember(user), at: now })
    else this.#verified.delete(key)
    return user
  }

  #hmac({ username, password }: Credentials): string {
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([username, password]))
      .digest('base64')
  }
}

const ofLayers = new WeakMap<object, VerifiedCredentials>()

/** The verified credentials of a `users()`, whichever of its feeds they were shown at. */
export function verifiedCredentials({ layer }: Identification): VerifiedCredentials {
  let found = ofLayers.get(layer)
  if (!found) {
    found = new VerifiedCredentials()
    ofLayers.set(layer, found)
  }
  return found
}

import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { Recent } from '../recent.ts'
import type { Credentials } from '../users/backend.ts'
import type { RememberedUser } from '../users/login.ts'
import type { Identification } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import { SingleFlight } from './single-flight.ts'

/** How many credentials are remembered: some megabytes of them. */
const MOST_REMEMBERED = 10_000
/** For how long they are where they are wrong only when the user is not the same any more, which is seen at each poll: 12 hours. */
const LONGEST = 43_200_000

/** Who asks, and how long what was right may be taken for right. */
export interface Poll {
  readonly by: Identification
  readonly ip: string
  /** In milliseconds, for users who may be the same although their credentials are wrong by now. */
  readonly lasts: number
  /** In epoch milliseconds. */
  readonly now: number
}

interface Verified {
  readonly user: RememberedUser
  /** When they were shown, in epoch milliseconds. */
  readonly at: number
}

/**
 * Credentials that were right a while ago, so that a poll need not cost a password hash: that alone is spared, and failed logins are limited as
 * ever. They are kept by an HMAC whose key is this object's alone, and are looked at again when their time is over, or the user is not the same
 * any more. Many polls at once with the same ones are one look.
 */
export class VerifiedCredentials {
  readonly #secret = createSecretKey(randomBytes(32))
  readonly #verified = new Recent<Verified>(MOST_REMEMBERED)
  readonly #polls = new SingleFlight<AuthenticatedUser | null>()

  /** The user who has these credentials, or null. @throws what `ctx.authenticate()` throws */
  async userWith(credentials: Credentials, poll: Poll): Promise<AuthenticatedUser | null> {
    const key = this.#hmac(credentials)
    // By address too, so that nobody is refused since somebody elsewhere has failed too often; and by the time that the feed gives.
    return this.#polls.run(`${key} ${poll.lasts} ${poll.ip}`, () => this.#look(key, credentials, poll))
  }

  async #look(key: string, credentials: Credentials, poll: Poll): Promise<AuthenticatedUser | null> {
    const verified = this.#verified.get(key)
    let recalled: AuthenticatedUser | null = null
    const recall = async () => {
      recalled = verified && isFresh(verified, poll) ? await poll.by.recall(verified.user) : null
      return recalled
    }
    const user = await poll.by.authenticate(credentials, recall)
    if (!user) this.#verified.delete(key)
    else if (user !== recalled) this.#verified.set(key, { user: poll.by.remember(user), at: poll.now })
    return user
  }

  #hmac({ username, password }: Credentials): string {
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([username, password]))
      .digest('base64')
  }
}

function isFresh({ user, at }: Verified, { lasts, now }: Poll): boolean {
  return now - at < (user.isBinding ? LONGEST : lasts)
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

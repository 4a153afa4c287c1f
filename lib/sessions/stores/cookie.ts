import { knownOptions } from '../../options.ts'
import { checkSessionStore, type SessionStore } from '../store.ts'

/** Options of `cookieStore()`. */
export interface CookieStoreOptions {
  /**
   * Where it is kept that a user's sessions have ended, for users whose backend cannot keep it itself (detached users). Without one, such a
   * user cannot log in: a login that nobody could end would be no login of this library. @default none
   */
  epochs?: SessionStore | undefined
}

/** Keep the session in the cookie: see `cookieStore()`. */
export class CookieStore {
  readonly epochs: SessionStore | undefined

  constructor(options: CookieStoreOptions = {}) {
    knownOptions('cookieStore()', options, ['epochs'])
    if (options.epochs !== undefined) {
      checkSessionStore('cookieStore()', 'epochs', options.epochs)
    }
    this.epochs = options.epochs
  }
}

/**
 * Keeps sessions in the browser: the data travels in the signed cookie, where its owner can read it, and no server stores it. Nothing to run,
 * and three promises that it cannot keep: an earlier copy of the cookie still holds what it held (S2), of two changes at once the later answer
 * wins (S6, `updateSession` included), and sessions cannot be listed or ended one by one (S10). Logins do end on the server, by the user's
 * stamp; since that is all there is, logging out ends all sessions of the user. The cookie holds about 3 kB of data.
 */
export function cookieStore(options: CookieStoreOptions = {}): CookieStore {
  return new CookieStore(options)
}

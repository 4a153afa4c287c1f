import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { SessionCookie } from '../../sessions/cookie.ts'
import type { Signer } from '../../sessions/signature.ts'

/** How many accounts one browser is known to. */
const MOST_ACCOUNTS = 4
const SHAPE = /^([\w-]{22})((?:\.[0-9a-z]{1,11}\.[\w-]{43}){1,4})$/

/** The cookie by which accounts know a browser again, beside the session's. */
export function deviceCookieBeside(session: SessionCookie): SessionCookie {
  return session.beside('device')
}

/** That an account has logged in with the browser, and when. */
interface Entry {
  readonly since: string
  readonly signature: string
}

/**
 * A cookie by which accounts know a browser again that they have logged in with (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"): a
 * random id, and for each account a moment and a signature over all three. It names no account, and nothing of it is kept on the server.
 */
export class DeviceCookie {
  readonly #cookie: SessionCookie
  readonly #signer: Signer
  readonly #lasts: number
  readonly #now: () => number

  /** @param session the session's cookie, whose attributes this one shares @param lasts how long a login counts, in milliseconds */
  constructor(session: SessionCookie, signer: Signer, lasts: number, now: () => number) {
    this.#cookie = deviceCookieBeside(session)
    this.#signer = signer
    this.#lasts = lasts
    this.#now = now
  }

  /** The id of the browser where it is known to the account, else null. */
  deviceFor(account: string, request: IncomingMessage): string | null {
    const { id, entries } = this.#read(request)
    return entries.some(entry => this.#isOf(account, id, entry) && this.#isFresh(entry)) ? id : null
  }

  /** The Set-Cookie line by which the browser will be known to the account, and to those that know it already. */
  line(account: string, request: IncomingMessage): string {
    const { id, entries } = this.#read(request)
    const since = Math.floor(this.#now()).toString(36)
    const others = entries.filter(entry => !this.#isOf(account, id, entry)).slice(0, MOST_ACCOUNTS - 1)
    const all = [{ since, signature: this.#signer.sign(this.#signed(account, id, since)) }, ...others]
    const value = [id, ...all.flatMap(({ since, signature }) => [since, signature])].join('.')
    return this.#cookie.set(value, this.#lasts)
  }

  #read(request: IncomingMessage): { id: string; entries: Entry[] } {
    const [value = '', another] = this.#cookie.valuesIn(request)
    const [, id, list] = SHAPE.exec(value) ?? []
    if (id === undefined || list === undefined || another !== undefined)
      return { id: randomBytes(16).toString('base64url'), entries: [] }
    const parts = list.slice(1).split('.')
    const entries = parts.flatMap((since, index) => (index % 2 === 0 ? { since, signature: parts[index + 1]! } : []))
    return { id, entries }
  }

  #isOf(account: string, id: string, { since, signature }: Entry): boolean {
    return this.#signer.verify(this.#signed(account, id, since), signature)
  }

  #isFresh({ since }: Entry): boolean {
    return Number.parseInt(since, 36) + this.#lasts > this.#now()
  }

  #signed(account: string, id: string, since: string): string {
    return `koa-strata device ${this.#cookie.name}=${id} ${since} ${account}`
  }
}

import type { SessionGone } from '../events.ts'
import type { Carrier, Draft } from './carrier.ts'
import { parseContent, type SessionContent } from './content.ts'
import type { SessionData } from './store.ts'

/** What carrying sessions in the cookie takes. */
export interface CookieSessionSetting {
  now: () => number
  idleTimeout: number
  touchEvery: number
  sharedBackend: string | null
}

/** What one request says of its cookie. */
export interface DataCookie {
  /** What the request sent, its signature checked, and when it was written; or null. */
  readonly content: { data?: unknown; seen?: unknown } | null
  send(data: SessionData): void
  clear(): void
  gone(reason: SessionGone): void
}

/** A session whose data travels in the cookie, as `cookieStore()` has it. */
export class CookieSession implements Carrier {
  readonly endsOnServer = false
  readonly storeId = null
  readonly #setting: CookieSessionSetting
  readonly #cookie: DataCookie
  #stored: SessionData | null = null
  #expelled = false

  constructor(setting: CookieSessionSetting, cookie: DataCookie) {
    this.#setting = setting
    this.#cookie = cookie
  }

  async load(): Promise<SessionContent | null> {
    if (this.#cookie.content === null) return null
    const { data, seen } = this.#cookie.content
    const content = parseContent(data)
    if (content === 'corrupt' || content === 'ended' || typeof seen !== 'number') {
      this.#cookie.gone('corrupt')
      // What we cannot read the framework that has made it may.
      this.#expelled = this.#setting.sharedBackend !== null
      return null
    }
    const age = this.#setting.now() - seen
    if (age >= this.#setting.idleTimeout) {
      this.#cookie.gone('absent')
      return null
    }
    this.#stored = data as SessionData
    if (age > this.#setting.touchEvery) this.#send(this.#stored)
    return content
  }

  async isLive(): Promise<boolean> {
    return this.#stored !== null
  }

  async save(draft: Draft): Promise<SessionData | null> {
    if (this.#expelled) return null
    const data = draft(this.#stored)
    this.#send(data)
    return data
  }

  async renew(draft: Draft, afresh: boolean): Promise<SessionData | null> {
    if (afresh) this.#expelled = false
    return this.save(draft)
  }

  async end(): Promise<void> {
    if (this.#stored || this.#expelled) this.#cookie.clear()
    this.forget()
  }

  async expel(): Promise<void> {
    this.#stored = null
    this.#expelled = true
    if (this.#setting.sharedBackend === null) this.#cookie.clear()
  }

  forget(): void {
    this.#stored = null
    this.#expelled = false
  }

  #send(data: SessionData): void {
    this.#cookie.send(data)
    this.#stored = data
  }
}

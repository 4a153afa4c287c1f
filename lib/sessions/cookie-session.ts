import type { SessionGone } from '../events.ts'
import type { Carrier, Draft } from './carrier.ts'
import { parseContent, type SessionContent } from './content.ts'
import type { SessionData } from './store.ts'

/** How often, at most, the cookie is sent anew to move its expiry on, in milliseconds. */
const TOUCH_EVERY = 60_000

/** What carrying sessions in the cookie takes. */
export interface CookieSessionSetting {
  now: () => number
  idleTimeout: number
}

/** What one request says of its cookie. */
export interface DataCookie {
  /** The payload the request sent, its signature checked, or null. */
  readonly payload: string | null
  send(payload: string): void
  clear(): void
  gone(reason: SessionGone): void
}

/** A session whose data travels in the cookie, base64url of `{ data, seen }`: what `cookieStore()` asks for. */
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
    const { payload } = this.#cookie
    if (payload === null) return null
    const { data, seen } = decode(payload)
    const content = parseContent(data)
    if (content === 'corrupt' || content === 'ended' || typeof seen !== 'number') {
      this.#cookie.gone('corrupt')
      return null
    }
    const age = this.#setting.now() - seen
    if (age >= this.#setting.idleTimeout) {
      this.#cookie.gone('absent')
      return null
    }
    this.#stored = data as SessionData
    if (age > Math.min(TOUCH_EVERY, this.#setting.idleTimeout / 4)) this.#send(this.#stored)
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
    if (this.#stored) this.#cookie.clear()
    this.forget()
  }

  async expel(): Promise<void> {
    this.#stored = null
    this.#expelled = true
    this.#cookie.clear()
  }

  forget(): void {
    this.#stored = null
  }

  #send(data: SessionData): void {
    this.#cookie.send(Buffer.from(JSON.stringify({ data, seen: this.#setting.now() })).toString('base64url'))
    this.#stored = data
  }
}

function decode(payload: string): { data?: unknown; seen?: unknown } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return parsed !== null && typeof parsed === 'object' ? parsed : {}
  } catch {
    return {}
  }
}

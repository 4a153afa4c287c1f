import { SessionContended, SessionStoreUnavailable } from '../errors.ts'
import type { SessionGone } from '../events.ts'
import { backOff } from './back-off.ts'
import type { Carrier, Draft } from './carrier.ts'
import { parseContent, type SessionContent, userOf } from './content.ts'
import { endStoredSession, markerOf, shortenMarker } from './ending.ts'
import type { IdForm } from './forms.ts'
import type { KeyedQueue } from './queue.ts'
import type { SessionData, SessionRecord, SessionStore } from './store.ts'

const MOST_TRIES = 30
const MOST_COLLISIONS = 3

/** What carrying sessions by id takes, the same for every request. */
export interface StoredSessionSetting {
  store: SessionStore
  ids: IdForm
  queue: KeyedQueue
  now: () => number
  expiryOf(data: SessionData): number
  absoluteTimeout: number
  touchEvery: number
  sharedBackend: string | null
  onUnavailable: 'fail' | 'anonymous'
  /** Called after a session was added. */
  created(): void
}

/** What one request says of its cookie. */
export interface IdCookie {
  /** The id the request sent, its shape and signature checked, or null. */
  readonly id: string | null
  /** @throws SessionTooLate when no cookie can be sent any more: asked before anything is stored under a new id */
  assertOpen(): void
  send(id: string, data: SessionData): void
  clear(): void
  gone(reason: SessionGone): void
}

/**
 * none: nothing stored yet, a save begins a session. live: loaded or made by this request. ended: it ended while the request was on its way.
 * unread: the store did not answer, and the application wants to go on without.
 */
type Phase = 'none' | 'live' | 'ended' | 'unread'

/** A session whose id travels in the cookie while a store keeps the data. */
export class StoredSession implements Carrier {
  readonly endsOnServer = true
  readonly #setting: StoredSessionSetting
  readonly #cookie: IdCookie
  #phase: Phase = 'none'
  #key = ''
  #version = ''
  #stored: SessionData | null = null

  constructor(setting: StoredSessionSetting, cookie: IdCookie) {
    this.#setting = setting
    this.#cookie = cookie
  }

  get storeId(): string | null {
    return this.#phase === 'live' ? this.#key : null
  }

  async load(): Promise<SessionContent | null> {
    if (this.#cookie.id === null) return null
    this.#key = this.#setting.ids.storeId(this.#cookie.id)
    let found: Awaited<ReturnType<SessionStore['read']>>
    try {
      found = await this.#setting.store.read(this.#key)
    } catch (error) {
      if (this.#setting.onUnavailable === 'fail') throw error
      this.#phase = 'unread'
      return null
    }
    if (!found) {
      this.#cookie.gone('absent')
      return null
    }
    const content = this.#take(found)
    if (typeof content === 'string') {
      // What we cannot read the framework that has made it may.
      this.#phase = content === 'ended' || this.#setting.sharedBackend !== null ? 'ended' : 'none'
      this.#cookie.gone(content)
      if (content === 'ended') await shortenMarker(this.#setting.store, this.#setting.now, this.#key, found.expiresAt)
      return null
    }
    this.#phase = 'live'
    await this.#touch(content, found.expiresAt)
    return content
  }

  async isLive(): Promise<boolean> {
    return this.#phase === 'live' && (await this.#reread())
  }

  async save(draft: Draft): Promise<SessionData | null> {
    if (this.#phase === 'unread') throw new SessionStoreUnavailable()
    if (this.#phase === 'none') return this.#begin(draft(null))
    if (this.#phase === 'ended') return null
    return this.#setting.queue.run(this.#key, async waited => {
      let current = !waited || (await this.#reread())
      for (let tries = 0; current; tries++) {
        if (tries === MOST_TRIES) throw new SessionContended(tries)
        const data = draft(this.#stored)
        const begun = performance.now()
        const answer = await this.#setting.store.replace(this.#key, this.#version, this.#record(data))
        if (answer === 'gone') break
        if (answer !== 'changed') {
          this.#version = answer
          this.#stored = data
          return data
        }
        await backOff(tries + 1, begun)
        current = await this.#reread()
      }
      return this.#over()
    })
  }

  async renew(draft: Draft, afresh: boolean): Promise<SessionData | null> {
    const [oldPhase, oldKey] = [this.#phase, this.#key]
    if (oldPhase !== 'live' && !afresh) return this.save(draft)
    let data = draft(this.#stored)
    const { id, key, version } = await this.#add(data)
    let newVersion = version
    try {
      for (let tries = 0; oldPhase === 'live'; tries++) {
        if (tries === MOST_TRIES) throw new SessionContended(tries)
        // A login is another session; a logout that meets it here is older.
        const marker = markerOf(this.#setting.now, afresh ? undefined : key)
        const begun = performance.now()
        const answer = await this.#setting.store.replace(oldKey, this.#version, marker)
        if (answer === 'changed') await backOff(tries + 1, begun)
        if (answer === 'gone' || (answer === 'changed' && !(await this.#reread()))) {
          // Where a client sent it twice, the second was told 'changed' by the first.
          const isOurs = answer === 'changed' && (await this.#setting.store.read(oldKey))?.data?._successor === key
          if (afresh || isOurs) break
          await this.#setting.store.destroy(key)
          return this.#over()
        }
        if (answer !== 'changed') break
        data = draft(this.#stored)
        const merged = await this.#setting.store.replace(key, newVersion, this.#record(data))
        if (merged === 'changed' || merged === 'gone')
          throw new SessionStoreUnavailable(new Error('a session vanished while it was made'))
        newVersion = merged
      }
    } catch (error) {
      this.#setting.store.destroy(key).catch(() => {})
      throw error
    }
    this.#adopt(id, key, newVersion, data)
    return data
  }

  async end(): Promise<void> {
    if (this.#phase === 'unread') throw new SessionStoreUnavailable()
    if (this.#phase === 'none') return
    const { store, now } = this.#setting
    const known = this.#phase === 'live' ? { version: this.#version } : {}
    if (await endStoredSession(store, now, this.#key, known)) {
      this.#cookie.clear()
      this.forget()
    } else {
      this.#phase = 'ended'
    }
  }

  async expel(): Promise<void> {
    if (this.#phase !== 'live') return
    this.#phase = 'ended'
    this.#stored = null
    const { store, now, sharedBackend } = this.#setting
    if (sharedBackend !== null) return
    // The login is void whether or not the marker is stored, so a store that fails here changes nothing for anybody.
    await endStoredSession(store, now, this.#key, { version: this.#version, follow: false }).catch(() => false)
  }

  forget(): void {
    this.#phase = 'none'
    this.#stored = null
  }

  /** The session ended while this request was on its way. */
  #over(): null {
    this.#phase = 'ended'
    this.#stored = null
    this.#cookie.gone('ended')
    return null
  }

  async #begin(data: SessionData): Promise<SessionData> {
    const { id, key, version } = await this.#add(data)
    this.#adopt(id, key, version, data)
    return data
  }

  async #add(data: SessionData): Promise<{ id: string; key: string; version: string }> {
    this.#cookie.assertOpen()
    for (let tries = 0; tries < MOST_COLLISIONS; tries++) {
      const id = this.#setting.ids.newId()
      const key = this.#setting.ids.storeId(id)
      const version = await this.#setting.store.create(key, this.#record(data)).catch(error => {
        // It may have been stored nevertheless, under an id that nobody will ever have.
        this.#setting.store.destroy(key).catch(() => {})
        throw error
      })
      if (version !== null) {
        this.#setting.created()
        return { id, key, version }
      }
    }
    throw new SessionStoreUnavailable(new Error(`the store called ${MOST_COLLISIONS} random ids taken`))
  }

  #adopt(id: string, key: string, version: string, data: SessionData): void {
    this.#phase = 'live'
    this.#key = key
    this.#version = version
    this.#stored = data
    this.#cookie.send(id, data)
  }

  /** Reads again; false where the session is over. */
  async #reread(): Promise<boolean> {
    const found = await this.#setting.store.read(this.#key)
    return found !== null && typeof this.#take(found) !== 'string'
  }

  #take(found: SessionRecord & { version: string }): SessionContent | 'ended' | 'corrupt' {
    const content = parseContent(found.data)
    if (typeof content === 'string') return content
    this.#stored = found.data
    this.#version = found.version
    return content
  }

  async #touch({ created }: SessionContent, expiresAt: number): Promise<void> {
    const { store, now, expiryOf, absoluteTimeout, touchEvery, sharedBackend } = this.#setting
    if (created + absoluteTimeout <= now()) return
    const later = expiryOf(this.#stored!)
    if (Math.abs(later - expiresAt) <= touchEvery) return
    // Not moving the expiry on costs nobody their session yet; the next request tries again.
    const touched = await store.touch(this.#key, later).catch(() => false)
    if (touched && sharedBackend !== null) this.#cookie.send(this.#cookie.id!, this.#stored!)
  }

  #record(data: SessionData): SessionRecord {
    return { data, user: userOf(data), expiresAt: this.#setting.expiryOf(data) }
  }
}

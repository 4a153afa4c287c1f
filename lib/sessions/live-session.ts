import { isDeepStrictEqual, types } from 'node:util'
import { OptionInvalid, SessionDataInvalid } from '../errors.ts'
import type { SessionGone } from '../events.ts'
import { isPlainObject } from '../options.ts'
import type { Carrier, Draft } from './carrier.ts'
import { newContent, type SessionLogin, type View, valuesOf, withChanges } from './content.ts'
import { exactSnapshot, refuseOversize, refuseReserved, type Snapshot, storedSnapshot } from './data.ts'
import type { EngineClient, EngineHold, Session } from './engine.ts'
import { applyChanges, changesBetween } from './merge.ts'
import type { SessionData } from './store.ts'

/**
 * A change for `updateSession`: it alters the draft it is handed, and nothing else, since it may run again. It is synchronous: whatever it needs
 * is waited for before.
 */
export type SessionChange = (draft: SessionData) => void

/** What every request's session of a layer shares. */
export interface LiveSessionSetting {
  now: () => number
  absoluteTimeout: number
  /** Tells that the session the cookie named is not to be had. */
  gone(reason: SessionGone): void
  /** Is told when the application looks at the session, so that the response depends on the cookie. */
  onRead(): void
}

const NOTHING: Snapshot = new Map()

/** One request's session: what the application sees of it, what has changed, and who is logged in by it. */
export class LiveSession implements EngineClient {
  /** Who is logged in by this session. */
  login: SessionLogin | null = null
  readonly carrier: Carrier
  readonly #setting: LiveSessionSetting
  #hold!: EngineHold
  #prototype: unknown
  #base: Snapshot = NOTHING
  #view: View = 'user'
  #guest: SessionData = {}
  #touched = false
  #endWanted = false
  #aside = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(carrier: Carrier, setting: LiveSessionSetting) {
    this.carrier = carrier
    this.#setting = setting
  }

  /** For the engine, before anything else: what `ctx.session` starts with. */
  async load(): Promise<SessionData | null> {
    const content = await this.carrier.load()
    if (!content) return null
    if (content.created + this.#setting.absoluteTimeout <= this.#setting.now()) {
      this.#setting.gone('absolute-timeout')
      this.carrier.forget()
      return null
    }
    this.login = content.login
    this.#guest = content.guest
    this.#base = storedSnapshot(content.values)
    return content.values
  }

  attach(hold: EngineHold): void {
    this.#hold = hold
    this.#prototype = Object.getPrototypeOf(hold.session)
  }

  get session(): Session | null {
    this.#setting.onRead()
    this.#touched = true
    return this.#hold.session
  }

  set session(values: unknown) {
    this.#touched = true
    if (values === null) {
      this.#hold.session = null
      this.#base = NOTHING
      this.#endWanted = true
      return
    }
    if (!isPlainObject(values))
      throw new SessionDataInvalid('', 'can be set to a plain object, or to null to end the session.')
    for (const key of Object.keys(values)) refuseReserved(key)
    this.#hold.session = values
  }

  /** For the engine: stores what the session object holds by now. */
  async store(how: 'renew' | 'save' | 'if changed'): Promise<void> {
    await this.#inTurn(async () => {
      if (how === 'if changed' && !this.#hasChanged()) return
      await this.#write(draft => (how === 'renew' ? this.carrier.renew(draft, false) : this.carrier.save(draft)))
    })
  }

  /** Changes the stored session in one step, together with the changes of this request so far. False where the session has ended. */
  update(change: SessionChange): Promise<boolean> {
    this.#setting.onRead()
    this.#touched = true
    return this.#inTurn(() => this.#write(draft => this.carrier.save(draft), { change }))
  }

  /**
   * Binds the session to a user, under a new id. The data stays unless another user was logged in. With `afresh: false` this goes on with the
   * login there was, as long as it was to last; false, and nothing is stored, where the session has ended meanwhile.
   */
  async logIn(login: SessionLogin, { afresh = true } = {}): Promise<boolean> {
    if (login.snapshot) exactSnapshot({ login: login.snapshot })
    const flush = this.login !== null && (this.login.backend !== login.backend || this.login.id !== login.id)
    return this.#inTurn(async () => {
      this.#aside = false
      if (this.#endWanted) await this.#endAsWanted()
      const restore = flush ? this.#restorer() : null
      if (flush || !this.#hold.session) this.#startOver()
      const kept = (stored: SessionData | null) => {
        if (flush || !stored) return null
        return this.#view === 'user' ? stored : valuesOf(stored, 'guest')
      }
      const send = (draft: Draft) =>
        this.carrier.renew(stored => {
          const data = draft(kept(stored))
          const bound = { ...data, ...(afresh ? newContent(this.#setting.now(), login) : { _login: login }) }
          refuseOversize(bound, data)
          return bound
        }, afresh)
      const written = await this.#write(send, { as: 'user' }).catch(error => {
        restore?.()
        throw error
      })
      if (written) {
        this.login = login
        this.#view = 'user'
      }
      return written
    })
  }

  /**
   * Binds the login to what holds its user by now, under the same id. A login that came between stays as it is. Where this cannot be stored, the
   * next request tries again.
   */
  async rebind(login: SessionLogin): Promise<void> {
    const before = this.login
    const rebound = (stored: SessionData | null): SessionData => {
      const isSame = isDeepStrictEqual(stored?._login, before)
      return isSame ? { ...stored, _login: login } : stored!
    }
    const written = await this.#inTurn(() => this.carrier.save(rebound)).catch(() => null)
    if (written && written._login === login) this.login = login
  }

  /** Ends the session on the server, and starts over with an empty one. */
  async end(): Promise<void> {
    await this.#inTurn(async () => {
      await this.carrier.end()
      this.#startOver()
    })
  }

  /** Ends a session whose login no longer holds; nothing of it is shown, and nothing of this request is stored. */
  async expel(): Promise<void> {
    await this.carrier.expel()
    this.#startOver()
  }

  /**
   * Shows what the session holds for guests, and keeps there what this request stores. Its login, which another application may know, goes on, as
   * do its user's values, until somebody logs in or out.
   */
  becomeGuest(): void {
    this.login = null
    this.#view = 'guest'
    this.#base = storedSnapshot(this.#guest)
    this.#hold.session = this.#guest
  }

  /** From now on this request sees an empty session and stores nothing in it, unless somebody logs in. */
  setAside(): void {
    this.#aside = true
    this.#base = NOTHING
    this.#hold.session = {}
  }

  /** Stores what has changed, if anything has. */
  async commit(): Promise<void> {
    if (!this.#touched || this.#aside) return
    if (this.#endWanted) await this.#inTurn(() => this.#endAsWanted())
    const { session } = this.#hold
    if (!session) return
    if (this.#hasChanged()) await session.save()
  }

  #hasChanged(): boolean {
    return changesBetween(this.#base, this.#snapshot()).size > 0
  }

  async #endAsWanted(): Promise<void> {
    await this.carrier.end()
    this.login = null
    this.#view = 'user'
    this.#endWanted = false
  }

  /** @param as whose values they are from here on, where that is to be another view than before */
  async #write(
    send: (draft: Draft) => Promise<SessionData | null>,
    { change, as }: { change?: SessionChange; as?: View } = {},
  ): Promise<boolean> {
    if (this.#aside) return false
    if (this.#endWanted) await this.#endAsWanted()
    const view = as ?? this.#view
    let before = NOTHING
    const written = await send(stored => {
      before = this.#snapshot()
      let data = withChanges(stored ?? newContent(this.#setting.now()), changesBetween(this.#base, before), view)
      if (change) {
        const base = storedSnapshot(valuesOf(data, view))
        const draft = applyChanges({}, base)
        runNow(change, draft)
        data = withChanges(data, changesBetween(base, exactSnapshot(draft)), view)
      }
      refuseOversize(data, stored)
      return data
    })
    if (written) this.#settle(before, valuesOf(written, view))
    return written !== null
  }

  /** Brings `ctx.session` up to what was stored, but for keys that the application changed while it was. */
  #settle(before: Snapshot, values: SessionData): void {
    const stored = storedSnapshot(values)
    const { session } = this.#hold
    if (session) {
      for (const [key, json] of changesBetween(before, stored)) {
        if (JSON.stringify(session[key]) !== before.get(key)) continue
        if (json === null) delete session[key]
        else session[key] = JSON.parse(json)
      }
    }
    this.#base = stored
  }

  #snapshot(): Snapshot {
    const { session } = this.#hold
    if (!session) return NOTHING
    if (Object.getPrototypeOf(session) !== this.#prototype) throw new SessionDataInvalid('__proto__', 'cannot be set.')
    const { isNew, _requireSave: maxAgeSet, _expire: expire, ...values } = session
    if (typeof isNew !== 'boolean') refuseReserved('isNew')
    if (expire !== undefined) refuseReserved('_expire')
    if (maxAgeSet)
      throw new SessionDataInvalid(
        'maxAge',
        'cannot be set: idleTimeout and absoluteTimeout of sessions() say how long sessions last.',
      )
    return exactSnapshot(values)
  }

  /** Makes what makes the session what it is now: where the login of another user cannot be stored, a logout has to know what to end. */
  #restorer(): () => void {
    const [login, view, base, { session }] = [this.login, this.#view, this.#base, this.#hold]
    const values = session && { ...session }
    return () => {
      this.login = login
      this.#view = view
      this.#base = base
      this.#hold.session = values
    }
  }

  #startOver(): void {
    this.login = null
    this.#view = 'user'
    this.#base = NOTHING
    this.#endWanted = false
    this.#hold.session = {}
  }

  /** One after the other: two saves of one request at once would otherwise begin two sessions. */
  #inTurn<Answer>(task: () => Promise<Answer>): Promise<Answer> {
    const turn = this.#turn.then(task, task)
    this.#turn = turn
    return turn
  }
}

/** A change that waited for something would hold up every other change of the session, and for ever where it waits for one of them. */
function runNow(change: SessionChange, draft: SessionData): void {
  const answer: unknown = change(draft)
  if (!types.isPromise(answer)) return
  answer.catch(() => {})
  throw new OptionInvalid('ctx.updateSession()', 'change', 'must not be async: wait for what it needs before.')
}

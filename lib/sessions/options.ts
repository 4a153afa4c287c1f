import { OptionInvalid } from '../errors.ts'
import { checkClock, checkDuration, checkOneOf, knownOptions, LONGEST_TIMER } from '../options.ts'
import { type CookieOptions, SessionCookie } from './cookie.ts'
import { withDeadline } from './deadline.ts'
import { type ForeignParts, ForeignSessions } from './foreign.ts'
import { type DataForm, dataForm, type IdForm, idForm } from './forms.ts'
import { Signer, type SigningKey } from './signature.ts'
import { checkSessionStore, type SessionData, type SessionStore } from './store.ts'
import { CookieStore } from './stores/cookie.ts'
import { memoryStore } from './stores/memory.ts'

/** Options of `sessions()`. Durations are in milliseconds. */
export interface SessionsOptions {
  /** Where sessions live. @default memoryStore(), for one process */
  store?: SessionStore | CookieStore | ForeignSessions | undefined
  /** Keys of 32 bytes or more that sign the cookie: the first signs, all verify. @default app.keys */
  keys?: readonly SigningKey[] | undefined
  /** The cookie. */
  cookie?: CookieOptions | undefined
  /** How long a session lasts without a request. @default 14 days */
  idleTimeout?: number | undefined
  /** How long a session lasts at most, from its login or its begin. @default 30 days */
  absoluteTimeout?: number | undefined
  /** How long one call of the store may take. @default 500 */
  deadline?: number | undefined
  /** What a request with a session cookie gets while the store is unavailable: 503, or to go on as anonymous. @default 'fail' */
  onUnavailable?: 'fail' | 'anonymous' | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** Options of `sessions()`, settled. */
export interface SessionsSetting {
  /** The store, every call of it bounded; null where the cookie carries the data. */
  readonly store: SessionStore | null
  /** Where epochs are kept, likewise bounded; null where nothing keeps them. */
  readonly epochStore: SessionStore | null
  /** null: the application's keys are taken at the first request. */
  readonly signer: Signer | null
  readonly cookie: SessionCookie
  readonly ids: IdForm
  readonly contents: DataForm
  /** When a session with this data ends that is stored or used now, in epoch milliseconds. */
  expiryOf(data: SessionData): number
  /** How long the cookie of a session with this data lasts, in milliseconds; null: until the browser is closed. */
  cookieAge(data: SessionData): number | null
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  /** How often, at most, a session's end is moved on by requests that change nothing, in milliseconds. */
  readonly touchEvery: number
  /** The backend whose users another framework logs in too, where it keeps these sessions; null where they are ours alone. */
  readonly sharedBackend: string | null
  readonly onUnavailable: 'fail' | 'anonymous'
  readonly now: () => number
}

const DAY = 86_400_000
const TOUCH_EVERY = 60_000
const WHERE = 'sessions()'
const KNOWN = ['store', 'keys', 'cookie', 'idleTimeout', 'absoluteTimeout', 'deadline', 'onUnavailable', 'now']
/** What the framework whose sessions they are has said already. */
const THEIRS = ['cookie', 'keys', 'idleTimeout', 'absoluteTimeout'] as const

/** @throws OptionInvalid naming the option that is wrong */
export function settleSessions(options: SessionsOptions): SessionsSetting {
  knownOptions(WHERE, options, KNOWN)
  const {
    idleTimeout = 14 * DAY,
    absoluteTimeout = 30 * DAY,
    deadline = 500,
    onUnavailable = 'fail',
    now = Date.now,
  } = options
  checkDuration(WHERE, 'idleTimeout', idleTimeout, 1000)
  checkDuration(WHERE, 'absoluteTimeout', absoluteTimeout, 1000)
  checkDuration(WHERE, 'deadline', deadline)
  if (deadline > LONGEST_TIMER)
    throw new OptionInvalid(WHERE, 'deadline', `must be at most ${LONGEST_TIMER} milliseconds.`)
  checkOneOf(WHERE, 'onUnavailable', onUnavailable, ['fail', 'anonymous'])
  checkClock(WHERE, now)
  const given = options.store === undefined ? warnedMemoryStore(now) : options.store
  const bounded = (store: SessionStore) => withDeadline(store, deadline)
  if (given instanceof ForeignSessions) {
    for (const name of THEIRS) refuseOwn(given.parts, name, options[name])
    return settleForeign(given.parts, { onUnavailable, now, bounded })
  }
  const cookie = new SessionCookie(WHERE, options.cookie)
  const settled = {
    cookie,
    ids: idForm(cookie.name),
    contents: dataForm(cookie.name),
    signer: options.keys === undefined ? null : new Signer(WHERE, options.keys),
    expiryOf: () => now() + idleTimeout,
    cookieAge: () => absoluteTimeout,
    idleTimeout,
    absoluteTimeout,
    touchEvery: touchEvery(idleTimeout),
    sharedBackend: null,
    onUnavailable,
    now,
  }
  if (given instanceof CookieStore)
    return { ...settled, store: null, epochStore: given.epochs ? bounded(given.epochs) : null }
  checkSessionStore(WHERE, 'store', given)
  const store = bounded(given)
  return { ...settled, store, epochStore: store }
}

/** @param bounded bounds what is asked of a store */
function settleForeign(
  { keeping, cookie, signer, backend, age, slides, lasts }: ForeignParts,
  { bounded, ...ours }: Pick<SessionsSetting, 'onUnavailable' | 'now'> & { bounded(store: SessionStore): SessionStore },
): SessionsSetting {
  const epochs = keeping.store === null && keeping.epochs
  return {
    ...ours,
    cookie,
    signer,
    expiryOf: data => ours.now() + (lasts(data, ours.now()) ?? age),
    cookieAge: data => lasts(data, ours.now()),
    store: keeping.store && bounded(keeping.store),
    // The one of the two that there is not is not asked.
    ids: keeping.store ? keeping.ids : idForm(cookie.name),
    contents: keeping.store ? dataForm(cookie.name) : keeping.contents,
    epochStore: epochs ? bounded(epochs) : null,
    idleTimeout: age,
    absoluteTimeout: Number.POSITIVE_INFINITY,
    touchEvery: slides ? touchEvery(age) : Number.POSITIVE_INFINITY,
    sharedBackend: backend,
  }
}

function refuseOwn({ where }: ForeignParts, name: string, value: unknown): void {
  if (value !== undefined)
    throw new OptionInvalid(WHERE, name, `must be left out: for the sessions of ${where} it is ${where} that says so.`)
}

function touchEvery(idleTimeout: number): number {
  return Math.min(TOUCH_EVERY, idleTimeout / 4)
}

function warnedMemoryStore(now: () => number): SessionStore {
  if (process.env.NODE_ENV === 'production') {
    process.emitWarning(
      'sessions() without a store keeps sessions in the memory of this one process. Hand it a store to keep them across restarts and processes.',
      { code: 'KOA_STRATA_MEMORY_STORE' },
    )
  }
  return memoryStore({ now })
}

import { OptionInvalid } from '../errors.ts'
import { checkClock, checkDuration, checkMethods, checkOneOf, knownOptions, LONGEST_TIMER } from '../options.ts'
import { type CookieOptions, SessionCookie } from './cookie.ts'
import { withDeadline } from './deadline.ts'
import { Signer, type SigningKey } from './signature.ts'
import type { SessionStore } from './store.ts'
import { CookieStore } from './stores/cookie.ts'
import { memoryStore } from './stores/memory.ts'

/** Options of `sessions()`. Durations are in milliseconds. */
export interface SessionsOptions {
  /** Where sessions live. @default memoryStore(), for one process */
  store?: SessionStore | CookieStore | undefined
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
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  readonly onUnavailable: 'fail' | 'anonymous'
  readonly now: () => number
}

const DAY = 86_400_000
const WHERE = 'sessions()'
const KNOWN = ['store', 'keys', 'cookie', 'idleTimeout', 'absoluteTimeout', 'deadline', 'onUnavailable', 'now']
const STORE_METHODS = ['read', 'create', 'replace', 'touch', 'destroy']

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
  const cookie = new SessionCookie(WHERE, options.cookie)
  const signer = options.keys === undefined ? null : new Signer(WHERE, options.keys)

  const given = options.store === undefined ? warnedMemoryStore(now) : options.store
  const bounded = (store: SessionStore) => withDeadline(store, deadline)
  const settled = { cookie, signer, idleTimeout, absoluteTimeout, onUnavailable, now }
  if (given instanceof CookieStore)
    return { ...settled, store: null, epochStore: given.epochs ? bounded(given.epochs) : null }
  checkMethods(WHERE, 'store', given, STORE_METHODS)
  const store = bounded(given)
  return { ...settled, store, epochStore: store }
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

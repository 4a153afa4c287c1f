import type { Knex } from 'knex'
import { OptionInvalid } from '../errors.ts'
import { checkClock, checkDuration, checkOneOf, isPlainObject, knownOptions } from '../options.ts'
import { type ExactCookieOptions, SessionCookie } from '../sessions/cookie.ts'
import { type ForeignKeeping, ForeignSessions } from '../sessions/foreign.ts'
import type { SessionsOptions } from '../sessions/options.ts'
import { Signer } from '../sessions/signature.ts'
import { checkSessionStore, type SessionStore } from '../sessions/store.ts'
import { checkBackendName } from '../users/backend.ts'
import { type DjangoCache, forgetterOf } from './cache.ts'
import { databaseRecords } from './database-records.ts'
import { directoryRecords } from './directory-records.ts'
import { lifetimeOf } from './lifetime.ts'
import { DjangoSessionForm } from './session-form.ts'
import { sessionKeys } from './session-key.ts'
import { djangoStore } from './session-store.ts'
import { type DjangoKeyOptions, DjangoKeys, DjangoSigning } from './signing.ts'

/** Options of `djangoSessions()`: what Django's settings say. One of `database`, `directory` and `signedCookies` says where sessions are. */
export interface DjangoSessionsOptions extends DjangoKeyOptions {
  /**
   * The database that `django_session` is in: SESSION_ENGINE is `…backends.db`, or with `cache` `…backends.cached_db`. Django's USE_TZ is true:
   * without it SQLite and MariaDB hold local times, and sessions would end hours too soon or too late.
   */
  database?: Knex | undefined
  /** The name of the table; `schema.table` is understood. @default 'django_session' */
  table?: string | undefined
  /** How long a statement may go without an answer of the server, in milliseconds, until its connection is given up. @default 5,000 */
  timeout?: number | undefined
  /** Django's cache, which has copies of what is in the database: the copy of a session is removed from it after each change. */
  cache?: DjangoCache | undefined
  /** SESSION_FILE_PATH, where SESSION_ENGINE is `…backends.file`. */
  directory?: string | undefined
  /** SESSION_ENGINE is `…backends.signed_cookies`. */
  signedCookies?: true | undefined
  /** With `signedCookies`: where it is kept that the sessions of users have ended who are not Django's. Without it they cannot log in. @default none */
  epochs?: SessionStore | undefined
  /**
   * SESSION_COOKIE_NAME ('sessionid'), SESSION_COOKIE_PATH ('/'), SESSION_COOKIE_DOMAIN (none), SESSION_COOKIE_SECURE (here: true where NODE_ENV is
   * 'production'), SESSION_COOKIE_SAMESITE ('lax'). It is always HttpOnly.
   */
  cookie?: Omit<ExactCookieOptions, 'partitioned'> | undefined
  /** SESSION_COOKIE_AGE, in milliseconds. @default 14 days */
  age?: number | undefined
  /** SESSION_EXPIRE_AT_BROWSER_CLOSE. @default false */
  expireAtBrowserClose?: boolean | undefined
  /**
   * SESSION_SAVE_EVERY_REQUEST: here a session's end, and its cookie's, are moved on once a minute. Without it the cookie is sent when a session
   * begins, at login and at logout, and by Django whenever it saves: who comes here alone logs in again after `age`. @default false
   */
  saveEveryRequest?: boolean | undefined
  /**
   * AUTHENTICATION_BACKENDS: whose logins count here. What logs in here is written as a login by the first.
   * @default ['django.contrib.auth.backends.ModelBackend']
   */
  authenticationBackends?: readonly string[] | undefined
  /** The name of the `djangoUsers()` whose users Django logs in. @default 'django' */
  backend?: string | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

const WHERE = 'djangoSessions()'
const KNOWN = [
  ...[
    'secretKey',
    'secretKeyFallbacks',
    'database',
    'table',
    'timeout',
    'cache',
    'directory',
    'signedCookies',
    'epochs',
  ],
  ...['cookie', 'age', 'expireAtBrowserClose', 'saveEveryRequest', 'authenticationBackends', 'backend', 'now'],
]
const DAY = 86_400_000
const MODEL_BACKEND = 'django.contrib.auth.backends.ModelBackend'
/** What the class of Django's sessions in stores, and its module of those in cookies, are called: what they sign with. */
const STORED = 'django.contrib.sessions.SessionStore'
const CARRIED = 'django.contrib.sessions.backends.signed_cookies'

/**
 * The sessions of a Django site, shared with it as they are: who logs in there is logged in here, and the other way round, and both see one
 * session's data. Hand what it answers to `sessions()`, which may get a `deadline` and `onUnavailable` besides.
 *
 * Django writes a session whole, as it was when its request began; this library writes in one step what has changed. So of changes at the same
 * time none of Django's is lost by this library, and of this library's those are that Django's request did not see. In files (`directory`), for
 * which the application runs as the user that Django runs as, what Django writes in the microseconds in which a change here is put in its place is
 * replaced. In signed cookies (`signedCookies`) nothing can be compared and nothing removed: of two changes at once the later answer wins, and a
 * copy of the cookie holds after a logout until it expires or the password changes.
 *
 * A session ends by removal, and lasts as Django's settings say; there is no absolute timeout, as Django has none. A user of another backend than
 * Django's is nobody to Django: who logs in there over such a session keeps its data, as over an anonymous one. A value of Django's that
 * `ctx.session` cannot hold exactly, as NaN or an integer beyond 2^53, is not shown, and stays.
 * @throws OptionInvalid naming the option that is wrong
 * @throws DjangoSettingUnsupported at a request whose session is pickled
 */
export function djangoSessions(options: DjangoSessionsOptions): SessionsOptions {
  knownOptions(WHERE, options, KNOWN)
  const { age = 14 * DAY, expireAtBrowserClose = false, saveEveryRequest = false, now = Date.now } = options
  const { backend = 'django', authenticationBackends = [MODEL_BACKEND], signedCookies } = options
  const keys = new DjangoKeys(WHERE, options)
  checkDuration(WHERE, 'age', age, 1000)
  checkOneOf(WHERE, 'expireAtBrowserClose', expireAtBrowserClose, [true, false])
  checkOneOf(WHERE, 'saveEveryRequest', saveEveryRequest, [true, false])
  checkBackendName(WHERE, backend, 'backend')
  checkClock(WHERE, now)
  const form = new DjangoSessionForm(new DjangoSigning(keys, signedCookies ? CARRIED : STORED), {
    backend,
    authenticationBackends: checkBackends(authenticationBackends),
  })
  const lifetime = { age, expireAtBrowserClose }
  const store = new ForeignSessions({
    where: WHERE,
    keeping: keepingOf(options, form, { age, now }),
    cookie: cookieOf(options.cookie),
    signer: new Signer(
      WHERE,
      keys.for('koa-strata').map(key => key.export()),
    ),
    backend,
    age,
    slides: saveEveryRequest,
    lasts: (data, moment) => lifetimeOf(data, moment, lifetime),
  })
  return { store, now }
}

function keepingOf(
  options: DjangoSessionsOptions,
  form: DjangoSessionForm,
  { age, now }: { age: number; now: () => number },
): ForeignKeeping {
  const { database, directory, signedCookies, cache, table, timeout, epochs } = options
  checkOneOf(WHERE, 'signedCookies', signedCookies, [true, undefined])
  if (cache !== undefined && database === undefined)
    throw new OptionInvalid(
      WHERE,
      'cache',
      "holds pickles, which only Python can read. Set SESSION_ENGINE to 'django.contrib.sessions.backends.cached_db' in Django's settings, " +
        'and hand over the database with it.',
    )
  const given = Object.entries({ database, directory, signedCookies }).filter(([, value]) => value !== undefined)
  if (given.length !== 1)
    throw new OptionInvalid(
      WHERE,
      given[1]?.[0] ?? 'database',
      'must be the one of database, directory and signedCookies by which SESSION_ENGINE keeps sessions.',
    )
  const refuse = (needs: string, others: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(others))
      if (value !== undefined) throw new OptionInvalid(WHERE, name, `is for ${needs} alone.`)
  }
  if (!database) refuse('database', { table, timeout })
  if (epochs !== undefined) checkSessionStore(WHERE, 'epochs', epochs)
  if (!signedCookies) refuse('signedCookies', { epochs })
  if (signedCookies) {
    const read: (text: string) => { data?: unknown; seen?: unknown } = text => {
      const found = form.read(text)
      return found ? { data: found.data, seen: found.at } : {}
    }
    return { store: null, contents: { write: (data, moment) => form.write(data, moment), read }, epochs }
  }
  const records = database
    ? databaseRecords(WHERE, database, { table, timeout, now, forget: cache && forgetterOf(WHERE, cache) })
    : directoryRecords(WHERE, directory!, { cookieName: options.cookie?.name ?? 'sessionid', expiryOf, now })
  return { store: djangoStore(records, form, now), ids: sessionKeys }

  /** When a session in a file ends that was written at `modified`. */
  function expiryOf(text: string, modified: number): number {
    const data = form.read(text)?.data ?? {}
    return modified + (lifetimeOf(data, modified, { age, expireAtBrowserClose: false }) ?? age)
  }
}

function cookieOf(given: DjangoSessionsOptions['cookie'] = {}): SessionCookie {
  if (!isPlainObject(given)) throw new OptionInvalid(WHERE, 'cookie', 'must be an object.')
  const { name = 'sessionid', domain, ...others } = given
  // Django's settings may begin it with a dot, which browsers do not look at (RFC 6265 §5.2.3).
  const bare = typeof domain === 'string' ? domain.replace(/^\./, '') : domain
  return new SessionCookie(WHERE, { name, domain: bare, ...others }, true)
}

function checkBackends(given: readonly string[]): readonly [string, ...string[]] {
  if (
    !Array.isArray(given) ||
    given.length === 0 ||
    given.some(path => typeof path !== 'string' || !path.includes('.'))
  )
    throw new OptionInvalid(
      WHERE,
      'authenticationBackends',
      `must be an array of paths, as AUTHENTICATION_BACKENDS of Django's settings: ['${MODEL_BACKEND}'].`,
    )
  return [...given] as [string, ...string[]]
}

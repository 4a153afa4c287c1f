import { OptionInvalid } from '../../errors.ts'
import {
  checkClock,
  checkDuration,
  checkOneOf,
  checkText,
  isPlainObject,
  knownOptions,
  LONGEST_TIMER,
} from '../../options.ts'
import type { RedisClient } from '../../sessions/stores/redis/client.ts'
import type { FailureCounters, FailureLimit } from './counters.ts'
import { MemoryCounters } from './memory.ts'
import { redisCounters } from './redis.ts'
import { SharedCounters } from './shared.ts'
import { type SqlClient, sqlCounters } from './sql.ts'
import type { ThrottleSetting } from './throttle.ts'

/**
 * How many logins may fail: `failures` at once, and over time as many again in every `within` milliseconds, one by one: who is refused is told
 * when the next one is forgotten.
 */
export interface LoginLimit {
  failures: number
  within: number
}

/**
 * How failed logins are limited. Who is beyond a limit gets 429 with Retry-After, and no backend is asked. Logins that succeed do not count, nor do
 * those that could not be looked at (503).
 *
 * NIST SP 800-63B-4 §3.2.2 allows 100 failures in a row and then disables the password, which would let anybody lock anybody out. Here nothing is
 * ever disabled: clients that an account knows have a limit of their own (by addresses that have logged in before, as that section names them, and
 * by OWASP's "device cookies"), and all others together get so few guesses, about 1,200 a day, that a password which is on no list of common ones
 * is not among them.
 *
 * Whom an attack does reach: while others guess at an account from many networks, its owner gets 429 with a browser and from a network that are both
 * new to it; and while somebody guesses at it from the owner's own network, the owner gets 429 there unless the browser is known. One guess each
 * from thousands of addresses at thousands of accounts is below every limit.
 */
export interface ThrottleOptions {
  /**
   * Counts for all processes in this Redis: a ready client of node-redis 6 or ioredis 6, for one server or a Cluster, made as `redisStore()` says.
   * @default each process counts by itself
   */
  redis?: RedisClient | undefined
  /** What keys in Redis begin with: up to 128 printable ASCII characters, no spaces and no braces. @default 'login:' */
  prefix?: string | undefined
  /** Counts for all processes in the table `login_attempts` of this database, which `migrate(knex)` makes. MariaDB from 10.5 on. @default each process counts by itself */
  sql?: SqlClient | undefined
  /** The limit of an account from one network, or from one browser that has logged in to it. A success forgets its failures. @default 10 within 15 minutes */
  perClient?: LoginLimit | undefined
  /** The limit of an account from all clients together that are not familiar to it. @default 50 within an hour */
  perAccount?: LoginLimit | undefined
  /**
   * The limit of a network (an IPv4 address, 64 bits of an IPv6 address) over all accounts to which it is not familiar; and, counted apart, of
   * guesses that it repeats although they were wrong. The address is `ctx.ip`: behind a proxy see `trustedProxies()`, or all clients are one network.
   * @default 100 within 15 minutes
   */
  perNetwork?: LoginLimit | undefined
  /** For how long a network or a browser is familiar to the account that has logged in from it, in milliseconds. @default 30 days */
  familiarFor?: number | undefined
  /**
   * Whether `ctx.login()` gives the browser a cookie beside the session's, by which it stays familiar to the account wherever it goes. It tells who it
   * is to nobody, and logs nobody in. @default true
   */
  deviceCookie?: boolean | undefined
  /** How long Redis or the database may take for one call, in milliseconds; then the process counts by itself. @default 500 */
  deadline?: number | undefined
  /** The clock, in epoch milliseconds. Redis goes by its own. @default Date.now */
  now?: (() => number) | undefined
}

/** Options of the throttle, settled. */
export interface SettledThrottle extends ThrottleSetting {
  readonly deviceCookie: boolean
  readonly now: () => number
}

const KNOWN = [
  'redis',
  'prefix',
  'sql',
  'perClient',
  'perAccount',
  'perNetwork',
  'familiarFor',
  'deviceCookie',
  'deadline',
  'now',
]
const MINUTE = 60_000
const DAY = 86_400_000

/** @throws OptionInvalid in the name of `where` */
export function settleThrottle(where: string, options: unknown): SettledThrottle {
  if (!isPlainObject(options))
    throw new OptionInvalid(where, 'throttle', 'must be an object of options, or false for no limits.')
  const own = `${where} throttle`
  knownOptions(own, options, KNOWN)
  const { familiarFor = 30 * DAY, deviceCookie = true, now = Date.now } = options as ThrottleOptions
  checkDuration(own, 'familiarFor', familiarFor, 1000)
  checkOneOf(own, 'deviceCookie', deviceCookie, [true, false])
  checkClock(own, now)
  return {
    counters: countersOf(own, options, now),
    perClient: limitOf(own, 'perClient', options.perClient ?? { failures: 10, within: 15 * MINUTE }),
    perAccount: limitOf(own, 'perAccount', options.perAccount ?? { failures: 50, within: 60 * MINUTE }),
    perNetwork: limitOf(own, 'perNetwork', options.perNetwork ?? { failures: 100, within: 15 * MINUTE }),
    familiarFor,
    deviceCookie,
    now,
  }
}

function countersOf(where: string, options: ThrottleOptions, now: () => number): FailureCounters {
  const { redis, prefix, sql, deadline = 500 } = options
  checkDuration(where, 'deadline', deadline)
  if (deadline > LONGEST_TIMER)
    throw new OptionInvalid(where, 'deadline', `must be at most ${LONGEST_TIMER} milliseconds.`)
  if (redis !== undefined && sql !== undefined)
    throw new OptionInvalid(where, 'sql', 'cannot stand beside redis: failures are counted in one place.')
  if (redis === undefined && prefix !== undefined)
    throw new OptionInvalid(where, 'prefix', 'is for keys in Redis: hand over redis, or leave it out.')
  const local = new MemoryCounters(now)
  if (sql !== undefined) return new SharedCounters(sqlCounters(where, 'sql', sql, now), local, deadline)
  if (redis === undefined) return local
  checkText(
    where,
    'prefix',
    prefix ?? 'login:',
    /^[!-z|~]{0,128}$/,
    'must be at most 128 printable ASCII characters without spaces and braces.',
  )
  return new SharedCounters(redisCounters(where, 'redis', redis, prefix ?? 'login:'), local, deadline)
}

function limitOf(where: string, option: string, limit: unknown): FailureLimit {
  if (!isPlainObject(limit)) throw new OptionInvalid(where, option, 'must be an object of failures and within.')
  knownOptions(`${where}.${option}`, limit, ['failures', 'within'])
  const { failures, within } = limit
  if (!Number.isSafeInteger(failures) || (failures as number) < 1)
    throw new OptionInvalid(where, `${option}.failures`, 'must be a whole number, at least 1.')
  checkDuration(where, `${option}.within`, within, 1000)
  const weight = Math.ceil((within as number) / (failures as number))
  return { weight, most: weight * (failures as number) }
}

import { OptionInvalid } from '../errors.ts'
import { checkMethods } from '../options.ts'

/**
 * The cache of Django's settings that SESSION_CACHE_ALIAS names. It has to be one that this process reaches as well: what Django keeps in its own
 * memory (`LocMemCache`) it does not let go of.
 */
export interface DjangoCache {
  /**
   * Removes a key, or finds none; it rejects where a server does not answer. With a client of Redis, of the database that LOCATION names:
   * `key => redis.del(key)`. With one of memcached: `key => memcached.delete(key)`, whose error 'NOT_FOUND' counts as none found. Of several
   * memcached servers it removes the key from each, since clients differ in which one they keep a key on, and rejects with 'NOT_FOUND' only where
   * none of them failed otherwise.
   */
  delete(key: string): Promise<unknown>
  /** KEY_PREFIX. @default '' */
  keyPrefix?: string | undefined
  /** VERSION. @default 1 */
  version?: number | undefined
}

const KNOWN = ['delete', 'keyPrefix', 'version']
/** What `…backends.cached_db` puts before a session's key. */
const SESSION = 'django.contrib.sessions.cached_db'

/**
 * Has Django's cache let go of its copy of a session, by the session's key. Rejects where it may still have one, with an error that does not tell
 * the key.
 * @throws OptionInvalid in the name of `where`
 */
export function forgetterOf(where: string, cache: DjangoCache): (sessionKey: string) => Promise<void> {
  checkMethods(where, 'cache', cache, ['delete'])
  for (const name of Object.keys(cache))
    if (!KNOWN.includes(name))
      throw new OptionInvalid(where, `cache.${name}`, `is unknown. Known: ${KNOWN.join(', ')}.`)
  const { keyPrefix = '', version = 1 } = cache
  if (typeof keyPrefix !== 'string')
    throw new OptionInvalid(where, 'cache.keyPrefix', "must be text: KEY_PREFIX of the cache in Django's settings.")
  if (!Number.isSafeInteger(version))
    throw new OptionInvalid(
      where,
      'cache.version',
      "must be a whole number: VERSION of the cache in Django's settings.",
    )

  return async sessionKey => {
    try {
      await cache.delete(`${keyPrefix}:${version}:${SESSION}${sessionKey}`)
    } catch (error) {
      const { message, code } = Object(error) as { message?: string; code?: string }
      if (message === 'NOT_FOUND') return
      // Clients add what they sent to their errors, and the key of a session is its cookie.
      const told = String(message || code || error).replaceAll(sessionKey, '…')
      throw new Error(`Django's cache did not let go of a session: ${told}`)
    }
  }
}

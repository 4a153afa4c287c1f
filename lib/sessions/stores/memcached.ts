import { randomUUID } from 'node:crypto'
import { SessionContended } from '../../errors.ts'
import { checkClock, checkText, knownOptions } from '../../options.ts'
import { backOff } from '../back-off.ts'
import type { SessionStore } from '../store.ts'
import { addItem, findItem, type MemcachedClient, removeItem, swapItem } from './memcached/client.ts'
import { lifetimeOf, recordIn, textOf, type VersionedRecord } from './memcached/record.ts'
import { clientOf, type MemcachedServers } from './memcached/servers.ts'

export type { MemcachedClient } from './memcached/client.ts'
export type { MemcachedServers } from './memcached/servers.ts'

/** Options of `memcachedStore()`. */
export interface MemcachedStoreOptions {
  /** What keys begin with: up to 186 printable ASCII characters, no spaces. @default 'sess:' */
  prefix?: string | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

const WHERE = 'memcachedStore()'
const MOST_TRIES = 30

/** What a key holds, and the token that names this state of it. */
interface Held extends VersionedRecord {
  token: string | null
}

/**
 * Sessions in memcached, shared by all processes that use it, through ready clients of the package `memcache-client`: one, or one for each of
 * several servers by names that stay (`{ a: clientA, b: clientB }`). Each change is compared and swapped (`gets`, `cas`), so none is lost. It
 * opens nothing: shutting the clients down is yours.
 *
 * ```ts
 * const client = new MemcacheClient({
 *   server: { server: '127.0.0.1:11212', maxConnections: 4 },
 *   cmdTimeout: 400, // below the deadline of sessions(): an answer that is late ends the connection
 *   connectTimeout: 400, // without it a host that is gone is waited for by the minute
 *   noDelay: true,
 * })
 * app.use(sessions({ store: memcachedStore(client) }))
 * ```
 *
 * memcached keeps sessions in memory alone. What ends them before their time:
 * - A restart or `flush_all` of an instance logs everybody out whose session it held: give the sessions an instance that nothing else uses.
 * - A full one forgets what was used least lately, without a word. Give it enough memory (`-m`), and `-M`: then logins, logouts and changes are
 *   answered by 503 while it is full, and those who are logged in stay so.
 * - Of several servers each holds its share of the ids, by the hash of its name with the id. While one is down, requests with a session of its
 *   share are answered by 503, and of the logins as many; when it is back, empty, these people are anonymous. Users whose logins are bound to
 *   an epoch (detached users, and of other backends without `endSessions`) belong to two shares: their session's and their epoch's. Another
 *   name takes a share from all, and logs it out. A server that was out of the list is flushed before it comes back: it knows of no logout since.
 *
 * It cannot list: there are no `list`, `destroyAll` and `sweep`, `ctx.listSessions()` is refused, and expired sessions go by themselves. A session
 * above the server's item limit (1 MB unless `-I` says otherwise) is SessionDataInvalid, and the one that was stored stays. Text under
 * one of its keys that is none of its own is answered for the layer to drop. Anybody who reaches the instance can read and write sessions.
 * @throws OptionInvalid naming the option, or the client, that is wrong
 */
export function memcachedStore(
  client: MemcachedClient | MemcachedServers,
  options: MemcachedStoreOptions = {},
): SessionStore {
  const holderOf = clientOf(WHERE, client)
  knownOptions(WHERE, options, ['prefix', 'now'])
  const { prefix = 'sess:', now = Date.now } = options
  checkText(
    WHERE,
    'prefix',
    prefix,
    /^[\x21-\x7e]{0,186}$/,
    'must be at most 186 printable ASCII characters without spaces: with the 64 of an id, memcached takes no more.',
  )
  checkClock(WHERE, now)

  const keyOf = (id: string): string => {
    // What is no id could end the key and begin another command.
    if (!/^[0-9a-f]{64}$/.test(id)) throw new TypeError(`${WHERE}: an id is 64 lower-case hexadecimal digits.`)
    return prefix + id
  }
  const find = async (id: string): Promise<Held | null> => {
    const item = await findItem(holderOf(id), keyOf(id))
    return item && { ...recordIn(item.text), token: item.token }
  }
  const live = async (id: string): Promise<Held | null> => {
    const held = await find(id)
    return held && held.expiresAt > now() ? held : null
  }
  const lifetime = (expiresAt: number) => lifetimeOf(expiresAt - now())

  return {
    async read(id) {
      const held = await live(id)
      if (!held) return null
      const { token, ...record } = held
      return record
    },
    async create(id, record) {
      const version = randomUUID()
      const text = textOf({ ...record, version })
      const lasts = lifetime(record.expiresAt)
      return settled(async () => {
        if (await addItem(holderOf(id), keyOf(id), text, lasts)) return version
        const held = await find(id)
        if (!held) return undefined
        if (held.expiresAt > now()) return null
        return (await swapItem(holderOf(id), keyOf(id), held.token, text, lasts)) ? version : undefined
      })
    },
    async replace(id, version, record) {
      const next = randomUUID()
      const text = textOf({ ...record, version: next })
      const lasts = lifetime(record.expiresAt)
      return settled(async () => {
        const held = await live(id)
        if (!held) return 'gone'
        if (held.version !== version) return 'changed'
        return (await swapItem(holderOf(id), keyOf(id), held.token, text, lasts)) ? next : undefined
      })
    },
    async touch(id, expiresAt) {
      let seen: Held | null = null
      return settled(async () => {
        const held = await live(id)
        if (!held) return false
        // Who came between has set the expiry right after this touch, so to speak.
        if (seen && (held.version !== seen.version || held.expiresAt !== seen.expiresAt)) return true
        seen = held
        const text = textOf({ ...held, expiresAt })
        return (await swapItem(holderOf(id), keyOf(id), held.token, text, lifetime(expiresAt))) || undefined
      })
    },
    async destroy(id) {
      await removeItem(holderOf(id), keyOf(id))
    },
  }
}

/**
 * Tries until there is an answer: undefined says that somebody else came between, which for a session is rare and for one page with many
 * requests is not.
 */
async function settled<Answer>(attempt: () => Promise<Answer | undefined>): Promise<Answer> {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const begun = performance.now()
    const answer = await attempt()
    if (answer !== undefined) return answer
    await backOff(tries, begun)
  }
  throw new SessionContended(MOST_TRIES)
}

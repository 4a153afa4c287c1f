import { SessionContended } from '../../errors.ts'
import { checkClock, checkText, knownOptions } from '../../options.ts'
import type { SessionStore } from '../store.ts'
import { commandsOf, isReply, type RedisClient } from './redis/client.ts'
import { bodyOf, digestOf, digits, headOf, momentOf, NOBODY, newVersion, ownerIn, recordIn } from './redis/record.ts'
import { CREATE, END, REPLACE, TOUCH } from './redis/scripts.ts'
import { type Held, SLACK, UserIndex } from './redis/user-index.ts'

export type { IoredisClient, NodeRedisClient, NodeRedisCluster, RedisClient } from './redis/client.ts'

/** Options of `redisStore()`. */
export interface RedisStoreOptions {
  /** What keys begin with, after the client's own `keyPrefix`: up to 128 printable ASCII characters, no spaces and no braces. @default 'sess:' */
  prefix?: string | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** What `redisStore()` is: a store that can list. Redis forgets what has expired by itself, so there is nothing to sweep. */
export type RedisStore = SessionStore & Required<Pick<SessionStore, 'list' | 'destroyAll'>>

const WHERE = 'redisStore()'
const MOST_TRIES = 30
const NOT_HELD: Held = { owner: NOBODY, indexedUntil: 0 }

/**
 * Sessions in Redis, one server or a Cluster, shared by all processes that use it. Tried on Redis 7.0 with node-redis 6.3 and ioredis 6.0. A
 * session is one key and a read one GET; a change is one script that names the version it expects. Whatever fails rejects. Redis forgets by
 * itself what has expired. Nothing is opened: the client stays yours to connect and to close.
 *
 * Make the client so that it fails at once while Redis is down, and tries again soon. Let it connect before the application listens:
 *
 * ```ts
 * // node-redis
 * const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 250 } })
 * const cluster = createCluster({
 *   rootNodes: urls.map(url => ({ url })),
 *   defaults: { disableOfflineQueue: true, socket: { reconnectStrategy: 250 } },
 *   topologyRefreshOnReconnectionAttemptStrategy: 500,
 * })
 * // ioredis
 * const connection = { maxRetriesPerRequest: 0, socketTimeout: 1000 }
 * const client = new Redis(url, { ...connection, enableOfflineQueue: false, retryStrategy: () => 250 })
 * const cluster = new Cluster(urls, {
 *   enableOfflineQueue: false,
 *   clusterRetryStrategy: () => 250,
 *   slotsRefreshInterval: 1000,
 *   redisOptions: connection,
 * })
 * // Either: without a listener an error of the connection ends the process.
 * client.on('error', error => console.error(error.message))
 * ```
 *
 * With other options every call still answers within the `deadline` of `sessions()`, and service is back whenever the client is. A server that
 * vanishes without closing its connections, or freezes for good, ioredis leaves after `socketTimeout`; node-redis stays with it until TCP gives
 * up, which takes minutes, and in a Cluster does not hear that a replica has its place.
 *
 * Give sessions a Redis of their own, and decide what it may lose:
 *
 * - `maxmemory-policy noeviction`: a full Redis refuses changes, which is 503, and reads go on. Any other policy logs people out to make room.
 * - `appendonly yes` and `appendfsync always`: what was acknowledged outlives a killed Redis. With `everysec` it may lose about a second, without
 *   `appendonly` everything since the last snapshot.
 * - Replicas follow a while behind. When one takes its master's place, what the master had acknowledged and the replica had not received is lost:
 *   these sessions stand as they were before, a logout among them. With `min-replicas-to-write 1` a master that no replica follows refuses
 *   changes; give each master two replicas then, for the one that takes its place would have none.
 * - In a Cluster `cluster-require-full-coverage no`: a dead master then stops its own sessions only, until its replica is in its place. Reads go
 *   to masters.
 *
 * @throws OptionInvalid naming the option that is wrong, `client` for what is no client
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): RedisStore {
  const commands = commandsOf(WHERE, client)
  knownOptions(WHERE, options, ['prefix', 'now'])
  const { prefix = 'sess:', now = Date.now } = options
  checkText(
    WHERE,
    'prefix',
    prefix,
    /^[!-z|~]{0,128}$/,
    'must be at most 128 printable ASCII characters without spaces and braces: in a Cluster, braces would put all sessions on one node.',
  )
  checkClock(WHERE, now)
  const index = new UserIndex(commands, `${prefix}user:`, now)

  const keyOf = (id: string) => prefix + id
  /** What the scripts are told of time: the moment, and how long Redis is to keep what lasts until `expiresAt`. */
  const times = (expiresAt: number): [now: string, lasts: string] => {
    const moment = now()
    return [String(moment), String(Math.max(1, Math.ceil(momentOf(expiresAt) - moment)) + SLACK)]
  }

  const find = async (id: string) => {
    const text = await commands.send('GET', keyOf(id)).catch((error: unknown) => {
      // A key of another type is no record.
      if (isReply(error, 'WRONGTYPE')) return ''
      throw error
    })
    const found = text === null ? null : recordIn(String(text))
    return found && found.expiresAt > now() ? found : null
  }

  return {
    read: find,

    async create(id, record) {
      const { user, expiresAt } = record
      const [version, body] = [newVersion(), bodyOf(record)]
      const held = user === null ? NOT_HELD : await index.hold(id, { digest: digestOf(user) }, expiresAt)
      const text = headOf({ version, expiresAt, ...held }) + body
      const [answer] = await commands.run(CREATE, keyOf(id), ...times(expiresAt), text)
      if (answer === 'stored') return version
      index.release(id, held.owner)
      return null
    },

    async replace(id, version, record) {
      const { user, expiresAt } = record
      const [next, body] = [newVersion(), bodyOf(record)]
      const digest = user === null ? NOBODY.digest : digestOf(user)
      const swap = async (held: Held, indexed: 'indexed' | '') => {
        const text = headOf({ version: next, expiresAt, ...held }) + body
        const [answer, owner] = await commands.run(REPLACE, keyOf(id), ...times(expiresAt), text, version, indexed)
        return { answer, before: ownerIn(owner) }
      }
      let { answer, before } = await swap({ ...NOT_HELD, owner: { ...NOBODY, digest } }, '')
      const isTheirs = before?.digest === digest
      if (answer === 'index') {
        const held = await index.hold(id, before && isTheirs ? before : { digest }, expiresAt)
        answer = (await swap(held, 'indexed')).answer
        if (answer !== 'stored' && !isTheirs) index.release(id, held.owner)
      }
      if (answer !== 'stored') return answer === 'gone' ? 'gone' : 'changed'
      if (before && !isTheirs) index.release(id, before)
      return next
    },

    async touch(id, expiresAt) {
      let held = ['', '']
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const [answer, theirs] = await commands.run(TOUCH, keyOf(id), ...times(expiresAt), digits(expiresAt), ...held)
        const owner = ownerIn(theirs)
        if (answer !== 'index' || !theirs || !owner) return answer === 'stored'
        const { indexedUntil } = await index.hold(id, owner, expiresAt)
        held = [digits(indexedUntil), theirs]
      }
      throw new SessionContended(MOST_TRIES)
    },

    async destroy(id) {
      await commands.send('DEL', keyOf(id))
    },

    async list(userKey) {
      const ids = await index.ids(digestOf(userKey))
      const found = await Promise.all(ids.map(async id => ({ id, record: await find(id) })))
      return found.flatMap(({ id, record }) => {
        if (record?.user !== userKey) return []
        const { data, user, expiresAt } = record
        return [{ id, data, user, expiresAt }]
      })
    },

    async destroyAll(userKey, exceptId) {
      const digest = digestOf(userKey)
      const ids = await index.ids(digest)
      const end = async (id: string) => {
        const owner = ownerIn((await commands.run(END, keyOf(id), digest))[1])
        if (owner) index.release(id, owner)
      }
      await Promise.all(ids.filter(id => id !== exceptId).map(end))
    },
  }
}

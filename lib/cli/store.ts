import { existsSync } from 'node:fs'
import type { Knex } from 'knex'
import { OptionInvalid } from '../errors.ts'
import { withDeadline } from '../sessions/deadline.ts'
import type { SessionStore } from '../sessions/store.ts'
import { fileStore } from '../sessions/stores/file.ts'
import { type MemcachedClient, memcachedStore } from '../sessions/stores/memcached.ts'
import { type IoredisClient, type NodeRedisClient, type RedisClient, redisStore } from '../sessions/stores/redis.ts'
import { sqlStore } from '../sessions/stores/sql.ts'
import { labelOf, urlOf } from './address.ts'
import type { Connections } from './connections.ts'
import { isDatabaseUrl, type OpenDatabase, openMigrated } from './database.ts'
import { PATIENCE, within } from './deadline.ts'
import { unreachable, wrongUsage } from './failure.ts'
import { findPackage, loadExport } from './packages.ts'

/** A session store that has answered, every call of it but `sweep` bounded. */
export interface OpenStore {
  readonly store: SessionStore
  /** What it may be called in front of people: no user, no password. */
  readonly label: string
  /** Where its rows are, if it is one of SQL. */
  readonly knex?: Knex
  /** Where its files are, if it is one of files. */
  readonly directory?: string
}

/** What says where sessions are. */
export interface StoreAddress {
  readonly store?: string | undefined
  /** What keys begin with in Redis and memcached. */
  readonly storePrefix?: string | undefined
}

type CreateClient = (options: object) => NodeRedisClient & Emitter & { connect(): Promise<unknown>; destroy(): void }
type IoredisClass = new (
  url: string,
  options: object,
) => IoredisClient & Emitter & { connect(): Promise<void>; disconnect(): void }
type MemcacheClass = new (options: object) => MemcachedClient & { version(): Promise<unknown>; shutdown(): void }
interface Emitter {
  on(event: 'error', listener: () => void): unknown
}

const EXAMPLES = 'redis://host:6379/0, memcached://host:11211, file:./sessions, or the address of a database'

/** Opens the store at a URL. @throws CommandFailed where that cannot be */
export async function openStore(
  connections: Connections,
  { store: url = '', storePrefix }: StoreAddress,
): Promise<OpenStore> {
  const options = storePrefix === undefined ? {} : { prefix: storePrefix }
  const scheme = /^([a-z][a-z\d+.-]+):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme === 'redis' || scheme === 'rediss') {
    const { client, label } = await connectRedis(connections, url)
    return { store: bounded(redisStore(client, options)), label }
  }
  if (scheme === 'memcached') {
    const clients = await connectMemcached(connections, url.replace(/^memcached:(\/\/)?/i, '').replace(/\/$/, ''))
    return { store: bounded(memcachedStore(clients, options)), label: 'memcached' }
  }
  if (storePrefix !== undefined)
    throw wrongUsage('--store-prefix is for Redis and memcached: it is what their keys begin with.')
  if (scheme === 'file') return fileStoreAt(url.replace(/^file:(\/\/)?/i, ''))
  if (isDatabaseUrl(url)) return tableOf(await openMigrated(connections, url, 'sessions'))
  throw wrongUsage(`--store must be one of ${EXAMPLES}.`)
}

/** The sessions table of a database. */
export function tableOf({ knex, label }: OpenDatabase): OpenStore {
  return { store: bounded(sqlStore(knex, { timeout: PATIENCE })), label, knex }
}

function bounded(store: SessionStore): SessionStore {
  return withDeadline(store, PATIENCE)
}

function fileStoreAt(directory: string): OpenStore {
  const label = `The directory ${directory}`
  if (!existsSync(directory)) throw unreachable(label, new Error('there is no such directory.'))
  try {
    return { store: bounded(fileStore(directory)), label: directory, directory }
  } catch (error) {
    throw error instanceof OptionInvalid ? unreachable(label, error) : error
  }
}

/** By whichever client the application has. */
async function connectRedis(connections: Connections, url: string): Promise<{ client: RedisClient; label: string }> {
  const parsed = urlOf(url)
  if (!parsed) throw wrongUsage('The address of Redis is no URL, as redis://host:6379/0.')
  const label = labelOf(parsed)
  const { client, connect, close } =
    findPackage('redis') === null && findPackage('ioredis') !== null ? await newIoredis(url) : await newNodeRedis(url)
  // Without a listener an error of the connection would end the process; the calls tell of it too.
  client.on('error', () => {})
  connections.add(close)
  try {
    await within(connect())
  } catch (error) {
    throw unreachable(label, error)
  }
  return { client, label }
}

async function newNodeRedis(url: string) {
  const createClient = await loadExport<CreateClient>('redis', 'createClient', 'A store in Redis')
  const socket = { reconnectStrategy: false, connectTimeout: PATIENCE }
  const client = createClient({ url, disableOfflineQueue: true, socket })
  return { client, connect: () => client.connect(), close: () => client.destroy() }
}

async function newIoredis(url: string) {
  const Redis = await loadExport<IoredisClass>('ioredis', 'Redis', 'A store in Redis')
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: PATIENCE,
    retryStrategy: () => null,
  })
  return { client, connect: () => client.connect(), close: () => client.disconnect() }
}

/** `host:port` of one server, or `name=host:port,…` of several by the names that the application gives them: who holds an id goes by these. */
async function connectMemcached(connections: Connections, servers: string) {
  const named = servers.split(',').map(one => /^(?:([^=/@]+)=)?([^=/@]+)$/.exec(one.trim()))
  if (named.some(one => one === null)) throw wrongUsage('memcached is named as memcached://host:11211.')
  if (named.length > 1 && named.some(one => one?.[1] === undefined)) {
    throw wrongUsage(
      'Several memcacheds need the names that memcachedStore({ … }) gives them, as memcached://a=host1:11211,b=host2:11211: which of them holds a session goes by its name.',
    )
  }
  const MemcacheClient = await loadExport<MemcacheClass>('memcache-client', 'MemcacheClient', 'A store in memcached')
  const clients: Record<string, MemcachedClient> = {}
  for (const [, name, host] of named as RegExpExecArray[]) {
    const server = /:\d+$/.test(host!) ? host! : `${host}:11211`
    const client = new MemcacheClient({
      server: { server, maxConnections: 2 },
      cmdTimeout: PATIENCE,
      connectTimeout: PATIENCE,
      noDelay: true,
    })
    connections.add(() => client.shutdown())
    await within(client.version()).catch(error => {
      throw unreachable(`memcached://${server}`, error)
    })
    if (name === undefined) return client
    clients[name] = client
  }
  return clients
}

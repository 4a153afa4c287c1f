import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { type RedisClient, redisStore } from '../../../../lib/sessions/stores/redis.ts'
import type { SessionStoreSetup } from '../../../../lib/testing/index.ts'
import { type SharedServer, sharedServer } from '../../../servers/shared.ts'
import { WIDE_DEADLINE } from '../../app.ts'
import { handedClock } from '../setups.ts'

/** Whoever a client belongs to, and ends with. */
interface Owner {
  teardown(end: () => unknown): void
}

/** How a client of each kind is made, as the docs of `redisStore()` say. */
export const CLIENTS = {
  'node-redis': openNodeRedis,
  ioredis: openIoredis,
} as const

/** The same for a Cluster. */
export const CLUSTER_CLIENTS = {
  'node-redis': openNodeRedisCluster,
  ioredis: openIoredisCluster,
} as const

// The clients are loaded by whoever opens one: most files of tests only name these stores, and node-redis alone is hundreds of modules.
const CONNECTION = { maxRetriesPerRequest: 0, socketTimeout: 1000 } as const

const opened = new Map<string, Promise<readonly RedisClient[]>>()
const ends: (() => unknown)[] = []
/** A thousand tests in one process keep each other waiting. */
const PATIENT = { socketTimeout: WIDE_DEADLINE }

test.after.always('The Redis clients of this file end.', async () => {
  for (const end of ends) await end()
})

export async function openNodeRedis(owner: Owner, url: string) {
  const { createClient } = await import('redis')
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 250 } })
  client.on('error', () => {})
  owner.teardown(() => client.destroy())
  await client.connect()
  return client
}

export async function openIoredis(owner: Owner, url: string, more: object = {}) {
  const { Redis } = await import('ioredis')
  const client = new Redis(url, {
    ...CONNECTION,
    ...more,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: () => 250,
  })
  client.on('error', () => {})
  owner.teardown(() => client.disconnect())
  await client.connect()
  return client
}

export async function openNodeRedisCluster(owner: Owner, urls: readonly string[]) {
  const { createCluster } = await import('redis')
  const client = createCluster({
    rootNodes: urls.map(url => ({ url })),
    defaults: { disableOfflineQueue: true, socket: { reconnectStrategy: 250 } },
    topologyRefreshOnReconnectionAttemptStrategy: 500,
  })
  client.on('error', () => {})
  owner.teardown(() => client.destroy())
  await client.connect()
  return client
}

export async function openIoredisCluster(owner: Owner, urls: readonly string[], more: object = {}) {
  const { Cluster } = await import('ioredis')
  const client = new Cluster([...urls], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: () => 250,
    slotsRefreshInterval: 1000,
    redisOptions: { ...CONNECTION, ...more },
  })
  client.on('error', () => {})
  owner.teardown(() => client.disconnect())
  const ready = new Promise(resolve => client.once('ready', resolve))
  // On a busy machine the first try may be too slow for it, and it tries again by itself.
  await client.connect().catch(() => ready)
  return client
}

/** Sessions in one Redis through node-redis, each test's under a prefix of its own. */
export function redisSetup(_t?: ExecutionContext): Promise<SessionStoreSetup> {
  return setupOf('redis', 'node-redis', async (owner, [url = '']) => openNodeRedis(owner, url))
}

/** The same through ioredis. */
export function ioredisSetup(_t?: ExecutionContext): Promise<SessionStoreSetup> {
  return setupOf('redis', 'ioredis', async (owner, [url = '']) => openIoredis(owner, url, PATIENT))
}

/** Sessions in a Redis Cluster through node-redis. */
export function redisClusterSetup(_t?: ExecutionContext): Promise<SessionStoreSetup> {
  return setupOf('redis-cluster', 'node-redis', openNodeRedisCluster)
}

/** The same through ioredis. */
export function ioredisClusterSetup(_t?: ExecutionContext): Promise<SessionStoreSetup> {
  return setupOf('redis-cluster', 'ioredis', (owner, urls) => openIoredisCluster(owner, urls, PATIENT))
}

type Open = (owner: Owner, urls: readonly string[]) => Promise<RedisClient>

async function setupOf(servers: SharedServer, kind: string, open: Open): Promise<SessionStoreSetup> {
  const key = `${servers} ${kind}`
  const clients = opened.get(key) ?? openAll(servers, open)
  opened.set(key, clients)
  const processes = await clients
  const clock = handedClock()
  const prefix = `${randomBytes(8).toString('hex')}:`
  let opens = 0
  return {
    ...clock,
    open: async () => redisStore(processes[opens++ % processes.length]!, { prefix, now: clock.now }),
  }
}

/** The clients of two processes, so to speak. */
async function openAll(servers: SharedServer, open: Open): Promise<readonly RedisClient[]> {
  const urls = await sharedServer(servers)
  const owner = { teardown: (end: () => unknown) => ends.push(end) }
  return Promise.all([open(owner, urls), open(owner, urls)])
}

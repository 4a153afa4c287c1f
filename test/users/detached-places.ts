import { randomBytes } from 'node:crypto'
import knexFactory, { type Knex } from 'knex'
import { cookieStore, type SessionsOptions } from 'koa-strata'
import { fileStore } from 'koa-strata/stores/file'
import { memcachedStore } from 'koa-strata/stores/memcached'
import { redisStore } from 'koa-strata/stores/redis'
import { sqlStore } from 'koa-strata/stores/sql'
import { MemcacheClient } from 'memcache-client'
import { type DatabaseName, migratedDatabase } from '../database/servers.ts'
import type { Owner } from '../servers/owner.ts'
import { type SharedServer, sharedServer } from '../servers/shared.ts'
import { newDirectory } from '../sessions/stores/file/setup.ts'

/** Where sessions are kept, in words that another process can be told. */
export interface Place {
  kind: string
  config?: Knex.Config
  directory?: string
  urls?: string[]
  prefix?: string
}

type Opened = NonNullable<SessionsOptions['store']>

interface Kind {
  /** A place for one test. */
  make(owner: Owner): Promise<Omit<Place, 'kind'>>
  open(owner: Owner, place: Place): Promise<Opened>
}

const inDatabase = (name: DatabaseName) => async (owner: Owner) => {
  const { config } = await migratedDatabase(owner, name)
  return { config }
}
const onServer = (name: SharedServer) => async () => ({
  urls: await sharedServer(name),
  prefix: `${randomBytes(8).toString('hex')}:`,
})
const openSql = async (owner: Owner, { config }: Place) => {
  const knex = knexFactory(config!)
  owner.teardown(() => knex.destroy())
  return sqlStore(knex)
}
const memcacheds = (owner: Owner, urls: string[]) =>
  urls.map((url, index): [string, MemcacheClient] => {
    const client = new MemcacheClient({ server: { server: new URL(url).host, maxConnections: 4 } })
    owner.teardown(() => client.shutdown())
    return [`cache${index}`, client]
  })

/** Every place where two processes find the same sessions. Its client of Redis is loaded where it is opened: processes open one of them. */
export const PLACES: Readonly<Record<string, Kind>> = {
  sqlite: { make: inDatabase('sqlite'), open: openSql },
  mariadb: { make: inDatabase('mariadb'), open: openSql },
  postgresql: { make: inDatabase('postgresql'), open: openSql },
  cookie: {
    make: inDatabase('sqlite'),
    open: async (owner, place) => cookieStore({ epochs: await openSql(owner, place) }),
  },
  file: {
    make: async owner => ({ directory: await newDirectory(owner) }),
    open: async (_owner, { directory }) => fileStore(directory!),
  },
  'redis (node-redis)': {
    make: onServer('redis'),
    async open(owner, { urls, prefix }) {
      const { createClient } = await import('redis')
      const client = createClient({ url: urls![0]!, disableOfflineQueue: true })
      client.on('error', () => {})
      owner.teardown(() => client.destroy())
      await client.connect()
      return redisStore(client, { prefix })
    },
  },
  'redis (ioredis)': {
    make: onServer('redis'),
    async open(owner, { urls, prefix }) {
      const { Redis } = await import('ioredis')
      const client = new Redis(urls![0]!)
      owner.teardown(() => client.disconnect())
      return redisStore(client, { prefix })
    },
  },
  'redis cluster (node-redis)': {
    make: onServer('redis-cluster'),
    async open(owner, { urls, prefix }) {
      const { createCluster } = await import('redis')
      const client = createCluster({ rootNodes: urls!.map(url => ({ url })) })
      client.on('error', () => {})
      owner.teardown(() => client.destroy())
      await client.connect()
      return redisStore(client, { prefix })
    },
  },
  'redis cluster (ioredis)': {
    make: onServer('redis-cluster'),
    async open(owner, { urls, prefix }) {
      const { Cluster } = await import('ioredis')
      const client = new Cluster(urls!)
      owner.teardown(() => client.disconnect())
      return redisStore(client, { prefix })
    },
  },
  memcached: {
    make: onServer('memcached'),
    open: async (owner, { urls, prefix }) => memcachedStore(memcacheds(owner, urls!)[0]![1], { prefix }),
  },
  'memcached ×3': {
    make: onServer('memcached-trio'),
    open: async (owner, { urls, prefix }) => memcachedStore(Object.fromEntries(memcacheds(owner, urls!)), { prefix }),
  },
}

/** A place of this kind for one test. */
export async function makePlace(owner: Owner, kind: string): Promise<Place> {
  return { kind, ...(await PLACES[kind]!.make(owner)) }
}

/** Opens it, in whatever process. */
export function openPlace(owner: Owner, place: Place): Promise<Opened> {
  return PLACES[place.kind]!.open(owner, place)
}

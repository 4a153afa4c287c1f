import type { ExecutionContext } from 'ava'
import type { SessionStoreSetup } from '../../lib/testing/index.ts'
import { fileSetup } from './stores/file/setup.ts'
import { memcachedSetup, memcachedTrioSetup } from './stores/memcached/setup.ts'
import { ioredisClusterSetup, ioredisSetup, redisClusterSetup, redisSetup } from './stores/redis/setup.ts'
import { memorySetup, sqliteSetup } from './stores/setups.ts'
import { mariadbSetup, postgresqlSetup } from './stores/sql/setup.ts'

/** The calls that a store may lack. */
export const OPTIONAL_CALLS = ['list', 'destroyAll', 'sweep', 'close'] as const
export type OptionalCall = (typeof OPTIONAL_CALLS)[number]

/** A store, on the real thing. */
export interface StoreCase {
  /** Sessions of a test's own, with a clock that it moves. */
  setup(t: ExecutionContext): Promise<SessionStoreSetup>
  /** Which of the optional calls it has. */
  can: readonly OptionalCall[]
}

const LISTS = ['list', 'destroyAll'] as const
const ALL = [...LISTS, 'sweep'] as const

/** Every store that the session layer's promises are shown on. */
export const STORES: Readonly<Record<string, StoreCase>> = {
  memory: { setup: memorySetup, can: ALL },
  sqlite: { setup: sqliteSetup, can: ALL },
  file: { setup: fileSetup, can: ALL },
  mariadb: { setup: mariadbSetup, can: ALL },
  postgresql: { setup: postgresqlSetup, can: ALL },
  'redis (node-redis)': { setup: redisSetup, can: LISTS },
  'redis (ioredis)': { setup: ioredisSetup, can: LISTS },
  'redis cluster (node-redis)': { setup: redisClusterSetup, can: LISTS },
  'redis cluster (ioredis)': { setup: ioredisClusterSetup, can: LISTS },
  memcached: { setup: memcachedSetup, can: [] },
  'memcached ×3': { setup: memcachedTrioSetup, can: [] },
}

/** Those of them that can do this. */
export function storesWith(call: OptionalCall): [name: string, store: StoreCase][] {
  return Object.entries(STORES).filter(([, { can }]) => can.includes(call))
}

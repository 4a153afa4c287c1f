import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import type { FailureCounters } from '../../../lib/users/throttle/counters.ts'
import { MemoryCounters } from '../../../lib/users/throttle/memory.ts'
import { type LoginLimit, settleThrottle, type ThrottleOptions } from '../../../lib/users/throttle/options.ts'
import { redisCounters } from '../../../lib/users/throttle/redis.ts'
import { sqlCounters } from '../../../lib/users/throttle/sql.ts'
import { DATABASES, type DatabaseName, migratedDatabase } from '../../database/servers.ts'
import { sharedServer } from '../../servers/shared.ts'
import { CLIENTS, CLUSTER_CLIENTS } from '../../sessions/stores/redis/setup.ts'
import { handedClock } from '../../sessions/stores/setups.ts'

/** Counters of one process, and others of the same store, on a clock that a test moves, where it counts. */
export interface CountersSetup {
  counters: FailureCounters
  /** What another process has. */
  others: FailureCounters
  /** Absent where the store goes by its own clock. */
  advance?: (milliseconds: number) => void
}

/** What a throttle is made with to count in a store of a test's own. */
export type Shared = Pick<ThrottleOptions, 'redis' | 'prefix' | 'sql'>

/** Redis in each way in which it is reached, under a prefix of a test's own. */
export const REDIS: Readonly<
  Record<string, (t: ExecutionContext) => Promise<Required<Pick<Shared, 'redis' | 'prefix'>>>>
> = {
  'redis (node-redis)': async t => ({ redis: await CLIENTS['node-redis'](t, await urlOf('redis')), prefix: prefix() }),
  'redis (ioredis)': async t => ({ redis: await CLIENTS.ioredis(t, await urlOf('redis')), prefix: prefix() }),
  'redis cluster (node-redis)': async t => ({
    redis: await CLUSTER_CLIENTS['node-redis'](t, await sharedServer('redis-cluster')),
    prefix: prefix(),
  }),
  'redis cluster (ioredis)': async t => ({
    redis: await CLUSTER_CLIENTS.ioredis(t, await sharedServer('redis-cluster')),
    prefix: prefix(),
  }),
}

/** Every kind of counters, on the real thing. */
export const COUNTERS: Readonly<Record<string, (t: ExecutionContext) => Promise<CountersSetup>>> = {
  async memory() {
    const { now, advance } = handedClock()
    const counters = new MemoryCounters(now)
    return { counters, others: counters, advance }
  },
  ...Object.fromEntries(
    Object.entries(REDIS).map(([name, open]) => [
      name,
      async (t: ExecutionContext) => {
        const { redis, prefix } = await open(t)
        const counters = () => redisCounters('test', 'redis', redis, prefix)
        return { counters: counters(), others: counters() }
      },
    ]),
  ),
  ...Object.fromEntries(DATABASES.map(name => [name, (t: ExecutionContext) => sqlSetup(t, name)])),
}

async function sqlSetup(t: ExecutionContext, name: DatabaseName): Promise<CountersSetup> {
  const { now, advance } = handedClock()
  const { knex, open } = await migratedDatabase(t, name)
  return { counters: sqlCounters('test', 'sql', knex, now), others: sqlCounters('test', 'sql', open(), now), advance }
}

/** A limit as it is settled. */
export function limitOf(failures: number, within: number): { weight: number; most: number } {
  const perClient: LoginLimit = { failures, within }
  return settleThrottle('test', { perClient }).perClient
}

async function urlOf(server: 'redis'): Promise<string> {
  const [url = ''] = await sharedServer(server)
  return url
}

function prefix(): string {
  return `${randomBytes(8).toString('hex')}:`
}

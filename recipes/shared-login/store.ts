import type { Knex } from 'knex'
import type { SessionStore } from 'koa-strata'
import { fileStore } from 'koa-strata/stores/file'
import { redisStore } from 'koa-strata/stores/redis'
import { sqlStore } from 'koa-strata/stores/sql'
import { createClient } from 'redis'

/** Whoever a connection belongs to, and ends with. */
interface Owner {
  teardown(end: () => unknown): void
}

/**
 * The sessions of all applications.
 * @param where a directory; the address of a Redis, as `redis://10.0.0.5:6379`; or `sql`: in the database of the people
 */
export async function openStore(owner: Owner, where: string, people: Knex): Promise<SessionStore> {
  if (where === 'sql') return sqlStore(people)
  if (!where.startsWith('redis')) return fileStore(where)
  const redis = createClient({ url: where, disableOfflineQueue: true, socket: { reconnectStrategy: 250 } })
  redis.on('error', (error: Error) => console.error(error.message))
  owner.teardown(() => redis.destroy())
  await redis.connect()
  return redisStore(redis, { prefix: 'teas:' })
}

import { randomBytes } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { MemcacheClient } from 'memcache-client'
import type { SessionRecord, SessionStore } from '../../lib/sessions/store.ts'
import { fileStore } from '../../lib/sessions/stores/file.ts'
import { memcachedStore } from '../../lib/sessions/stores/memcached.ts'
import { redisStore } from '../../lib/sessions/stores/redis.ts'
import { sqlStore } from '../../lib/sessions/stores/sql.ts'
import { newFolder } from '../servers/folder.ts'
import { startMemcached } from '../servers/memcached.ts'
import type { Owner } from '../servers/owner.ts'
import { startRedis } from '../servers/redis.ts'

/** Enough for what a server has anyway, and for pages that are half full, to be little of it. */
const SESSIONS = 20_000
const CONCURRENCY = 32

/** What a session takes in a store, in bytes. */
export interface Stored {
  readonly store: string
  readonly bytes: number
  readonly what: string
}

/** Fills each store with sessions of as many users, and answers what one takes. */
export async function storedBytes(owner: Owner, database: Knex, record: SessionRecord): Promise<Stored[]> {
  return [
    await inRedis(owner, record),
    await inSql(database, record),
    await inMemcached(owner, record),
    await inFiles(record),
  ]
}

async function fill(store: SessionStore, { data }: SessionRecord, count = SESSIONS): Promise<void> {
  const expiresAt = Date.now() + 14 * 86_400_000
  const lane = async (_: unknown, first: number) => {
    for (let number = first; number < count; number += CONCURRENCY) {
      const id = randomBytes(32).toString('hex')
      if (!(await store.create(id, { data, user: `sql:${1_000_000 + number}`, expiresAt }))) throw new Error('taken')
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
}

async function inRedis(owner: Owner, record: SessionRecord): Promise<Stored> {
  const redis = new Redis((await startRedis(owner)).url)
  owner.teardown(() => redis.disconnect())
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1])
  // Its scripts are there, and the buffers of the connection.
  await fill(redisStore(redis), record, CONCURRENCY)
  await redis.flushall()
  const before = await used()
  await fill(redisStore(redis), record)
  return {
    store: 'Redis',
    bytes: ((await used()) - before) / SESSIONS,
    what: 'memory, with the entry in the list of the user',
  }
}

async function inSql(database: Knex, record: SessionRecord): Promise<Stored> {
  await fill(sqlStore(database), record)
  await database.raw('analyze table sessions')
  const [[{ bytes }]] = await database.raw(
    "select data_length + index_length as bytes from information_schema.tables where table_schema = database() and table_name = 'sessions'",
  )
  return { store: 'MariaDB', bytes: Number(bytes) / SESSIONS, what: 'pages of the row and its indexes' }
}

async function inMemcached(owner: Owner, record: SessionRecord): Promise<Stored> {
  const { port } = await startMemcached(owner, { args: ['-m', '512'] })
  const client = new MemcacheClient({ server: `127.0.0.1:${port}`, noDelay: true })
  owner.teardown(() => client.shutdown())
  await fill(memcachedStore(client), record)
  const stats = await answer(port, 'stats slabs\r\n', 'END\r\n')
  const sum = (field: string) => [...stats.matchAll(new RegExp(`STAT (\\d+):${field} (\\d+)`, 'g'))]
  const sizes = new Map(sum('chunk_size').map(([, slab, size]) => [slab, Number(size)]))
  const bytes = sum('used_chunks').reduce((total, [, slab, used]) => total + Number(used) * sizes.get(slab)!, 0)
  return { store: 'memcached', bytes: bytes / SESSIONS, what: 'memory, in the chunk that it fits in' }
}

async function inFiles(record: SessionRecord): Promise<Stored> {
  const folder = newFolder('stored')
  const count = SESSIONS / 20
  await fill(fileStore(folder), record, count)
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const bytes = paths.reduce((total, path) => total + statSync(join(folder, path)).blocks * 512, 0)
  return { store: 'files', bytes: bytes / count, what: 'blocks of the directory and its files' }
}

/** What memcached says to a command, up to its last line. */
async function answer(port: number, command: string, last: string): Promise<string> {
  let said = ''
  const socket = connect(port, '127.0.0.1', () => socket.write(command))
  for await (const chunk of socket) {
    said += chunk
    if (said.endsWith(last)) break
  }
  return said
}

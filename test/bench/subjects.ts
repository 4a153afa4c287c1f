import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import knexFactory, { type Knex } from 'knex'
import { MemcacheClient } from 'memcache-client'
import { createClient } from 'redis'
import { migrate } from '../../lib/database/migrations.ts'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { fileStore } from '../../lib/sessions/stores/file.ts'
import { memcachedStore } from '../../lib/sessions/stores/memcached.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { redisStore } from '../../lib/sessions/stores/redis.ts'
import { sqlStore } from '../../lib/sessions/stores/sql.ts'
import { newFolder } from '../servers/folder.ts'
import { startMariadb } from '../servers/mariadb.ts'
import { startMemcached } from '../servers/memcached.ts'
import type { Owner } from '../servers/owner.ts'
import { startPostgresql } from '../servers/postgresql.ts'
import { startRedis } from '../servers/redis.ts'

/** The calls that are measured, in the least form that does the same without a promise. */
export interface PlainClient {
  read(id: string): Promise<unknown>
  create(id: string, json: string): Promise<unknown>
  replace(id: string, json: string): Promise<unknown>
}

/** A store and the plain client beside it. */
export interface Subject {
  store: SessionStore
  plain: PlainClient
  close(): Promise<unknown>
}

const HOUR = 3600

/** Every store, each with the plain client that it stands on. */
export const SUBJECTS: Readonly<Record<string, (owner: Owner) => Promise<Subject>>> = {
  memory: async () => {
    const kept = new Map<string, string>()
    const plain: PlainClient = {
      read: async id => JSON.parse(kept.get(id)!),
      create: async (id, json) => kept.set(id, json),
      replace: async (id, json) => kept.set(id, json),
    }
    return { store: memoryStore(), plain, close: async () => kept.clear() }
  },
  'redis (node-redis)': async owner => {
    const server = await startRedis(owner)
    const client = createClient({ url: server.url })
    await client.connect()
    const plain: PlainClient = {
      read: async id => JSON.parse((await client.get(id))!),
      create: (id, json) => client.set(id, json, { condition: 'NX', expiration: { type: 'EX', value: HOUR } }),
      replace: (id, json) => client.set(id, json, { expiration: { type: 'EX', value: HOUR } }),
    }
    return { store: redisStore(client), plain, close: () => client.close() }
  },
  'redis (ioredis)': async owner => {
    const server = await startRedis(owner)
    const client = new Redis(server.url)
    const plain: PlainClient = {
      read: async id => JSON.parse((await client.get(id))!),
      create: (id, json) => client.set(id, json, 'EX', HOUR, 'NX'),
      replace: (id, json) => client.set(id, json, 'EX', HOUR),
    }
    return { store: redisStore(client), plain, close: () => client.quit() }
  },
  memcached: async owner => {
    const server = await startMemcached(owner, { args: ['-m', '512'] })
    const client = new MemcacheClient({ server: `127.0.0.1:${server.port}`, noDelay: true })
    const options = { lifetime: HOUR }
    const plain: PlainClient = {
      read: async id => JSON.parse((await client.get<string>(id)).value as string),
      create: (id, json) => client.add(id, json, options),
      replace: (id, json) => client.set(id, json, options),
    }
    return { store: memcachedStore(client), plain, close: async () => client.shutdown() }
  },
  file: async () => {
    const folder = newFolder('plain')
    const write = async (path: string, json: string) => {
      const file = await open(path, 'w', 0o600)
      await file.writeFile(json)
      await file.sync()
      await file.close()
    }
    const read = async (path: string) => {
      const file = await open(path)
      const json = await file.readFile('utf8')
      await file.close()
      return JSON.parse(json)
    }
    const plain: PlainClient = {
      read: id => read(join(folder, id)),
      create: (id, json) => write(join(folder, id), json),
      replace: async (id, json) => {
        await write(join(folder, `${id}.new`), json)
        await rename(join(folder, `${id}.new`), join(folder, id))
      },
    }
    return { store: fileStore(newFolder('sessions')), plain, close: async () => {} }
  },
  'sql (SQLite)': async () => {
    const filename = join(newFolder('sqlite'), 'sessions.db')
    const pool = {
      afterCreate(connection: { pragma(text: string): void }, done: (error: unknown, connection: unknown) => void) {
        connection.pragma('journal_mode = wal')
        connection.pragma('synchronous = normal')
        done(null, connection)
      },
    }
    return sqlSubject(knexFactory({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true, pool }))
  },
  'sql (MariaDB)': async owner => {
    const { url } = await startMariadb(owner)
    return sqlSubject(knexFactory({ client: 'mysql2', connection: url, pool: { min: 10, max: 10 } }))
  },
  'sql (PostgreSQL)': async owner => {
    const { url } = await startPostgresql(owner)
    return sqlSubject(knexFactory({ client: 'pg', connection: url, pool: { min: 10, max: 10 } }))
  },
}

async function sqlSubject(db: Knex): Promise<Subject> {
  await migrate(db)
  await db.schema.createTable('plain', table => {
    table.string('id', 64).primary()
    table.text('data')
  })
  const plain: PlainClient = {
    read: async id => JSON.parse((await db('plain').where({ id }).first('data')).data),
    create: (id, data) => db('plain').insert({ id, data }),
    replace: (id, data) => db('plain').where({ id }).update({ data }),
  }
  return { store: sqlStore(db), plain, close: () => db.destroy() }
}

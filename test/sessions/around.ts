import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { fileStore } from '../../lib/sessions/stores/file.ts'
import { type MemcachedClient, memcachedStore } from '../../lib/sessions/stores/memcached.ts'
import { redisStore } from '../../lib/sessions/stores/redis.ts'
import { sqlStore } from '../../lib/sessions/stores/sql.ts'
import { type DatabaseName, migratedDatabase } from '../database/servers.ts'
import { sharedServer } from '../servers/shared.ts'
import { WIDE_DEADLINE } from './app.ts'
import { newDirectory } from './stores/file/setup.ts'
import { openMemcached } from './stores/memcached/setup.ts'
import { openIoredis, openIoredisCluster } from './stores/redis/setup.ts'

/** A store, and how other hands write where it reads. */
export interface WrittenAround {
  store: SessionStore
  /** Puts a text in the place of a session's data, where the store keeps the data as JSON, and leaves the rest as it was. */
  putData(id: string, text: string): Promise<unknown>
  /** Puts a text in the place of all that the store keeps of a session, where that is one text. */
  putAll?(id: string, text: string): Promise<unknown>
}

const SOCKET = { socketTimeout: WIDE_DEADLINE }

/** How the stores of STORES are written around, each by the server's own client. Nobody reaches into the memory of `memoryStore()`. */
export const AROUND: Readonly<Record<string, (t: ExecutionContext) => Promise<WrittenAround>>> = {
  sqlite: t => sql(t, 'sqlite'),
  mariadb: t => sql(t, 'mariadb'),
  postgresql: t => sql(t, 'postgresql'),
  file,
  redis: async t => redis(await openIoredis(t, (await sharedServer('redis'))[0]!, SOCKET)),
  'redis cluster': async t => redis(await openIoredisCluster(t, await sharedServer('redis-cluster'), SOCKET)),
  memcached,
}

async function sql(t: ExecutionContext, name: DatabaseName): Promise<WrittenAround> {
  const { knex } = await migratedDatabase(t, name)
  return { store: sqlStore(knex), putData: async (id, data) => knex('sessions').where({ id }).update({ data }) }
}

async function file(t: ExecutionContext): Promise<WrittenAround> {
  const directory = await newDirectory(t)
  const putAll = async (id: string, text: string) => {
    const folder = join(directory, id.slice(0, 2), id)
    const name = (await readdir(folder)).find(one => one.endsWith('.json'))
    await writeFile(join(folder, name!), text)
  }
  return {
    store: fileStore(directory),
    putAll,
    putData: (id, text) => putAll(id, `{"user":null,"data":${text}}`),
  }
}

function redis(client: Awaited<ReturnType<typeof openIoredis | typeof openIoredisCluster>>): WrittenAround {
  const prefix = `${randomBytes(8).toString('hex')}:`
  const putAll = (id: string, text: string) => client.set(prefix + id, text)
  return {
    store: redisStore(client, { prefix }),
    putAll,
    putData: async (id, text) => putAll(id, `${await client.getrange(prefix + id, 0, 107)}[null,${text}]`),
  }
}

async function memcached(t: ExecutionContext): Promise<WrittenAround> {
  const client = openMemcached(t, (await sharedServer('memcached'))[0]!, WIDE_DEADLINE)
  const prefix = `${randomBytes(8).toString('hex')}:`
  const putAll = async (id: string, text: string) => client.set(prefix + id, text)
  return {
    store: memcachedStore(client as MemcachedClient, { prefix }),
    putAll,
    async putData(id, text) {
      const { version, expiresAt } = JSON.parse((await client.get<string>(prefix + id))!.value)
      const head = JSON.stringify({ version, expiresAt, user: null }).slice(0, -1)
      return putAll(id, `${head},"data":${text}}`)
    },
  }
}

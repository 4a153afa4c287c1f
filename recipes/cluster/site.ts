import { randomBytes } from 'node:crypto'
import { type Galera, startGalera } from '../../test/servers/galera.ts'
import { startHaproxy } from '../../test/servers/haproxy.ts'
import { startNginx } from '../../test/servers/nginx.ts'
import type { Owner } from '../../test/servers/owner.ts'
import { type RedisCluster, startRedisCluster } from '../../test/servers/redis-cluster.ts'
import type { Server } from '../../test/servers/server.ts'
import { createTables, openDatabase } from './database.ts'
import { addMembers } from './example.ts'
import { placed, settingsIn } from './places.ts'
import { type AppProcess, startProcess } from './processes.ts'

/** The whole of it, on this machine. */
export interface Site {
  /** What people see it at. */
  readonly origin: string
  readonly apps: readonly AppProcess[]
  readonly redis: RedisCluster
  readonly galera: Galera
  /** The database, by the HAProxy in front of it. */
  readonly database: string
  readonly nginx: Server
}

export interface SiteOptions {
  /** Who can log in, and their passwords. */
  people: Readonly<Record<string, string>>
  /** A port of 127.0.0.1 for nginx, beside the one that it has anyway. @default none */
  port?: number
}

/** Starts six nodes of Redis, three of MariaDB, HAProxy, two processes of the site and nginx, with the very files of this recipe. */
export async function startSite(owner: Owner, { people, port }: SiteOptions): Promise<Site> {
  const [redis, galera] = await Promise.all([
    startRedisCluster(owner, { config: settingsIn('redis.conf', /^append/) }),
    startNodes(owner),
  ])
  const haproxy = await startHaproxy(owner, {
    configuration: place =>
      placed('haproxy.cfg', {
        '127.0.0.1:3306': `127.0.0.1:${place.port}`,
        '10.0.0.21:3306': `127.0.0.1:${galera.nodes[0]!.port}`,
        '10.0.0.22:3306': `127.0.0.1:${galera.nodes[1]!.port}`,
        '10.0.0.23:3306': `127.0.0.1:${galera.nodes[2]!.port}`,
      }),
  })
  const database = galera.urls[0]!.replace(/:\d+\//, `:${haproxy.port}/`)
  await populate(galera.urls[0]!, people)
  const shared = { redis: redis.urls, database, key: randomBytes(32).toString('base64url') }
  const apps = await Promise.all(['process 1', 'process 2'].map(name => startProcess(owner, shared, name)))
  const nginx = await startProxy(owner, apps, port)
  return {
    origin: port === undefined ? nginx.url : `http://127.0.0.1:${port}`,
    apps,
    redis,
    galera,
    database,
    nginx,
  }
}

function startNodes(owner: Owner): Promise<Galera> {
  const { wsrep_provider_options: provider = '', ...settings } = settingsIn(
    'galera.cnf',
    /^(bind_address|wsrep_(provider|cluster_name|cluster_address|node_address))$/,
  )
  return startGalera(owner, { settings, provider: Object.fromEntries(provider.split(';').map(one => one.split('='))) })
}

async function populate(url: string, people: SiteOptions['people']): Promise<void> {
  const database = openDatabase(url)
  try {
    await database.raw("create user haproxy@'127.0.0.1'")
    await createTables(database)
    await addMembers(database, people)
  } finally {
    await database.destroy()
  }
}

/** The nginx.conf of this recipe in front of these processes. @param adapt what to make of it before it is used */
export function startProxy(
  owner: Owner,
  [one, two]: readonly { port: number }[],
  port?: number,
  adapt = (configuration: string) => configuration,
): Promise<Server> {
  return startNginx(owner, {
    http: place =>
      adapt(
        placed('nginx.conf', {
          'listen 80;': [place.port, ...(port === undefined ? [] : [port])]
            .map(it => `listen 127.0.0.1:${it};`)
            .join(' '),
          '10.0.0.11:3000': `127.0.0.1:${one!.port}`,
          '10.0.0.12:3000': `127.0.0.1:${two!.port}`,
        }),
      ),
  })
}

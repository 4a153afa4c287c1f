import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { MemcacheClient } from 'memcache-client'
import type { SessionRecord, SessionStore } from '../../../../lib/sessions/store.ts'
import { type MemcachedClient, memcachedStore } from '../../../../lib/sessions/stores/memcached.ts'
import type { SessionStoreSetup } from '../../../../lib/testing/index.ts'
import { firstWords } from '../../../servers/port.ts'
import { type SharedServer, sharedServer } from '../../../servers/shared.ts'
import { WIDE_DEADLINE } from '../../app.ts'
import { handedClock } from '../setups.ts'

/** The clients of two processes, so to speak, each with one for every server. */
type Processes = readonly Record<string, MemcacheClient>[]

const opened = new Map<SharedServer, Promise<Processes>>()
const ends: (() => void)[] = []

test.after.always('The memcached clients of this file end.', () => {
  for (const end of ends) end()
})

/** A client as an application should make it, of `memcached://127.0.0.1:11211`. @param timeout how long a command may take, in milliseconds */
export function openMemcached(owner: { teardown(end: () => void): void }, url: string, timeout = 400): MemcacheClient {
  const { host } = new URL(url)
  const client = new MemcacheClient({
    server: { server: host, maxConnections: 4 },
    cmdTimeout: timeout,
    connectTimeout: timeout,
    noDelay: true,
  })
  owner.teardown(() => client.shutdown())
  return client
}

/** Sessions in one memcached, each test's under a prefix of its own. */
export async function memcachedSetup(_t?: ExecutionContext): Promise<SessionStoreSetup> {
  const processes = await processesOf('memcached')
  return setupOf(processes.map(clients => Object.values(clients)[0]!))
}

/** Sessions spread over three memcacheds. */
export async function memcachedTrioSetup(_t?: ExecutionContext): Promise<SessionStoreSetup> {
  return setupOf(await processesOf('memcached-trio'))
}

function setupOf(processes: readonly (MemcacheClient | Record<string, MemcacheClient>)[]): SessionStoreSetup {
  const clock = handedClock()
  const prefix = `${randomBytes(8).toString('hex')}:`
  let opens = 0
  return {
    ...clock,
    open: async () => memcachedStore(processes[opens++ % processes.length]!, { prefix, now: clock.now }),
  }
}

function processesOf(servers: SharedServer): Promise<Processes> {
  const processes = opened.get(servers) ?? openAll(servers)
  opened.set(servers, processes)
  return processes
}

async function openAll(servers: SharedServer): Promise<Processes> {
  const urls = await sharedServer(servers)
  const owner = { teardown: (end: () => void) => ends.push(end) }
  // By number and not by address: the names decide which server holds an id, and have to stay.
  const open = () =>
    Object.fromEntries(urls.map((url, index) => [`cache${index}`, openMemcached(owner, url, WIDE_DEADLINE)]))
  return [open(), open()]
}

/** The server that all share, and what a test has of it for itself. */
export interface OwnMemcached {
  client: MemcacheClient
  /** Of this test alone. */
  prefix: string
  store: SessionStore
  /** What the server says to one command. */
  say(command: string): Promise<string>
}

/** A client, and a store under a prefix of its own. */
export async function ownMemcached(t: ExecutionContext): Promise<OwnMemcached> {
  const [url] = await sharedServer('memcached')
  const client = openMemcached(t, url!, WIDE_DEADLINE)
  const prefix = `${randomBytes(8).toString('hex')}:`
  const say = (command: string) => firstWords(Number(new URL(url!).port), `${command}\r\n`)
  return { client, prefix, store: memcachedStore(client, { prefix }), say }
}

/** A client of which a test replaces some of the calls. */
export function altered(client: MemcachedClient, calls: Partial<MemcachedClient>): MemcachedClient {
  return {
    gets: key => client.gets(key),
    add: (...args) => client.add(...args),
    cas: (...args) => client.cas(...args),
    delete: key => client.delete(key),
    ...calls,
  }
}

/** An hour in milliseconds. */
export const HOUR = 3_600_000

/** A record on the real clock. */
export function recordOf(data: object = {}, lasts: number = HOUR): SessionRecord {
  return { data, user: null, expiresAt: Date.now() + lasts }
}

import { hash } from 'node:crypto'
import { OptionInvalid } from '../../../errors.ts'
import { checkMethods, isPlainObject } from '../../../options.ts'
import type { MemcachedClient } from './client.ts'

const METHODS = ['gets', 'add', 'cas', 'delete']

/** Clients by the names of their servers. */
export type MemcachedServers = Readonly<Record<string, MemcachedClient>>

/**
 * Says which client holds an id. Of several servers it is the one whose name and the id have the highest hash together: every process with the
 * same names finds the same, and a name more or less moves its own share and no other.
 * @throws OptionInvalid naming the client that is none
 */
export function clientOf(where: string, given: MemcachedClient | MemcachedServers): (id: string) => MemcachedClient {
  const servers = isPlainObject(given) && typeof given.gets !== 'function' ? (given as MemcachedServers) : null
  if (!servers) {
    checkClient(where, 'client', given)
    return () => given as MemcachedClient
  }
  const names = Object.keys(servers)
  for (const name of names) checkClient(where, `client.${name}`, servers[name])
  const [first, ...others] = names
  if (first === undefined) throw new OptionInvalid(where, 'client', 'holds no client.')
  return id => {
    let [holder, highest] = [first, others.length ? weight(first, id) : '']
    for (const name of others) {
      const one = weight(name, id)
      if (one > highest) [holder, highest] = [name, one]
    }
    return servers[holder]!
  }
}

function weight(name: string, id: string): string {
  return hash('sha256', `${name}\n${id}`)
}

function checkClient(where: string, option: string, client: unknown): void {
  checkMethods(where, option, client, METHODS)
  const server = (client as MemcachedClient).options?.server as { servers?: unknown } | undefined
  if (Array.isArray(server?.servers) && server.servers.length > 1)
    throw new OptionInvalid(
      where,
      option,
      'has several servers, of which memcache-client takes any. Hand over a client for each: { name: client, … }.',
    )
}

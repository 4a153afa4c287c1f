import { OptionInvalid } from '../../../errors.ts'
import type { RedisScript } from './scripts.ts'

/** What `redisStore()` calls of node-redis: `createClient()` of the package `redis` makes it. */
export interface NodeRedisClient {
  sendCommand(args: string[], options?: { typeMapping?: object }): Promise<unknown>
  legacy(): unknown
  readonly options?: { readonly keyPrefix?: string | Uint8Array }
}

/** The same of `createCluster()`. */
export interface NodeRedisCluster {
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: string[],
    options?: { typeMapping?: object },
  ): Promise<unknown>
  nodeClient(node: never): unknown
  readonly _options?: { readonly keyPrefix?: string | Uint8Array }
}

/** What `redisStore()` calls of ioredis: `new Redis()` or `new Cluster()` makes it. */
export interface IoredisClient {
  call(command: string, args: string[]): Promise<unknown>
  readonly isCluster: boolean
  readonly options: object
}

/** A ready client of node-redis 6 or ioredis 6, for one server or a Cluster. */
export type RedisClient = NodeRedisClient | NodeRedisCluster | IoredisClient

/** Commands of one key each, so that every one finds its node in a Cluster. Replies are text and lists of it, whatever the client is set to. */
export interface RedisCommands {
  /** @throws the client's error, and the server's */
  send(command: string, key: string, ...args: string[]): Promise<unknown>
  /** Runs a script, and hands it over again where the server has forgotten it: after a restart, a failover or SCRIPT FLUSH. */
  run(script: RedisScript, key: string, ...args: string[]): Promise<readonly string[]>
}

/** How a command reaches the server: its key stands at `keyAt` in `args`. */
type Send = (args: string[], keyAt: number) => Promise<unknown>

/** Text replies, even where the client's own type mapping asks for Buffers. */
const AS_TEXT = { typeMapping: {} }

/** @throws OptionInvalid, naming `option` of `where`, for what is no such client */
export function commandsOf(where: string, client: RedisClient, option = 'client'): RedisCommands {
  const send = sendOf(where, client, option)
  return {
    send: (command, key, ...args) => send([command, key, ...args], 1),
    async run({ sha1, lua }, key, ...args) {
      const rest = ['1', key, ...args]
      try {
        return (await send(['EVALSHA', sha1, ...rest], 3)) as string[]
      } catch (error) {
        if (!isReply(error, 'NOSCRIPT')) throw error
        return (await send(['EVAL', lua, ...rest], 3)) as string[]
      }
    },
  }
}

/** Whether this is the server's error of that name. */
export function isReply(error: unknown, name: string): boolean {
  return error instanceof Error && error.message.startsWith(name)
}

function sendOf(where: string, client: RedisClient, option: string): Send {
  if (isIoredis(client)) {
    const { scaleReads = 'master' } = client.options as { scaleReads?: unknown }
    if (scaleReads !== 'master')
      throw new OptionInvalid(
        where,
        option,
        "must read from masters (scaleReads: 'master'): a replica that lags would bring back sessions that have ended.",
      )
    // It adds its keyPrefix itself.
    return ([command = '', ...args]) => client.call(command, args)
  }
  if (isNodeRedisCluster(client)) {
    const prefixed = prefixer(client._options?.keyPrefix)
    // Told that nothing is a mere read, it asks masters only.
    return (args, keyAt) => client.sendCommand(prefixed(args, keyAt), false, args, AS_TEXT)
  }
  if (isNodeRedis(client)) {
    const prefixed = prefixer(client.options?.keyPrefix)
    return (args, keyAt) => {
      prefixed(args, keyAt)
      return client.sendCommand(args, AS_TEXT)
    }
  }
  throw new OptionInvalid(
    where,
    option,
    'must be a client of node-redis (createClient() or createCluster() of redis 6) or of ioredis (new Redis() or new Cluster() of ioredis 6).',
  )
}

/** Puts node-redis' keyPrefix before the key, which it does for its named commands only, and answers the key. */
function prefixer(keyPrefix: string | Uint8Array = '') {
  const prefix = String(keyPrefix)
  return (args: string[], keyAt: number): string => {
    const key = prefix + args[keyAt]
    args[keyAt] = key
    return key
  }
}

function isIoredis(client: unknown): client is IoredisClient {
  return has(client, 'call') && typeof (client as IoredisClient).isCluster === 'boolean'
}

function isNodeRedisCluster(client: unknown): client is NodeRedisCluster {
  return has(client, 'sendCommand', 'withTypeMapping', 'nodeClient')
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return has(client, 'sendCommand', 'withTypeMapping', 'legacy')
}

function has(client: unknown, ...methods: string[]): boolean {
  if (client === null || typeof client !== 'object') return false
  return methods.every(name => typeof (client as Record<string, unknown>)[name] === 'function')
}

import { execFile } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Owner } from './owner.ts'
import { freePort } from './port.ts'
import { program } from './program.ts'
import { type RedisOptions, startRedis } from './redis.ts'
import type { Server } from './server.ts'

const run = promisify(execFile)
/** How long the nodes may take to agree, in milliseconds. */
const PATIENCE = 60_000
const MOST_TRIES = 3

/** A private Redis Cluster. */
export interface RedisCluster {
  /** All nodes, in no order that says who is a master. */
  readonly nodes: readonly Server[]
  readonly urls: readonly string[]
  /** The node that serves a key's slot now. */
  masterOf(key: string): Promise<Server>
  /** What a node says, by redis-cli. */
  ask(node: Server, ...command: string[]): Promise<string>
}

/**
 * Three masters, and as many replicas for each as told. A master that does not answer for 2 s is replaced.
 * @param options.replicas for each master @default 1
 */
export async function startRedisCluster(
  owner: Owner,
  { replicas = 1, config = {} }: RedisOptions & { replicas?: number } = {},
): Promise<RedisCluster> {
  const cli = program('redis-cli', 'redis-server')
  const nodes = await Promise.all(Array.from({ length: 3 * (1 + replicas) }, () => startNode(owner, config)))
  const ask = async (node: Server, ...command: string[]) =>
    (await run(cli, ['-h', '127.0.0.1', '-p', String(node.port), ...command])).stdout.trim()
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  await run(cli, ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes'])
  const agreed = async (node: Server) => {
    const [info, links] = await Promise.all([ask(node, 'cluster', 'info'), ask(node, 'info', 'replication')])
    const [role, online] = [/role:(\w+)/.exec(links)?.[1], links.match(/state=online/g)?.length ?? 0]
    const linked = role === 'slave' ? links.includes('master_link_status:up') : online === replicas
    return info.includes('cluster_state:ok') && linked
  }
  const deadline = performance.now() + PATIENCE
  while (!(await Promise.all(nodes.map(agreed))).every(Boolean)) {
    if (performance.now() > deadline) throw new Error('The nodes of the Redis Cluster do not agree.')
    await wait(50)
  }
  return {
    nodes,
    urls: nodes.map(({ url }) => url),
    ask,
    async masterOf(key) {
      for (const node of nodes) {
        const answer = await ask(node, 'get', key).catch(() => 'MOVED')
        if (!/MOVED|CLUSTERDOWN|refused/.test(answer)) return node
      }
      throw new Error('No node serves this key.')
    },
  }
}

async function startNode(owner: Owner, config: RedisOptions['config'], tries = 1): Promise<Server> {
  try {
    return await startRedis(owner, {
      config: {
        'cluster-enabled': 'yes',
        'cluster-node-timeout': '2000',
        // By default it is the port and 10,000: among those of outgoing connections.
        'cluster-port': String(await freePort()),
        // Without a disk, a master holds back what is written until the replica has confirmed, a second later.
        'repl-diskless-sync': 'no',
        ...config,
      },
    })
  } catch (error) {
    // Somebody else may have taken that port in between.
    if (tries === MOST_TRIES) throw error
    return startNode(owner, config, tries + 1)
  }
}

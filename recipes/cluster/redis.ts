import { Cluster } from 'ioredis'

/**
 * A client that fails at once where a node is down, finds the node that took its place, and leaves one that hangs. Connected.
 * @param nodes some nodes, as `redis://10.0.0.1:6379`: it finds the others by them
 */
export async function openRedis(nodes: readonly string[]): Promise<Cluster> {
  const cluster = new Cluster([...nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: () => 250,
    slotsRefreshInterval: 1000,
    redisOptions: { maxRetriesPerRequest: 0, socketTimeout: 1000 },
  })
  cluster.on('error', (error: Error) => console.error(error.message))
  await cluster.connect()
  return cluster
}

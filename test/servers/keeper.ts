/**
 * Keeps the servers of one test run: starts each when it is first asked for, and ends when the run has ended, however that was. The servers
 * end with it. Usage: node keeper.ts <folder for its socket> <process id of the run>
 */
import { rmSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { startMariadb } from './mariadb.ts'
import { startMemcached } from './memcached.ts'
import { startPostgresql } from './postgresql.ts'
import { startRedis } from './redis.ts'
import { startRedisCluster } from './redis-cluster.ts'
import type { SharedServer } from './shared.ts'

const LOOKS_EVERY = 200
const [folder = '', run = ''] = process.argv.slice(2)
const owner = { teardown() {} }
// All tests of a run fill it: with memcached's own 64 MB it would make room by forgetting sessions that are still wanted.
const memory = { args: ['-m', '1024'] }

const starts: Record<SharedServer, () => Promise<readonly string[]>> = {
  redis: async () => [(await startRedis(owner)).url],
  'redis-cluster': async () => (await startRedisCluster(owner, { replicas: 0 })).urls,
  memcached: async () => [(await startMemcached(owner, memory)).url],
  'memcached-trio': () => Promise.all([1, 2, 3].map(async () => (await startMemcached(owner, memory)).url)),
  mariadb: async () => [(await startMariadb(owner)).url],
  postgresql: async () => [(await startPostgresql(owner)).url],
}
const started = new Map<SharedServer, Promise<readonly string[]>>()

http
  .createServer(async (request, response) => {
    const name = request.url!.slice(1) as SharedServer
    if (!started.has(name)) started.set(name, starts[name]())
    const answer = await started.get(name)!.then(
      urls => ({ urls }),
      (error: Error) => ({ failed: error.message }),
    )
    response.end(JSON.stringify(answer))
  })
  .listen(join(folder, 'socket'))

process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
setInterval(() => {
  try {
    process.kill(Number(run), 0)
  } catch {
    process.exit()
  }
}, LOOKS_EVERY)

/**
 * One process of the site: REDIS_NODES, DATABASE_URL, SESSION_KEYS, PROXIES, NAME, HOST and PORT say what it is. Where another process has started
 * it, it ends with that.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { redisStore } from 'koa-strata/stores/redis'
import { createClub } from './app.ts'
import { openDatabase } from './database.ts'
import { openRedis } from './redis.ts'

const { REDIS_NODES = '', DATABASE_URL = '', SESSION_KEYS = '', PROXIES = '' } = process.env
const { NAME = '', HOST = '127.0.0.1', PORT = '3000' } = process.env
const redis = await openRedis(REDIS_NODES.split(','))
const database = openDatabase(DATABASE_URL)
const app = createClub({
  store: redisStore(redis),
  throttle: { redis },
  database,
  keys: SESSION_KEYS.split(','),
  name: NAME,
  proxies: PROXIES.split(','),
})
app.silent = true
const server = createServer(app.callback())
// nginx lets go of connections that are idle, before this would: what it sends on one that is just being closed would be lost.
server.keepAliveTimeout = 10_000

function end(): void {
  server.close(async () => {
    redis.disconnect()
    await database.destroy()
  })
  server.closeIdleConnections()
}
process.once('SIGTERM', end)
process.once('disconnect', end)
// Ctrl-C reaches every process of a terminal; this one ends when it is told to.
process.on('SIGINT', () => {})

server.listen(Number(PORT), HOST)
await once(server, 'listening')
process.send?.((server.address() as AddressInfo).port, () => {})
if (process.send && !process.connected) end()

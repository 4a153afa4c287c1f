/** Starts the app with a Redis for its sessions, and logs what happens: `npm run recipe -- event-log`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { redisStore } from 'koa-strata/stores/redis'
import { createClient } from 'redis'
import { startRedis } from '../../test/servers/redis.ts'
import { createApp, PEOPLE } from './app.ts'
import { logEvents } from './event-log.ts'
import { createLog } from './log.ts'

const HOST = '127.0.0.1'
const ends: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => ends.unshift(end) }

async function start(): Promise<string> {
  const redis = await startRedis(owner)
  const client = createClient({ url: redis.url, disableOfflineQueue: true })
  // Without a listener an error of the connection would end the process; each call that fails is logged.
  client.on('error', () => {})
  await client.connect()
  owner.teardown(() => client.destroy())

  const log = createLog()
  owner.teardown(logEvents(log))
  const app = createApp({ store: redisStore(client), keys: [randomBytes(32)], log })
  const server = createServer(app.callback()).listen(Number(process.env.PORT ?? 3000), HOST)
  await once(server, 'listening')
  owner.teardown(async () => {
    server.close()
    server.closeIdleConnections()
    await once(server, 'close')
  })
  const origin = `http://${HOST}:${(server.address() as AddressInfo).port}`
  const curl = 'curl --silent --output /dev/null'
  const login = (password: string) =>
    `${curl} --data-urlencode username=ada --data-urlencode 'password=${password}' ${origin}/login`
  return `The app is at ${origin}/, its sessions are in the Redis with pid ${redis.pid}.

Log in, fail to log in, and read the lines below:
  ${login(PEOPLE.get('ada')!)} --cookie-jar cookies
  ${login('guessed')}
Freeze the Redis, ask, let it go on, and log out:
  kill -STOP ${redis.pid}
  curl --silent --cookie cookies ${origin}/
  kill -CONT ${redis.pid}
  ${curl} --cookie cookies --data '' ${origin}/logout

Ctrl-C ends it, the Redis included.
`
}

async function end(): Promise<void> {
  for (const one of ends.splice(0)) await one()
}

process.once('SIGINT', end)
process.once('SIGTERM', end)
try {
  console.log(await start())
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  console.error(code === 'EADDRINUSE' ? 'Something else listens there. Choose another port: PORT=3001' : message)
  process.exitCode = 1
  await end()
}

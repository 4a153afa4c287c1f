/** Starts the app with a Redis for its sessions, and writes its spans: `npm run recipe -- traces`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConsoleSpanExporter } from '@opentelemetry/sdk-trace-base'
import { redisStore } from 'koa-strata/stores/redis'
import { createClient } from 'redis'
import { startRedis } from '../../test/servers/redis.ts'
import { createApp, PEOPLE } from './app.ts'
import { traceStrata } from './strata-spans.ts'
import { startTracing } from './tracing.ts'

const HOST = '127.0.0.1'
const ends: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => ends.unshift(end) }

async function start(): Promise<string> {
  const redis = await startRedis(owner)
  const client = createClient({ url: redis.url, disableOfflineQueue: true })
  // Without a listener an error of the connection would end the process; each call that fails is in its span.
  client.on('error', () => {})
  await client.connect()
  owner.teardown(() => client.destroy())

  const tracing = startTracing(new ConsoleSpanExporter())
  owner.teardown(() => tracing.stop())
  const tracer = tracing.provider.getTracer('traces')
  owner.teardown(traceStrata(tracer))
  const app = createApp({ store: redisStore(client), keys: [randomBytes(32)], tracer })
  const server = createServer(app.callback()).listen(Number(process.env.PORT ?? 3000), HOST)
  await once(server, 'listening')
  owner.teardown(async () => {
    server.close()
    server.closeIdleConnections()
    await once(server, 'close')
  })
  const origin = `http://${HOST}:${(server.address() as AddressInfo).port}`
  return `The app is at ${origin}/, its sessions are in the Redis with pid ${redis.pid}.

Log in, count, and read the spans below:
  curl --silent --cookie-jar cookies --data-urlencode username=ada --data-urlencode 'password=${PEOPLE.get('ada')}' ${origin}/login
  curl --silent --cookie cookies --data '' ${origin}/visits/start
Freeze the Redis, ask, and let it go on:
  kill -STOP ${redis.pid}
  curl --silent --cookie cookies ${origin}/
  kill -CONT ${redis.pid}

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

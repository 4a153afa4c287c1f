/** Starts the app with a Redis for its sessions, and writes its spans: `npm run recipe -- traces`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { ConsoleSpanExporter } from '@opentelemetry/sdk-trace-base'
import { redisStore } from 'koa-strata/stores/redis'
import { createClient } from 'redis'
import { startRedis } from '../../test/servers/redis.ts'
import { type Demonstration, demonstrate, listen } from '../demonstration.ts'
import { createApp, PEOPLE } from './app.ts'
import { traceStrata } from './strata-spans.ts'
import { startTracing } from './tracing.ts'

async function start(owner: Demonstration): Promise<string> {
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
  const { origin } = await listen(owner, app.callback())
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

await demonstrate(start)

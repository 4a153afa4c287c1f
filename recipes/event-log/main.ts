/** Starts the app with a Redis for its sessions, and logs what happens: `npm run recipe -- event-log`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { redisStore } from 'koa-strata/stores/redis'
import { createClient } from 'redis'
import { startRedis } from '../../test/servers/redis.ts'
import { type Demonstration, demonstrate, listen } from '../demonstration.ts'
import { createApp, PEOPLE } from './app.ts'
import { logEvents } from './event-log.ts'
import { createLog } from './log.ts'

async function start(owner: Demonstration): Promise<string> {
  const redis = await startRedis(owner)
  const client = createClient({ url: redis.url, disableOfflineQueue: true })
  // Without a listener an error of the connection would end the process; each call that fails is logged.
  client.on('error', () => {})
  await client.connect()
  owner.teardown(() => client.destroy())

  const log = createLog()
  owner.teardown(logEvents(log))
  const app = createApp({ store: redisStore(client), keys: [randomBytes(32)], log })
  const { origin } = await listen(owner, app.callback())
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

await demonstrate(start)

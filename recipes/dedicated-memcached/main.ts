/** Starts the timetable with a memcached for its sessions and one for its cache: `npm run recipe -- dedicated-memcached`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { startMemcached } from '../../test/servers/memcached.ts'
import { type Demonstration, demonstrate, listen } from '../demonstration.ts'
import { createTimetable, PEOPLE } from './app.ts'
import { openCacheClient, openSessionClient } from './clients.ts'

const HOST = '127.0.0.1'

async function start(owner: Demonstration): Promise<string> {
  const [forSessions, forCache] = await Promise.all([startMemcached(owner, { args: ['-M'] }), startMemcached(owner)])
  const sessionClient = openSessionClient(`${HOST}:${forSessions.port}`)
  const cacheClient = openCacheClient(`${HOST}:${forCache.port}`)
  owner.teardown(() => sessionClient.shutdown())
  owner.teardown(() => cacheClient.shutdown())

  const app = createTimetable({ sessionClient, cacheClient, keys: [randomBytes(32)] })
  const { origin } = await listen(owner, app.callback())
  const flush = (port: number) => `printf 'flush_all\\r\\nquit\\r\\n' | curl --silent telnet://${HOST}:${port}`
  return `The timetable is at ${origin}/
Sessions are in the memcached on port ${forSessions.port} (pid ${forSessions.pid}), the cache is in the one on port ${forCache.port} (pid ${forCache.pid}).

Who can log in, and the password:
${Object.entries(PEOPLE)
  .map(([name, password]) => `  ${name}  ${password}`)
  .join('\n')}

Log in, and look:
  curl --silent --cookie-jar cookies --data 'username=ada&password=ada-demo' ${origin}/login
  curl --silent --cookie cookies ${origin}/
Flush the cache, and look again: the timetable is made anew, and you are still logged in.
  ${flush(forCache.port)}
Flush the sessions, and look again: you are not.
  ${flush(forSessions.port)}

Ctrl-C ends it, both memcacheds included.`
}

await demonstrate(start)

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { MemcachedClient } from 'koa-strata/stores/memcached'
import type { MemcacheClient } from 'memcache-client'
import { startMemcached } from '../../test/servers/memcached.ts'
import { firstWords } from '../../test/servers/port.ts'
import type { Server } from '../../test/servers/server.ts'
import { createTimetable, PEOPLE } from './app.ts'
import { openCacheClient, openSessionClient } from './clients.ts'

interface Started {
  origin: string
  forSessions: Server
  forCache: Server
  /** How often the timetable was made. */
  readonly made: number
}

/** The very app of this recipe on memcacheds of its own. @param adapt what the app gets in place of the sessions' client */
async function start(
  t: ExecutionContext,
  adapt: (client: MemcacheClient) => MemcachedClient = client => client,
): Promise<Started> {
  const [forSessions, forCache] = await Promise.all([startMemcached(t, { args: ['-M'] }), startMemcached(t)])
  const sessionClient = openSessionClient(`127.0.0.1:${forSessions.port}`)
  const cacheClient = openCacheClient(`127.0.0.1:${forCache.port}`)
  t.teardown(() => sessionClient.shutdown())
  t.teardown(() => cacheClient.shutdown())
  let made = 0
  const make = async () => `timetable ${++made}`
  const app = createTimetable({ sessionClient: adapt(sessionClient), cacheClient, keys: ['k'.repeat(32)], make })
  app.silent = true
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forSessions,
    forCache,
    get made() {
      return made
    },
  }
}

/** Somebody with a browser of their own. */
class Visitor {
  readonly #origin: string
  cookie = ''

  constructor({ origin }: { origin: string }) {
    this.#origin = origin
  }

  static async loggedIn(site: { origin: string }, username: string): Promise<Visitor> {
    const visitor = new Visitor(site)
    const { status } = await visitor.#send('/login', { username, password: PEOPLE[username] ?? '' })
    if (status !== 303) throw new Error(`${username} could not log in: ${status}`)
    return visitor
  }

  /** What the page says of the visitor, or its status where there is none. */
  async look(): Promise<string> {
    const response = await this.#send('/')
    if (response.status !== 200) return String(response.status)
    return /Logged in as \w+\. Looks since then: \d+/.exec(await response.text())?.[0] ?? 'anonymous'
  }

  async #send(path: string, form?: Record<string, string>): Promise<Response> {
    const response = await fetch(this.#origin + path, {
      redirect: 'manual',
      headers: { cookie: this.cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    const line = response.headers.getSetCookie().find(one => one.startsWith('sid='))
    if (line !== undefined) this.cookie = line.split(';', 1)[0]!
    return response
  }
}

async function flush({ port }: Server): Promise<void> {
  const answer = await firstWords(port, 'flush_all\r\n')
  if (answer !== 'OK\r\n') throw new Error(answer)
}

test('The timetable is made once and then read from the cache, for everybody.', async t => {
  const site = await start(t)
  await new Visitor(site).look()
  const ada = await Visitor.loggedIn(site, 'ada')
  t.is(await ada.look(), 'Logged in as ada. Looks since then: 1')
  t.is(await ada.look(), 'Logged in as ada. Looks since then: 2')
  t.is(await new Visitor(site).look(), 'anonymous')
  t.is(site.made, 1)
})

test('T7: flushing the cache, restarting it and being without it logs nobody out.', async t => {
  const site = await start(t)
  const [ada, noor] = [await Visitor.loggedIn(site, 'ada'), await Visitor.loggedIn(site, 'noor')]
  t.is(await ada.look(), 'Logged in as ada. Looks since then: 1')
  await flush(site.forCache)
  t.is(await ada.look(), 'Logged in as ada. Looks since then: 2')
  t.is(site.made, 2, 'the timetable was made anew')
  await site.forCache.kill()
  t.is(await ada.look(), 'Logged in as ada. Looks since then: 3')
  t.is(site.made, 3)
  await site.forCache.restart()
  t.is(await ada.look(), 'Logged in as ada. Looks since then: 4')
  t.is(await noor.look(), 'Logged in as noor. Looks since then: 1')
  t.is(site.made, 4, 'it is in the cache again')
})

test('T7: the control: flushing the memcached of the sessions logs everybody out, and so does restarting it.', async t => {
  const site = await start(t)
  for (const lose of [() => flush(site.forSessions), () => site.forSessions.restart()]) {
    const ada = await Visitor.loggedIn(site, 'ada')
    t.is(await ada.look(), 'Logged in as ada. Looks since then: 1')
    await lose()
    t.is(await ada.look(), 'anonymous')
  }
  t.is(site.made, 1, 'the cache has lost nothing')
})

test('While the memcached of the sessions is down, who has a session gets 503, and the page is there for everybody else.', async t => {
  const site = await start(t)
  const ada = await Visitor.loggedIn(site, 'ada')
  await site.forSessions.kill()
  t.is(await ada.look(), '503')
  t.is(await new Visitor(site).look(), 'anonymous')
  await site.forSessions.restart()
  t.is(await ada.look(), 'anonymous')
})

/** Makes the next session that is begun get the id of the last one, as if the dice had fallen alike. `collide` says when. */
function withCollision(client: MemcachedClient): { client: MemcachedClient; collide(): void; tried: string[] } {
  const tried: string[] = []
  let [last, taken, twin] = ['', '', '']
  let due = false
  const at = (key: string) => (key === twin ? taken : key)
  return {
    tried,
    collide() {
      due = true
    },
    client: {
      gets: key => client.gets(at(key)),
      cas: (key, ...rest) => client.cas(at(key), ...rest),
      delete: key => client.delete(at(key)),
      add(key, value, options) {
        if (due) {
          ;[taken, twin] = [last, key]
          due = false
        }
        tried.push(key)
        // Of a detached user's epoch the data is no session.
        if (value.includes('_login')) last = key
        return client.add(at(key), value, options)
      },
    },
  }
}

test('A session whose id is taken already begins under another one, and the one that has the id is left alone.', async t => {
  let collision: ReturnType<typeof withCollision> | undefined
  const site = await start(t, client => {
    collision = withCollision(client)
    return collision.client
  })
  const ada = await Visitor.loggedIn(site, 'ada')
  await Visitor.loggedIn(site, 'noor')
  const adaAgain = await Visitor.loggedIn(site, 'ada')
  const { tried } = collision!
  const before = tried.length
  collision!.collide()
  const noor = await Visitor.loggedIn(site, 'noor')
  t.is(tried.length - before, 2, 'two ids were tried')
  t.not(tried.at(-1), tried.at(-2))
  t.is(await adaAgain.look(), 'Logged in as ada. Looks since then: 1', 'whose id it was')
  t.is(await noor.look(), 'Logged in as noor. Looks since then: 1')
  t.is(await ada.look(), 'Logged in as ada. Looks since then: 1')
})

test('The control: were it set in place of added, whoever has the id would find themselves logged in as somebody else.', async t => {
  let collision: ReturnType<typeof withCollision> | undefined
  const site = await start(t, client => {
    const setting: MemcachedClient = {
      gets: key => client.gets(key),
      cas: (...args) => client.cas(...args),
      delete: key => client.delete(key),
      add: (...args) => client.set(...args),
    }
    collision = withCollision(setting)
    return collision.client
  })
  await Visitor.loggedIn(site, 'noor')
  const ada = await Visitor.loggedIn(site, 'ada')
  collision!.collide()
  await Visitor.loggedIn(site, 'noor')
  t.regex(await ada.look(), /Logged in as noor/)
})

test('The instance file starts a memcached that refuses rather than forgets.', async t => {
  const unit = await readFile(new URL('memcached-sessions.service', import.meta.url), 'utf8')
  const line = /^ExecStart=\/usr\/bin\/memcached -l 127\.0\.0\.1 -p 11212 (.*)$/m.exec(unit)
  const { port } = await startMemcached(t, { args: line![1]!.split(' ') })
  const settings = await firstWords(port, 'stats settings\r\n')
  t.regex(settings, /^STAT evictions off\r$/m)
  t.regex(settings, /^STAT cas_enabled yes\r$/m)
  t.regex(settings, /^STAT udpport 0\r$/m)
})

import test, { type ExecutionContext } from 'ava'
import { storeId } from '../../lib/sessions/id.ts'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { memcachedStore } from '../../lib/sessions/stores/memcached.ts'
import { startMemcached } from '../servers/memcached.ts'
import { firstWords } from '../servers/port.ts'
import type { Server } from '../servers/server.ts'
import { type Browser, type Handler, LOGINS, live, startApp, WIDE_DEADLINE } from '../sessions/app.ts'
import { openMemcached } from '../sessions/stores/memcached/setup.ts'
import { directory, logIn, startUsersApp, whoIs } from '../users/app.ts'

/** Servers by name: n0, n1, … */
async function startServers(t: ExecutionContext, count: number): Promise<Record<string, Server>> {
  const servers = await Promise.all(Array.from({ length: count }, () => startMemcached(t)))
  return Object.fromEntries(servers.map((server, index) => [`n${index}`, server]))
}

function storeOn(t: ExecutionContext, servers: Record<string, Server>): SessionStore {
  const clients = Object.entries(servers).map(([name, { url }]) => [name, openMemcached(t, url, WIDE_DEADLINE)])
  return memcachedStore(Object.fromEntries(clients))
}

const whoAsks: Handler = ctx => live(ctx).login?.id ?? 'anonymous'

/** Whether this server keeps what a store knows by this id. */
async function keeps(server: Server, id: string): Promise<boolean> {
  return (await firstWords(server.port, `mg sess:${id}\r\n`)).startsWith('HD')
}

/** Whether this server keeps the session of a browser. */
function holds(server: Server, browser: Browser): Promise<boolean> {
  const id = /^[^=]+=([\w-]+)/.exec(browser.cookie)![1]!
  return keeps(server, storeId(id))
}

test('T4: memcached: one of three killed is 503 for its share alone, which is anonymous when it is back; the others notice nothing.', async t => {
  const servers = await startServers(t, 3)
  const app = await startApp(t, {
    store: storeOn(t, servers),
    deadline: WIDE_DEADLINE,
    handlers: { ...LOGINS, '/me': whoAsks },
  })
  const people = Array.from({ length: 90 }, (_, index) => ({ name: `p${index}`, browser: app.browser() }))
  for (const { name, browser } of people) await browser.get(`/login?user=${name}`)
  const dead = servers.n1!
  const [theirs, others]: [typeof people, typeof people] = [[], []]
  for (const one of people) ((await holds(dead, one.browser)) ? theirs : others).push(one)
  t.log(`${theirs.length} of ${people.length} on the one that is killed`)
  t.true(theirs.length > 10 && others.length > 30)
  const asked = (whom: typeof people) => Promise.all(whom.map(({ browser }) => browser.get('/me')))

  await dead.kill()
  for (const { status, headers } of await asked(theirs)) t.deepEqual([status, headers['retry-after']], [503, '2'])
  t.deepEqual(
    (await asked(others)).map(({ text }) => text),
    others.map(({ name }) => name),
  )
  const logins = await Promise.all(Array.from({ length: 60 }, () => app.browser().get('/login?user=new')))
  const failed = logins.filter(({ status }) => status !== 200)
  t.log(`${failed.length} of ${logins.length} new logins got 503 while it was down`)
  t.true(failed.every(({ status }) => status === 503))
  t.true(failed.length < logins.length * 0.75)

  await dead.restart()
  for (const { text } of await asked(theirs)) t.is(text, 'anonymous')
  t.deepEqual(
    (await asked(others)).map(({ text }) => text),
    others.map(({ name }) => name),
  )
  for (const { name, browser } of theirs) {
    await browser.get(`/login?user=${name}`)
    t.is((await browser.get('/me')).text, name)
  }
})

test('S4: memcached: one of three killed brings back nobody whose sessions were ended, wherever it was kept that they were.', async t => {
  const servers = await startServers(t, 3)
  const names = Array.from({ length: 60 }, (_, index) => `p${index}`)
  const people = directory('local', Object.fromEntries(names.map(name => [name, {}])))
  const app = await startUsersApp(t, { store: storeOn(t, servers), backends: [people] })
  const dead = servers.n1!
  const all = await Promise.all(
    names.map(async name => {
      const [laptop, phone] = [app.browser(), app.browser()]
      for (const browser of [laptop, phone]) await logIn(browser, name)
      // The phone is not there to hear of it.
      await laptop.get('/everywhere?keep')
      const ofEpoch = await keeps(dead, storeId(`epoch:local:${name}`))
      return { name, laptop, phone, ofEpoch, ofSession: await holds(dead, laptop) }
    }),
  )
  const affected = all.filter(({ ofEpoch, ofSession }) => ofEpoch || ofSession)
  t.log(`${affected.length} of ${all.length} had their session or their epoch on the one that is killed`)
  t.true(affected.some(({ ofSession }) => !ofSession) && affected.length < all.length)
  await dead.kill()
  for (const one of all) t.is((await one.laptop.get('/me')).status, affected.includes(one) ? 503 : 200, one.name)
  await dead.restart()
  for (const one of all) {
    t.is(await whoIs(one.phone), '', one.name)
    t.is(await whoIs(one.laptop), affected.includes(one) ? '' : `local:${one.name}`)
  }
})

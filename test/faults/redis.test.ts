import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { type RedisClient, redisStore } from '../../lib/sessions/stores/redis.ts'
import { type RedisOptions, startRedis } from '../servers/redis.ts'
import type { Server } from '../servers/server.ts'
import { CLIENTS } from '../sessions/stores/redis/setup.ts'
import { startFaultyProxy } from './faulty-proxy.ts'
import { DEADLINE, harmOf, statusesOf, testimonyOf, UNHARMED } from './testimony.ts'
import { Witness } from './witness.ts'

/** Without a disk, a master waits for further replicas before it brings one up to date. */
const DISKFUL = { config: { 'repl-diskless-sync': 'no' } }

type Client = keyof typeof CLIENTS

async function start(t: ExecutionContext, client: Client, options: RedisOptions = {}) {
  const server = await startRedis(t, options)
  return { server, ...(await witnessOf(t, client, server.url)) }
}

async function witnessOf(t: ExecutionContext, client: Client, url: string) {
  const store = redisStore(await CLIENTS[client](t, url))
  const admin = await CLIENTS.ioredis(t, url)
  const witness = await Witness.start(t, { store, deadline: DEADLINE })
  await witness.untilChanges(100)
  return { admin, witness }
}

// One after another: each fault is to show what it does, not what another one does beside it.
for (const client of Object.keys(CLIENTS) as Client[]) {
  test.serial(
    `T4: redis through ${client}: a killed Redis means 503 with Retry-After where there is a cookie and nothing elsewhere, and once it runs again all is well, with nothing acknowledged lost.`,
    async t => {
      const { server, witness } = await start(t, client, { config: { appendonly: 'yes', appendfsync: 'always' } })
      for (let time = 0; time < 2; time++) {
        const killed = performance.now()
        await server.kill()
        await witness.untilStatus(503, killed)
        await server.restart()
        const back = await witness.untilServed(performance.now())
        t.log(`back ${Math.round(back)} ms after Redis`)
        t.true(back < 2000, `back after ${back} ms`)
        await witness.untilChanges(100)
      }
      const testimony = await testimonyOf(t, witness)
      t.is(statusesOf(testimony), '200 503')
      t.deepEqual(harmOf(testimony), UNHARMED)
    },
  )

  test.serial(
    `T3: redis through ${client}: a frozen Redis is answered for inside the deadline, and once it goes on all is well.`,
    async t => {
      const { server, witness } = await start(t, client)
      for (let time = 0; time < 2; time++) {
        const frozen = performance.now()
        server.signal('SIGSTOP')
        await witness.untilStatus(503, frozen + DEADLINE)
        server.signal('SIGCONT')
        const back = await witness.untilServed(performance.now())
        t.log(`back ${Math.round(back)} ms after Redis`)
        t.true(back < 2000, `back after ${back} ms`)
        await witness.untilChanges(100)
      }
      const testimony = await testimonyOf(t, witness)
      t.is(statusesOf(testimony), '200 503')
      t.deepEqual(harmOf(testimony), UNHARMED)
    },
  )

  test.serial(
    `T4: redis through ${client}: connections that are reset cost at most the requests that were on their way.`,
    async t => {
      const server = await startRedis(t)
      const proxy = await startFaultyProxy(t, server.port)
      const { witness } = await witnessOf(t, client, `redis://127.0.0.1:${proxy.port}`)
      for (let time = 0; time < 5; time++) {
        proxy.reset()
        const back = await witness.untilServed(performance.now())
        t.true(back < 2000, `back after ${back} ms`)
        await witness.untilChanges(50)
      }
      const testimony = await testimonyOf(t, witness)
      t.regex(statusesOf(testimony), /^200( 503)?$/)
      t.deepEqual(harmOf(testimony), UNHARMED)
    },
  )

  test.serial(`T8: redis through ${client}: FLUSHALL makes everybody anonymous, without an error.`, async t => {
    const { admin, witness } = await start(t, client)
    await admin.flushall()
    // By requests that were on their way, perhaps.
    await witness.untilStatus(401, 0)
    await witness.untilServed()
    await witness.untilChanges(100)
    const testimony = await testimonyOf(t, witness)
    t.is(statusesOf(testimony), '200 401')
    t.true(testimony.loggedOut.length >= 15, `${testimony.loggedOut.length} noticed`)
    t.deepEqual({ ...harmOf(testimony), loggedOut: [] }, UNHARMED)
  })

  test.serial(`T8: redis through ${client}: SCRIPT FLUSH goes unnoticed.`, async t => {
    const { admin, witness } = await start(t, client)
    for (let time = 0; time < 20; time++) {
      await admin.script('FLUSH')
      await witness.untilChanges(20)
    }
    const testimony = await testimonyOf(t, witness)
    t.is(statusesOf(testimony), '200')
    t.deepEqual(harmOf(testimony), UNHARMED)
  })

  test.serial(
    `T8: redis through ${client}: a Redis that is full refuses writes, which is 503, while reads go on, and nobody is evicted.`,
    async t => {
      const { admin, witness } = await start(t, client, { config: { 'maxmemory-policy': 'noeviction' } })
      const reader = witness.app.browser()
      await reader.get('/login?user=reader')
      await refused(t, witness, reader, {
        begin: () => admin.config('SET', 'maxmemory', '1'),
        end: () => admin.config('SET', 'maxmemory', '0'),
      })
    },
  )

  test.serial(
    `T8: redis through ${client}: a Redis that has become a replica refuses writes, which is 503, while reads go on.`,
    async t => {
      const { admin, witness } = await start(t, client, DISKFUL)
      const heir = await startRedis(t, DISKFUL)
      const reader = witness.app.browser()
      await reader.get('/login?user=reader')
      await refused(t, witness, reader, {
        begin: () => changePlaces(t, admin, heir),
        end: () => admin.replicaof('NO', 'ONE'),
      })
    },
  )
}

test.serial(
  'T3: redis through ioredis: a server that vanishes and leaves its connections open is left, and found again.',
  async t => {
    const server = await startRedis(t)
    const proxy = await startFaultyProxy(t, server.port)
    const { witness } = await witnessOf(t, 'ioredis', `redis://127.0.0.1:${proxy.port}`)
    for (let time = 0; time < 2; time++) {
      const vanished = performance.now()
      proxy.silence()
      await witness.untilStatus(503, vanished)
      const back = await witness.untilServed(vanished)
      t.log(`back ${Math.round(back)} ms after it vanished`)
      t.true(back < 5000, `back after ${back} ms`)
      await witness.untilChanges(100)
    }
    t.deepEqual(harmOf(await testimonyOf(t, witness)), UNHARMED)
  },
)

/** Clients as their packages make them, which keep commands while they are not connected, and send again what was not answered. */
const UNTAUGHT: Record<Client, (t: ExecutionContext, url: string) => Promise<RedisClient>> = {
  async 'node-redis'(t, url) {
    const client = createClient({ url })
    client.on('error', () => {})
    t.teardown(() => client.destroy())
    return client.connect()
  },
  async ioredis(t, url) {
    const client = new Redis(url)
    client.on('error', () => {})
    t.teardown(() => client.disconnect())
    return client
  },
}

for (const client of Object.keys(UNTAUGHT) as Client[]) {
  test.serial(
    `T3: redis through ${client} with its default options: a killed Redis is answered for inside the deadline, and no change is made twice.`,
    async t => {
      const server = await startRedis(t, { config: { appendonly: 'yes', appendfsync: 'always' } })
      const proxy = await startFaultyProxy(t, server.port)
      const store = redisStore(await UNTAUGHT[client](t, `redis://127.0.0.1:${proxy.port}`))
      const witness = await Witness.start(t, { store, deadline: DEADLINE })
      for (let time = 0; time < 5; time++) {
        proxy.reset()
        await witness.untilServed()
        await witness.untilChanges(50)
      }
      const killed = performance.now()
      await server.kill()
      await witness.untilStatus(503, killed)
      await server.restart()
      t.log(`back ${Math.round(await witness.untilServed())} ms after Redis`)
      t.deepEqual(harmOf(await testimonyOf(t, witness)), UNHARMED)
    },
  )
}

type Admin = Awaited<ReturnType<typeof CLIENTS.ioredis>>

/** Another server takes the place of the admin's, which becomes its replica. Nothing that was written is missing there. */
async function changePlaces(t: ExecutionContext, admin: Admin, other: Server): Promise<void> {
  const { host, port } = admin.options
  const heir = await CLIENTS.ioredis(t, other.url)
  const info = async (of: Admin, name: string) =>
    new RegExp(`^${name}:(\\S+)`, 'm').exec(await of.info('replication'))?.[1]
  await heir.replicaof(host!, port!)
  while ((await info(heir, 'master_link_status')) !== 'up') await wait(10)
  await admin.client('PAUSE', 10_000, 'WRITE')
  const offset = Number(await info(admin, 'master_repl_offset'))
  while (Number(await info(heir, 'slave_repl_offset')) < offset) await wait(10)
  await heir.replicaof('NO', 'ONE')
  await admin.replicaof('127.0.0.1', other.port)
  await admin.client('UNPAUSE')
  while ((await info(admin, 'master_link_status')) !== 'up') await wait(10)
}

/** Writes are refused from one moment to another. */
async function refused(
  t: ExecutionContext,
  witness: Witness,
  reader: ReturnType<Witness['app']['browser']>,
  { begin, end }: { begin(): Promise<unknown>; end(): Promise<unknown> },
): Promise<void> {
  await begin()
  await witness.untilStatus(503)
  const { status, json } = await reader.get('/me')
  t.deepEqual([status, json.user], [200, 'reader'])
  t.is((await reader.get('/count')).status, 503)
  t.is((await reader.get('/logout')).status, 503)
  t.is((await witness.app.browser().get('/login?user=late')).status, 503)
  t.is((await reader.get('/me')).json.user, 'reader')
  await end()
  const back = await witness.untilServed(performance.now())
  t.log(`back ${Math.round(back)} ms after Redis`)
  t.true(back < 2000, `back after ${back} ms`)
  t.is((await reader.get('/count')).status, 200)
  const testimony = await testimonyOf(t, witness)
  t.is(statusesOf(testimony), '200 503')
  t.deepEqual(harmOf(testimony), UNHARMED)
}

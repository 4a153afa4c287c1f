import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { storeId } from '../../lib/sessions/id.ts'
import { redisStore } from '../../lib/sessions/stores/redis.ts'
import { type RedisCluster, startRedisCluster } from '../servers/redis-cluster.ts'
import type { Server } from '../servers/server.ts'
import type { Browser } from '../sessions/app.ts'
import { CLUSTER_CLIENTS } from '../sessions/stores/redis/setup.ts'
import { DEADLINE, harmOf, statusesOf, testimonyOf, UNHARMED } from './testimony.ts'
import { Witness } from './witness.ts'

/** How long a Cluster may take to put a replica in a master's place: its nodes wait 2 s before they call one dead. In milliseconds. */
const FAILOVER = 30_000

type Client = keyof typeof CLUSTER_CLIENTS

/** Somebody who is logged in and has counted to 3. */
interface Settled {
  browser: Browser
  /** The node that keeps the session. */
  node: Server
}

interface Site {
  cluster: RedisCluster
  witness: Witness
  settled: readonly Settled[]
  /** The master that is to go, and its replica. */
  master: Server
  replica: Server
  /** The settled ones whom that master keeps, and the others. */
  affected: readonly Settled[]
  others: readonly Settled[]
}

/** A six-node Cluster with people on it. */
async function start(t: ExecutionContext, client: Client, config: Record<string, string> = {}): Promise<Site> {
  const cluster = await startRedisCluster(t, { config: { 'cluster-require-full-coverage': 'no', ...config } })
  const store = redisStore(await CLUSTER_CLIENTS[client](t, cluster.urls))
  const witness = await Witness.start(t, { store, deadline: DEADLINE, people: 10 })
  const settled = await Promise.all(
    Array.from({ length: 12 }, (_, index) => settle(cluster, witness, `settled${index}`)),
  )
  const master = settled[0]!.node
  const replica = await replicaOf(cluster, master)
  await replicated(cluster, master, replica)
  const affected = settled.filter(({ node }) => node === master)
  const others = settled.filter(({ node }) => node !== master)
  return { cluster, witness, settled, master, replica, affected, others }
}

async function settle(cluster: RedisCluster, witness: Witness, name: string): Promise<Settled> {
  const browser = witness.app.browser()
  await browser.get(`/login?user=${name}`)
  for (let count = 0; count < 3; count++) await browser.get('/count')
  const [id = ''] = browser.cookies.get('sid')!.split('.')
  return { browser, node: await cluster.masterOf(`sess:${storeId(id)}`) }
}

async function infoOf(cluster: RedisCluster, node: Server): Promise<Map<string, string>> {
  const lines = (await cluster.ask(node, 'info', 'replication')).split(/\r?\n/)
  return new Map(lines.map(line => line.split(':', 2) as [string, string]))
}

async function replicaOf(cluster: RedisCluster, master: Server): Promise<Server> {
  for (const node of cluster.nodes) {
    if ((await infoOf(cluster, node)).get('master_port') === String(master.port)) return node
  }
  throw new Error('This master has no replica.')
}

/** Waits until the replica has what the master has now. */
async function replicated(cluster: RedisCluster, master: Server, replica: Server): Promise<void> {
  const offset = Number((await infoOf(cluster, master)).get('master_repl_offset'))
  while (Number((await infoOf(cluster, replica)).get('slave_repl_offset')) < offset) await wait(10)
}

/** Who the session says it is and how far they have counted, or the status of the answer. */
async function seen({ browser }: Settled): Promise<unknown> {
  const { status, json } = await browser.get('/me')
  return status === 200 ? [json.user, json.count] : status
}

/** Waits until everybody affected is served again. Answers how long after `since` that was, in milliseconds. */
async function untilBack({ affected }: Site, since: number): Promise<number> {
  for (;;) {
    const answers = await Promise.all(affected.map(({ browser }) => browser.get('/me')))
    const took = performance.now() - since
    if (answers.every(({ status }) => status === 200)) return took
    if (took > FAILOVER) throw new Error('No replica took the place of the master.')
    await wait(20)
  }
}

// One after another: each fault is to show what it does, not what another one does beside it.
for (const client of Object.keys(CLUSTER_CLIENTS) as Client[]) {
  test.serial(
    `T8: redis through ${client}: a master of a Redis Cluster that is killed under load is a matter of seconds, for the sessions that it keeps alone, and those that its replica has go on.`,
    async t => {
      const site = await start(t, client)
      const { witness, settled, master, others } = site
      const before = await Promise.all(settled.map(seen))
      t.true(site.affected.length > 0 && others.length > 0)

      const killed = performance.now()
      let down = true
      const counts = others.map(async ({ browser }) => {
        const statuses = new Set<number>()
        for (; down; await wait(10)) statuses.add((await browser.get('/count')).status)
        return statuses
      })
      await master.kill()
      await witness.untilStatus(503, killed)
      const back = await untilBack(site, killed)
      down = false
      t.log(`back ${Math.round(back)} ms after the kill`)
      for (const statuses of await Promise.all(counts)) t.deepEqual([...statuses], [200], 'another master was affected')

      for (const [index, one] of settled.entries()) {
        if (!others.includes(one)) t.deepEqual(await seen(one), before[index])
      }
      await witness.untilServed()
      await witness.untilChanges(100)
      const testimony = await testimonyOf(t, witness)
      t.regex(statusesOf(testimony), /^200( 401)? 503$/)
      t.deepEqual(testimony.uncalledFor, [])
    },
  )
}

/** Cuts the replica off, and answers what people are told of what they do then; then kills the master and lets the replica take its place. */
async function cutOffAndKill({ cluster, master, replica, affected }: Site): Promise<number[]> {
  replica.signal('SIGSTOP')
  await cluster.ask(master, 'client', 'kill', 'type', 'replica')
  const answers = await Promise.all(affected.map(({ browser }) => browser.get('/count')))
  await master.kill()
  replica.signal('SIGCONT')
  return answers.map(({ status }) => status)
}

test.serial(
  'T8: redis through ioredis: what a master of a Redis Cluster has acknowledged and no replica has yet is lost with it: sessions stand as they were before that.',
  async t => {
    const site = await start(t, 'ioredis')
    const before = await Promise.all(site.affected.map(seen))
    const statuses = await cutOffAndKill(site)
    t.deepEqual([...new Set(statuses)], [200])
    t.log(`back ${Math.round(await untilBack(site, performance.now()))} ms after the kill`)
    t.deepEqual(await Promise.all(site.affected.map(seen)), before)
    await site.witness.untilServed()
    await testimonyOf(t, site.witness)
  },
)

test.serial(
  'T8: redis through node-redis: with min-replicas-to-write a master that no replica follows acknowledges nothing that it could lose, nor does the one that takes its place until a replica is there.',
  async t => {
    const site = await start(t, 'node-redis', { 'min-replicas-to-write': '1', 'min-replicas-max-lag': '2' })
    const before = await Promise.all(site.affected.map(seen))
    const statuses = await cutOffAndKill(site)
    t.deepEqual([...new Set(statuses)], [503])
    t.log(`back ${Math.round(await untilBack(site, performance.now()))} ms after the kill`)
    t.deepEqual(await Promise.all(site.affected.map(seen)), before)
    t.is((await site.affected[0]!.browser.get('/count')).status, 503, 'the new master has no replica either')
    await site.master.restart()
    await site.witness.untilServed()
    await testimonyOf(t, site.witness)
  },
)

test.serial(
  'T3: redis through ioredis: a master of a Redis Cluster that freezes is answered for inside the deadline until its replica has its place, and loses nothing when it comes back.',
  async t => {
    const site = await start(t, 'ioredis')
    const { witness, settled, master, cluster } = site
    const before = await Promise.all(settled.map(seen))
    const frozen = performance.now()
    master.signal('SIGSTOP')
    await witness.untilStatus(503, frozen)
    t.log(`back ${Math.round(await untilBack(site, frozen))} ms after it froze`)
    t.deepEqual(await Promise.all(settled.map(seen)), before)
    master.signal('SIGCONT')
    while ((await infoOf(cluster, master)).get('role') !== 'slave') await wait(20)
    await witness.untilServed()
    await witness.untilChanges(100)
    t.deepEqual(await Promise.all(settled.map(seen)), before)
    const testimony = await testimonyOf(t, witness)
    t.is(statusesOf(testimony), '200 503')
    t.deepEqual(harmOf(testimony), UNHARMED)
  },
)

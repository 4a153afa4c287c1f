import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type RedisCluster, startRedisCluster } from '../../test/servers/redis-cluster.ts'
import type { Server } from '../../test/servers/server.ts'
import { PEOPLE } from './app.ts'
import { startProcesses } from './processes.ts'

/** How long a Cluster may take to put a replica in a master's place, in milliseconds. */
const FAILOVER = 30_000
/** How long an answer may take: the store's deadline of 500 ms for a call, and what a busy machine adds. */
const PATIENCE = 3000

interface Site {
  cluster: RedisCluster
  /** Where the processes of the app listen. */
  origins: readonly string[]
}

async function start(t: ExecutionContext): Promise<Site> {
  const cluster = await startRedisCluster(t, { config: { 'cluster-require-full-coverage': 'no' } })
  return { cluster, origins: await startProcesses(t, { count: 3, nodes: cluster.urls, key: 'k'.repeat(32) }) }
}

/** Somebody whose browser is sent to another process with each request. */
class Visitor {
  readonly #origins: readonly string[]
  #requests: number
  cookie = ''
  /** How long the longest answer took, in milliseconds. */
  slowest = 0

  constructor({ origins }: Site, first = 0) {
    this.#origins = origins
    this.#requests = first
  }

  static async loggedIn(site: Site, username: string, first = 0): Promise<Visitor> {
    const visitor = new Visitor(site, first)
    const { status } = await visitor.send('/login', { username, password: PEOPLE[username] ?? '' })
    if (status !== 303) throw new Error(`${username} could not log in: ${status}`)
    return visitor
  }

  /** What the page says of the visitor, or its status where there is none. */
  async look(): Promise<string> {
    const response = await this.send('/')
    if (response.status !== 200) return String(response.status)
    return /Logged in as \w+\. Looks since then: \d+/.exec(await response.text())?.[0] ?? 'anonymous'
  }

  /** Which process makes the page. */
  async maker(): Promise<string> {
    return /Made by ([^.]+)\./.exec(await (await this.send('/')).text())![1]!
  }

  async send(path: string, form?: Record<string, string>): Promise<Response> {
    const origin = this.#origins[this.#requests++ % this.#origins.length]!
    const begun = performance.now()
    const response = await fetch(origin + path, {
      redirect: 'manual',
      headers: { cookie: this.cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    this.slowest = Math.max(this.slowest, performance.now() - begun)
    const line = response.headers.getSetCookie().find(one => one.startsWith('sid='))
    if (line !== undefined) this.cookie = line.split(';', 1)[0]!
    return response
  }
}

/** The master that keeps most sessions, and how many. */
async function busiestMaster({ cluster }: Site): Promise<{ master: Server; kept: number }> {
  const nodes = await Promise.all(
    cluster.nodes.map(async master => {
      const isMaster = (await cluster.ask(master, 'role')).startsWith('master')
      const keys = (await cluster.ask(master, 'keys', 'counter:*')).match(/^counter:[0-9a-f]{64}$/gm)
      return { master, kept: isMaster ? (keys?.length ?? 0) : -1 }
    }),
  )
  return nodes.reduce((one, other) => (other.kept > one.kept ? other : one))
}

/** Waits until every replica has what its master has now. */
async function replicated({ cluster }: Site): Promise<void> {
  for (const node of cluster.nodes) {
    const said = async (of: Server, field: string) =>
      new RegExp(`^${field}:(\\S+)`, 'm').exec(await cluster.ask(of, 'info', 'replication'))?.[1]
    const port = await said(node, 'master_port')
    const master = cluster.nodes.find(one => String(one.port) === port)
    if (!master) continue
    const offset = Number(await said(master, 'master_repl_offset'))
    while (Number(await said(node, 'slave_repl_offset')) < offset) await wait(10)
  }
}

// One after another: each has a Cluster of its own.
test.serial(
  'People are logged in at every process, whichever they have logged in at, and a logout at one holds at all.',
  async t => {
    const site = await start(t)
    const ada = await Visitor.loggedIn(site, 'ada')
    t.deepEqual([await ada.maker(), await ada.maker(), await ada.maker()], ['process 2', 'process 3', 'process 1'])
    t.is(await ada.look(), 'Logged in as ada. Looks since then: 4')
    const { cookie } = ada
    await ada.send('/logout', {})
    for (const first of [0, 1, 2]) {
      const late = new Visitor(site, first)
      late.cookie = cookie
      t.is(await late.look(), 'anonymous')
    }
  },
)

test.serial('Looks at all processes at once are all counted.', async t => {
  const site = await start(t)
  const ada = await Visitor.loggedIn(site, 'ada')
  const answers = await Promise.all(Array.from({ length: 60 }, () => ada.look()))
  const counts = answers.map(answer => Number(/^Logged in as ada\. Looks since then: (\d+)$/.exec(answer)?.[1]))
  t.deepEqual(
    counts.sort((one, other) => one - other),
    answers.map((_, index) => index + 1),
  )
})

test.serial(
  'T8: a master of the Redis Cluster is killed while people are logged in, and all of them still are.',
  async t => {
    const site = await start(t)
    const names = Array.from({ length: 12 }, (_, index) => (index % 2 ? 'ada' : 'noor'))
    const people = await Promise.all(names.map((name, index) => Visitor.loggedIn(site, name, index)))
    for (const person of people) await person.look()
    await replicated(site)
    const { master, kept } = await busiestMaster(site)

    await master.kill()
    const killed = performance.now()
    const statuses = new Set<string>()
    let unserved = people
    while (unserved.length > 0) {
      const looks = await Promise.all(unserved.map(person => person.look()))
      for (const look of looks) statuses.add(look.replace(/^Logged in as \w+\..*/, 'logged in'))
      t.is(await new Visitor(site).look(), 'anonymous', 'the page without a session')
      unserved = unserved.filter((_, index) => looks[index] === '503')
      if (performance.now() - killed > FAILOVER) throw new Error('No replica took the place of the master.')
    }
    t.log(
      `of ${people.length} sessions ${kept} were there; all served ${Math.round(performance.now() - killed)} ms after`,
    )
    t.deepEqual([...statuses].sort(), ['503', 'logged in'])
    const slowest = Math.max(...people.map(person => person.slowest))
    t.log(`slowest answer: ${Math.round(slowest)} ms`)
    t.true(slowest < PATIENCE)

    for (const [index, person] of people.entries()) {
      // One before the kill, one after it, and this one; what was answered by an error may count.
      const [, name, looks] = /^Logged in as (\w+)\. Looks since then: (\d+)$/.exec(await person.look()) ?? []
      t.is(name, names[index])
      t.true(Number(looks) >= 3)
    }
  },
)

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { migrate } from '../../lib/database/migrations.ts'
import { storeId } from '../../lib/sessions/id.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { sqlUsers } from '../../lib/users/sql/users.ts'
import { createClub } from '../../recipes/cluster/app.ts'
import { openDatabase } from '../../recipes/cluster/database.ts'
import { type Site, startProxy, startSite } from '../../recipes/cluster/site.ts'
import { configOf, openKnex } from '../database/servers.ts'
import { inMarkdown, MadePart } from '../readme-table.ts'
import type { Server } from '../servers/server.ts'
import { Load, type Seen } from './cluster-load.ts'

/** How long the parts may take to agree again, in milliseconds. */
const PATIENCE = 60_000
/** How long people may be refused after something was killed, in milliseconds: some 4 s on an idle machine. */
const FAILOVER = 30_000

const PEOPLE = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => [`rower${index}`, `the password of rower ${index}`]),
)

/** Whoever this file's servers belong to ends them. */
const ends: (() => unknown)[] = []
let site: Site

test.before('The site of the recipe starts.', async () => {
  site = await startSite({ teardown: end => ends.unshift(end) }, { people: PEOPLE })
})
test.after.always('All of it ends.', async () => {
  for (const end of ends) await end()
})

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not in time.`)
    await wait(50)
  }
}

/** The node of Redis that keeps the session of a cookie. */
function keeperOf(cookie: string): Promise<Server> {
  const [, id = ''] = /(?:^|; )sid=([^.;]+)/.exec(cookie) ?? []
  return site.redis.masterOf(`sess:${storeId(id)}`)
}

/** Whether a node follows a master, and has what that has. */
async function follows(node: Server): Promise<boolean> {
  const said = await site.redis.ask(node, 'info', 'replication').catch(() => '')
  return /role:slave/.test(said) && /master_link_status:up/.test(said)
}

const PART = new MadePart(
  new URL('../../recipes/cluster/README.md', import.meta.url),
  'what people saw',
  'test/faults/cluster.test.ts',
)
const HEADS = [
  'what happened',
  'requests',
  'refused (503, 502)',
  'cut off',
  'people who noticed',
  'for how long, s',
  'slowest answer, s',
  'logged out',
  'changes lost',
  'wrong answers',
]
const FAULTS = [
  'nothing',
  'a process of the app is killed',
  'it is started again',
  'a master of Redis is killed',
  'it is started again, as a replica',
  'the database node in use is killed',
  'it is started again, and catches up',
  'a database node in reserve is killed',
] as const

function row({ what, requests, outcomes, people, changesLost, lasted, slowest }: Seen): string[] {
  const { refused, 'cut off': cutOff, 'logged out': loggedOut, 'login lost': loginLost, wrong } = outcomes
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1)
  const counts = [loggedOut + loginLost, changesLost, wrong].map(String)
  return [what, `${requests}`, `${refused}`, `${cutOff}`, `${people}`, seconds(lasted), seconds(slowest), ...counts]
}

test.serial(
  'T4: an app, a Redis master and the database node in use are killed in turn under load: people are refused for some seconds at most, nobody is logged out, and nobody is told what is not so.',
  async t => {
    const load = await Load.start(site.origin, PEOPLE)
    t.teardown(() => load.end())
    const { apps, redis, galera } = site
    const master = await keeperOf(load.cookie)
    const node = galera.nodes[0]!
    const acts = [
      () => wait(1000),
      () => apps[0]!.kill(),
      () => apps[0]!.restart(),
      () => master.kill(),
      async () => {
        await master.restart()
        await until('the killed master follows', () => follows(master))
      },
      () => node.kill(),
      async () => {
        await node.restart()
        await until('three nodes', async () => (await galera.status(node, 'wsrep_cluster_size')) === '3')
      },
      () => galera.nodes[2]!.kill(),
    ]
    const seen: Seen[] = []
    for (const [index, act] of acts.entries()) seen.push(await load.during(FAULTS[index]!, act))
    await load.end()

    const table = [HEADS, ...seen.map(row)]
    t.log(`\n${inMarkdown(table)}`)
    const [calm, app, appBack, , , ...database] = seen
    for (const { what, outcomes, wrong, withoutRetryAfter, lasted, requests } of seen) {
      t.true(requests > 0, what)
      t.deepEqual(wrong, [], what)
      t.is(outcomes['logged out'], 0, what)
      t.is(withoutRetryAfter, 0, what)
      t.true(lasted < FAILOVER, `${what}: ${lasted} ms`)
    }
    // Redis may lose what it has acknowledged and not yet copied, and nothing else does.
    for (const { what, changesLost, outcomes } of [calm!, app!, appBack!, ...database]) {
      t.deepEqual([changesLost, outcomes['login lost']], [0, 0], what)
    }
    t.is(calm!.people, 0)
    t.is(redis.nodes.length, 6)
    await checkTable(t, table)
  },
)

/** The recipe has the table of these heads and faults. Its figures are those of the run that wrote it. */
async function checkTable(t: ExecutionContext, table: readonly (readonly string[])[]): Promise<void> {
  if (process.env.STRATA_UPDATE === '1') await PART.write(inMarkdown(table))
  const cells = (line: string) => line.split('|').map(cell => cell.trim())
  const [heads = '', , ...rows] = (await PART.read()).split('\n')
  t.deepEqual(cells(heads).slice(1, -1), HEADS, 'STRATA_UPDATE=1 writes it')
  t.deepEqual(
    rows.map(line => cells(line)[1]),
    [...FAULTS],
  )
}

test.serial(
  'The control: with the sessions in the memory of each process, everybody whose process is killed is logged out.',
  async t => {
    const database = openDatabase(site.database)
    t.teardown(() => database.destroy())
    const apps = await Promise.all(['one', 'two'].map(name => startWithMemory(t, database, name)))
    // Everybody comes to one process, which knows them; the other one is there in case.
    const nginx = await startProxy(t, apps, undefined, text =>
      text.replace('upstream club {', 'upstream club {\n  ip_hash;'),
    )
    const people = Object.fromEntries(Object.entries(PEOPLE).slice(0, 5))
    const load = await Load.start(nginx.url, people)
    t.teardown(() => load.end())
    const page = await (await fetch(nginx.url, { headers: { cookie: load.cookie } })).text()
    const [, maker] = /Made by (\w+)\./.exec(page)!
    const { outcomes } = await load.during('the process is killed', async () => {
      apps.find(({ name }) => name === maker)!.stop()
    })
    t.is(outcomes['logged out'], 5)
  },
)

async function startWithMemory(t: ExecutionContext, database: Knex, name: string) {
  const app = createClub({
    store: memoryStore(),
    throttle: {},
    database,
    keys: ['k'.repeat(32)],
    name,
    proxies: ['127.0.0.1'],
  })
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  t.teardown(stop)
  return { name, stop, port: (server.address() as AddressInfo).port }
}

test.serial(
  'S4: a node that lags behind answers for a user when it has what was acknowledged elsewhere, and so the new password holds; without wsrep_sync_wait it tells the old.',
  async t => {
    const [here, there] = [openDatabase(site.galera.urls[0]!), openDatabase(site.galera.urls[1]!)]
    const careless = openKnex(t, configOf(site.galera.urls[1]!))
    t.teardown(() => Promise.all([here.destroy(), there.destroy()]))
    const users = sqlUsers(here)
    const { id, stamp } = (await users.find({ username: 'rower0' }))!
    t.is((await sqlUsers(there).load(id))!.stamp, stamp)

    const lock = await careless.client.acquireConnection()
    await careless.raw('flush tables with read lock').connection(lock)
    await users.setPassword(id, 'another password of rower 0')
    t.is((await sqlUsers(careless).load(id))!.stamp, stamp, 'the control')
    const careful = sqlUsers(there).load(id)
    await careless.raw('unlock tables').connection(lock)
    await careless.client.releaseConnection(lock)
    const now = (await users.load(id))!.stamp
    t.not(now, stamp)
    t.is((await careful)!.stamp, now)
  },
)

test.serial(
  'Changes of one user at two nodes at once are all kept: what the cluster calls off is tried again.',
  async t => {
    const databases = site.galera.urls.slice(0, 2).map(openDatabase)
    t.teardown(() => Promise.all(databases.map(database => database.destroy())))
    const { id } = (await sqlUsers(databases[0]!).find({ username: 'rower1' }))!
    const epoch = async () => Number((await databases[0]!('users').where({ id }).first('epoch')).epoch)
    const before = await epoch()
    await Promise.all(
      databases.map(async database => {
        for (let time = 0; time < 15; time++) await sqlUsers(database).endSessions(id)
      }),
    )
    t.is(await epoch(), before + 30)
  },
)

test.serial(
  'migrate(), called by several processes that ask one node, makes the tables of all nodes once.',
  async t => {
    const url = (index: number) => site.galera.urls[index]!.replace(/strata$/, 'another')
    await openKnex(t, configOf(site.galera.urls[0]!)).raw('create database another character set utf8mb4')
    const made = await Promise.all([1, 2, 3].map(() => migrate(openKnex(t, configOf(url(0))))))
    t.is(made.filter(names => names.length > 0).length, 1)
    const elsewhere = openDatabase(url(1))
    t.teardown(() => elsewhere.destroy())
    t.deepEqual(await migrate(elsewhere), [])
  },
)

async function logIn(origin: string, username: string): Promise<string> {
  const body = new URLSearchParams({ username, password: PEOPLE[username]! })
  const response = await fetch(`${origin}/login`, { method: 'POST', redirect: 'manual', body })
  return response.headers.getSetCookie()[0]!.split(';')[0]!
}

test.serial(
  'T4: a node of the database that is left without the majority means 503 for whoever shows a session, and nothing for others.',
  async t => {
    const cookie = await logIn(site.origin, 'rower2')
    const status = async (headers = {}) => (await fetch(site.origin, { headers })).status
    t.is(await status({ cookie }), 200)
    await site.galera.nodes[0]!.kill()
    const left = site.galera.nodes[1]!
    await until('no majority', async () => (await site.galera.status(left, 'wsrep_cluster_status')) === 'non-Primary')
    t.is(await status({ cookie }), 503)
    t.is(await status(), 200)
  },
)

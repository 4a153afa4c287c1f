import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { migrate } from '../../lib/database/migrations.ts'
import { type SqlStoreOptions, sqlStore } from '../../lib/sessions/stores/sql.ts'
import { newId } from '../../lib/testing/store-under-test.ts'
import { configOf, openKnex } from '../database/servers.ts'
import type { Server } from '../servers/server.ts'
import { startFaultyProxy } from './faulty-proxy.ts'
import { mountSmallDisk } from './small-disk.ts'
import type { SqlServer } from './sql-server.ts'
import { DEADLINE, harmOf, statusesOf, testimonyOf, UNHARMED } from './testimony.ts'
import { Witness } from './witness.ts'

/** What a busy machine may add, in milliseconds. */
const MARGIN = 1500
/** More than the calls that may hang at once. */
const PEOPLE = 80
/**
 * Calls that hang, two for everybody that were begun before it was known that they do (a login, and taking back one whose answer never came),
 * and one probe for each deadline, of a busy machine too.
 */
const MOST_QUEUED = 64 + 2 * PEOPLE + 20

/** How pools are set up: as `sqlStore()` recommends, and as knex does by itself. */
const POOLS: Record<string, (mariadb: boolean) => Knex.Config> = {
  'as recommended': mariadb => ({
    connection: (mariadb ? { connectTimeout: 2000 } : { connectionTimeoutMillis: 2000 }) as object,
    pool: { min: 0, max: 10, createTimeoutMillis: 2000 },
    acquireConnectionTimeout: 2000,
  }),
  'of knex alone': () => ({ pool: { min: 2, max: 10 } }),
}

interface Beginning {
  /** How the pool of the application is set up. */
  more?: Knex.Config
  url?: string
  people?: number
  store?: SqlStoreOptions
  /** Another disk for the table of sessions. */
  moveTo?: string
}

/** Faults of a real SQL server, and what the people who use an app with `sqlStore()` see of them. */
export function testFaults(name: 'mariadb' | 'postgresql', { start, ...kind }: SqlServer) {
  let server: Server

  test.before('A server of this file starts.', async () => {
    server = await start()
  })
  test.after.always('It is killed.', () => server?.kill())

  const open = (t: ExecutionContext, more: Knex.Config = {}, url = server.url) => openKnex(t, configOf(url, more))

  /** An app on an empty table of sessions, with people who use it. */
  async function begin(
    t: ExecutionContext,
    { more = {}, url = server.url, people = 20, store = {}, moveTo }: Beginning = {},
  ) {
    const admin = open(t, { pool: { max: 1 } })
    await migrate(admin)
    await admin('sessions').del()
    if (moveTo) await kind.moveSessions(admin, moveTo)
    const knex = open(t, more, url)
    const witness = await Witness.start(t, { store: sqlStore(knex, store), deadline: DEADLINE, people })
    await witness.untilChanges(100)
    return { admin, knex, witness }
  }

  async function backIn(t: ExecutionContext, witness: Witness): Promise<void> {
    const back = await witness.untilServed(performance.now())
    t.log(`back ${Math.round(back)} ms after the server`)
    t.true(back < 2000, `back after ${back} ms`)
    await witness.untilChanges(100)
  }

  for (const [pool, more] of Object.entries(POOLS)) {
    test.serial(
      `T4: ${name}, the pool ${pool}: a server that is killed means 503 with Retry-After where there is a cookie and nothing elsewhere, and once it runs again all is well, with nothing acknowledged lost.`,
      async t => {
        const { witness } = await begin(t, { more: more(name === 'mariadb') })
        for (let time = 0; time < 2; time++) {
          const killed = performance.now()
          await server.kill()
          await witness.untilStatus(503, killed)
          const down = await heaviest(witness)
          await server.restart()
          await backIn(t, witness)
          t.log(`while it was down a 503 took ${down} ms at most`)
        }
        const testimony = await testimonyOf(t, witness)
        t.is(statusesOf(testimony), '200 503')
        t.deepEqual(harmOf(testimony), UNHARMED)
      },
    )

    test.serial(
      `T3: ${name}, the pool ${pool}: a frozen server is answered for inside the deadline, no queue grows, and once it goes on all is well.`,
      async t => {
        const { witness, knex } = await begin(t, { more: more(name === 'mariadb'), people: PEOPLE })
        t.teardown(() => server.signal('SIGCONT'))
        for (let time = 0; time < 2; time++) {
          const frozen = performance.now()
          server.signal('SIGSTOP')
          await witness.untilStatus(503, frozen + DEADLINE)
          const queues: number[] = []
          for (let look = 0; look < 6; look++) {
            await wait(500)
            queues.push(knex.client.pool.numPendingAcquires())
          }
          t.log(`calls in the pool's queue, each half second: ${queues.join(', ')}`)
          t.true(Math.max(...queues) <= MOST_QUEUED, queues.join(', '))
          server.signal('SIGCONT')
          await backIn(t, witness)
        }
        const testimony = await testimonyOf(t, witness)
        t.is(statusesOf(testimony), '200 503')
        t.deepEqual(harmOf(testimony), UNHARMED)
      },
    )
  }

  test.serial(`T4: ${name}: connections that are reset cost at most the requests that were on their way.`, async t => {
    const proxy = await startFaultyProxy(t, server.port)
    const { witness } = await begin(t, { url: server.url.replace(`:${server.port}/`, `:${proxy.port}/`) })
    for (let time = 0; time < 5; time++) {
      proxy.reset()
      const back = await witness.untilServed(performance.now())
      t.true(back < 2000, `back after ${back} ms`)
      await witness.untilChanges(50)
    }
    const testimony = await testimonyOf(t, witness)
    t.regex(statusesOf(testimony), /^200( 503)?$/)
    t.deepEqual(harmOf(testimony), UNHARMED)
  })

  test.serial(
    `T4: ${name}: connections that are lost without a word, as behind a firewall or a failover, are given up, and all is well.`,
    async t => {
      const proxy = await startFaultyProxy(t, server.port)
      const url = server.url.replace(`:${server.port}/`, `:${proxy.port}/`)
      const { witness } = await begin(t, { url, store: { timeout: 1000 } })
      for (let time = 0; time < 2; time++) {
        const silenced = performance.now()
        proxy.silence()
        await witness.untilStatus(503, silenced)
        const back = await witness.untilServed(silenced)
        t.log(`back ${Math.round(back)} ms after connections fell silent that are given up after 1,000`)
        t.true(back < 1000 + DEADLINE + MARGIN, `back after ${back} ms`)
        await witness.untilChanges(100)
      }
      const testimony = await testimonyOf(t, witness)
      t.is(statusesOf(testimony), '200 503')
      t.deepEqual(harmOf(testimony), UNHARMED)
    },
  )

  test.serial(
    `T4: ${name}: connections that an administrator ends cost at most the requests that were on their way.`,
    async t => {
      const { witness, admin } = await begin(t)
      for (let time = 0; time < 5; time++) {
        await kind.cutConnections(admin)
        const back = await witness.untilServed(performance.now())
        t.true(back < 2000, `back after ${back} ms`)
        await witness.untilChanges(50)
      }
      const testimony = await testimonyOf(t, witness)
      t.regex(statusesOf(testimony), /^200( 503)?$/)
      t.deepEqual(harmOf(testimony), UNHARMED)
    },
  )

  test.serial(
    `T3: ${name}: a pool whose connections are all taken is 503 inside the deadline, and all is well when they are given back.`,
    async t => {
      const { witness, knex } = await begin(t, {
        more: { pool: { min: 0, max: 2 }, acquireConnectionTimeout: 2000 },
        people: PEOPLE,
      })
      for (let time = 0; time < 2; time++) {
        const held = await Promise.all([knex.client.acquireConnection(), knex.client.acquireConnection()])
        await witness.untilStatus(503, performance.now())
        await wait(1000)
        const queue: number = knex.client.pool.numPendingAcquires()
        t.log(`${queue} calls in the pool's queue`)
        t.true(queue <= MOST_QUEUED)
        for (const one of held) await knex.client.releaseConnection(one)
        await backIn(t, witness)
      }
      const testimony = await testimonyOf(t, witness)
      t.is(statusesOf(testimony), '200 503')
      t.deepEqual(harmOf(testimony), UNHARMED)
    },
  )

  test.serial(
    `T3: ${name}: a table that somebody else locks is 503 inside the deadline, no connections pile up at the server, and all is well afterwards.`,
    async t => {
      const { witness, admin } = await begin(t, { people: PEOPLE, store: { timeout: 200 } })
      const before = await kind.connections(admin)
      const locker = await open(t).transaction()
      t.teardown(() => locker.isCompleted() || kind.unlock(locker))
      await kind.lockSessions(locker)
      await witness.untilStatus(503, performance.now())
      const counts: number[] = []
      for (let look = 0; look < 8; look++) {
        await wait(500)
        counts.push(await kind.connections(admin))
      }
      t.log(`connections: ${before} before, then each half second ${counts.join(', ')}`)
      t.true(Math.max(...counts) <= before + 35, `${counts}`)
      await kind.unlock(locker)
      await backIn(t, witness)
      const testimony = await testimonyOf(t, witness)
      t.is(statusesOf(testimony), '200 503')
      t.deepEqual(harmOf(testimony), UNHARMED)
    },
  )

  test.serial(
    `T4: ${name}: a disk that is full refuses what is new, which is 503, and leaves what is there; with more room all is well.`,
    async t => {
      const small = mountSmallDisk(t, server.pid)
      const { witness, admin, knex } = await begin(t, { moveTo: small.directory })
      const reader = witness.app.browser()
      await reader.get('/login?user=reader')
      await reader.get('/count')
      const store = sqlStore(knex)
      // Then smaller, until the gap that is left is filled. Values of many pages crash MariaDB itself when they do not fit.
      for (const size of [5_000, 500]) {
        const full = async () => {
          for (;;)
            await store.create(newId(), {
              data: { fill: `the-data ${randomBytes(size).toString('base64')}` },
              user: null,
              expiresAt: Date.now() + 1e7,
            })
        }
        const error = await t.throwsAsync(full(), { code: kind.diskFull })
        t.notRegex(error.message, /the-data/)
      }
      await witness.untilStatus(503, performance.now())
      const { status, json } = await reader.get('/me')
      t.deepEqual([status, json], [200, { user: 'reader', count: 1 }])
      small.grow()
      await backIn(t, witness)
      t.is((await reader.get('/count')).text, '2')
      const testimony = await testimonyOf(t, witness)
      t.is(statusesOf(testimony), '200 503')
      t.deepEqual(harmOf(testimony), UNHARMED)
      await admin.schema.dropTable('sessions')
      await admin('strata_migrations').del()
    },
  )

  test.serial(`T4: ${name}: a database that is read-only refuses writes, which is 503, while reads go on.`, async t => {
    const asker = open(t, { pool: { max: 1 } })
    const { witness, admin } = await begin(t, { url: await kind.appUrl(asker, server.url) })
    const reader = witness.app.browser()
    await reader.get('/login?user=reader')
    await kind.setReadOnly(admin, true)
    await witness.untilStatus(503, performance.now())
    const { status, json } = await reader.get('/me')
    t.deepEqual([status, json.user], [200, 'reader'])
    t.is((await reader.get('/count')).status, 503)
    t.is((await reader.get('/logout')).status, 503)
    t.is((await witness.app.browser().get('/login?user=late')).status, 503)
    t.is((await reader.get('/me')).json.user, 'reader')
    await kind.setReadOnly(admin, false)
    await backIn(t, witness)
    t.is((await reader.get('/count')).status, 200)
    const testimony = await testimonyOf(t, witness)
    t.is(statusesOf(testimony), '200 503')
    t.deepEqual(harmOf(testimony), UNHARMED)
  })
}

/** The longest of some requests of somebody else, in milliseconds, each of which is 503. */
async function heaviest(witness: Witness): Promise<number> {
  const browser = witness.app.browser()
  let most = 0
  for (let time = 0; time < 20; time++) {
    const start = performance.now()
    await browser.get('/login?user=x')
    most = Math.max(most, performance.now() - start)
  }
  return Math.round(most)
}

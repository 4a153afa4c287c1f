import test, { type ExecutionContext } from 'ava'
import { memcachedStore } from '../../lib/sessions/stores/memcached.ts'
import { newId } from '../../lib/testing/store-under-test.ts'
import { startMemcached } from '../servers/memcached.ts'
import { firstWords } from '../servers/port.ts'
import { WIDE_DEADLINE } from '../sessions/app.ts'
import { HOUR, openMemcached, recordOf } from '../sessions/stores/memcached/setup.ts'
import { startFaultyProxy } from './faulty-proxy.ts'
import { type Testimony, Witness } from './witness.ts'

/** That of `sessions()` by default, in milliseconds. */
const DEADLINE = 500
/** How long an answer may take with it on a busy machine. */
const IN_TIME = 10_000
/** How soon a store has to be back after its server, in milliseconds (T4). */
const BACK_WITHIN = 2000

/** What no fault may do: answer late, by other errors than 503, disturb the public page, lose or revive what was acknowledged. */
function assertHonest(t: ExecutionContext, testimony: Testimony): void {
  const { statuses, publicStatuses, slowest, slowestPublic, acknowledged, loggedOut, ...broken } = testimony
  t.log({ statuses, publicStatuses, slowest, slowestPublic, acknowledged, loggedOut: loggedOut.length })
  t.deepEqual(Object.keys(publicStatuses), ['200'])
  for (const status of Object.keys(statuses)) t.true(['200', '401', '503'].includes(status), status)
  t.true(slowest < IN_TIME && slowestPublic < IN_TIME)
  t.deepEqual(broken, { withoutRetryAfter: 0, lostChanges: [], uncalledFor: [], revived: [] })
}

/** Waits until the witness has met the fault a few times. */
async function meet(witness: Witness): Promise<void> {
  for (let times = 0; times < 3; times++) await witness.untilStatus(503)
}

test('T4: memcached: killed, it is 503 in time; back, everybody is anonymous and can log in within 2 s.', async t => {
  const server = await startMemcached(t)
  const witness = await Witness.start(t, { store: memcachedStore(openMemcached(t, server.url)), deadline: DEADLINE })
  const guest = witness.app.browser()
  await guest.get('/login?user=guest')
  await witness.untilChanges(200)
  await server.kill()
  await meet(witness)
  t.is((await guest.get('/me')).status, 503)
  await server.restart()
  const back = await witness.untilServed()
  t.log(`back after ${Math.round(back)} ms`)
  t.true(back < BACK_WITHIN)
  t.deepEqual((await guest.get('/me')).json, { user: null, count: 0 })
  const testimony = await witness.testify()
  assertHonest(t, testimony)
  t.true(testimony.loggedOut.length > 0)
})

test('T3: memcached: frozen, it is 503 within the deadline; thawed, it is back within 2 s and nothing is lost.', async t => {
  const server = await startMemcached(t)
  const witness = await Witness.start(t, { store: memcachedStore(openMemcached(t, server.url)), deadline: DEADLINE })
  await witness.untilChanges(200)
  server.signal('SIGSTOP')
  await meet(witness)
  server.signal('SIGCONT')
  const back = await witness.untilServed()
  t.log(`back after ${Math.round(back)} ms`)
  t.true(back < BACK_WITHIN)
  const testimony = await witness.testify()
  assertHonest(t, testimony)
  t.deepEqual(testimony.loggedOut, [])
})

test('T4: memcached: connections that are reset under load lose nothing, and the next requests are served.', async t => {
  const server = await startMemcached(t)
  const proxy = await startFaultyProxy(t, server.port)
  const witness = await Witness.start(t, {
    store: memcachedStore(openMemcached(t, `memcached://127.0.0.1:${proxy.port}`)),
    deadline: DEADLINE,
  })
  let slowest = 0
  for (let resets = 0; resets < 20; resets++) {
    await witness.untilChanges(50)
    proxy.reset()
    slowest = Math.max(slowest, await witness.untilServed())
  }
  t.log(`back after at most ${Math.round(slowest)} ms`)
  t.true(slowest < BACK_WITHIN)
  const testimony = await witness.testify()
  assertHonest(t, testimony)
  t.deepEqual(testimony.loggedOut, [])
})

test('memcached: a flush of the sessions’ own instance makes everybody anonymous, once, without an error.', async t => {
  const server = await startMemcached(t)
  const witness = await Witness.start(t, {
    store: memcachedStore(openMemcached(t, server.url, WIDE_DEADLINE)),
    deadline: WIDE_DEADLINE,
  })
  await witness.untilChanges(200)
  t.is(await firstWords(server.port, 'flush_all\r\n'), 'OK\r\n')
  await witness.untilServed()
  await witness.untilChanges(200)
  const testimony = await witness.testify()
  assertHonest(t, testimony)
  t.is(testimony.statuses[503], undefined)
  t.is(new Set(testimony.loggedOut).size, testimony.loggedOut.length)
  t.true(testimony.loggedOut.length > 0)
})

test('memcached: a connection that ends in the middle of an answer rejects, and nobody gets the answer of another.', async t => {
  const server = await startMemcached(t)
  const proxy = await startFaultyProxy(t, server.port)
  const store = memcachedStore(openMemcached(t, `memcached://127.0.0.1:${proxy.port}`, WIDE_DEADLINE))
  const ids = Array.from({ length: 8 }, newId)
  for (const [mark, id] of ids.entries()) await store.create(id, recordOf({ mark }, HOUR))
  let rejected = 0
  for (let bytes = 1; bytes < 300; bytes += 3) {
    proxy.cutAfter(bytes)
    const answers = await Promise.allSettled(ids.map(id => store.read(id)))
    for (const [mark, answer] of answers.entries()) {
      if (answer.status === 'rejected') rejected++
      else t.is(answer.value?.data.mark, mark)
    }
  }
  t.log(`${rejected} reads rejected`)
  t.true(rejected > 50)
  for (const [mark, id] of ids.entries()) t.is((await store.read(id))?.data.mark, mark)
})

import test from 'ava'
import type { FailureCounters } from '../../../lib/users/throttle/counters.ts'
import { MemoryCounters } from '../../../lib/users/throttle/memory.ts'
import { SharedCounters } from '../../../lib/users/throttle/shared.ts'
import { migratedDatabase } from '../../database/servers.ts'
import { heard } from '../../heard.ts'
import { sharedServer } from '../../servers/shared.ts'
import { CLIENTS } from '../../sessions/stores/redis/setup.ts'
import { handedClock } from '../../sessions/stores/setups.ts'
import { inTurn, slowDirectory, startLimitedApp, statuses } from './app.ts'
import { limitOf, REDIS } from './counters.ts'

const LIMIT = limitOf(3, 3_600_000)
const DEADLINE = 50

function setup() {
  const { now } = handedClock()
  const calls: string[] = []
  let fault: 'none' | 'fails' | 'hangs' = 'none'
  const store = new MemoryCounters(now)
  const faulty = new Proxy(store, {
    get:
      (_, name: keyof FailureCounters) =>
      async (...given: never[]) => {
        calls.push(name)
        if (fault === 'fails') throw new Error('down')
        if (fault === 'hangs') return new Promise(() => {})
        return (store[name] as (...given: never[]) => unknown)(...given)
      },
  })
  const counters = new SharedCounters(faulty, new MemoryCounters(now), DEADLINE)
  const suffer = (next: typeof fault) => {
    fault = next
  }
  return { counters, store, calls, suffer }
}

for (const fault of ['fails', 'hangs'] as const) {
  test.serial(
    `L4: Where the store ${fault}, this process counts by itself, from what it has counted so far, and an event tells.`,
    async t => {
      const errors = heard(t, 'koa-strata:throttle-error')
      const { counters, store, calls, suffer } = setup()
      t.is(await counters.add('k', LIMIT), 0)
      suffer(fault)
      const answers = await inTurn(4, async () => (await counters.add('k', LIMIT)) === 0)
      t.deepEqual(answers, [true, true, false, false])
      t.is(errors.length, 1)
      t.is((errors[0] as { error: Error }).error.message, fault === 'fails' ? 'down' : 'no answer within 50 ms')
      // One call found out, and the others did not try.
      t.is(calls.length, 2)
      t.is(await store.add('k', LIMIT), 0)
    },
  )

  test.serial(`L4: While the store ${fault}, whom it knew is familiar still, and others are not.`, async t => {
    const { counters, store, suffer } = setup()
    await counters.mark('here', 1000)
    await store.mark('there', 1000)
    await store.mark('unasked', 1000)
    t.is(await counters.marked('there'), 1000)
    suffer(fault)
    t.is(await counters.marked('here'), 1000)
    t.is(await counters.marked('there'), 1000)
    t.is(await counters.marked('unasked'), 0)
  })
}

test.serial('L4: A store that answers again decides again, from the second that one call found it well.', async t => {
  const { counters, calls, suffer } = setup()
  suffer('hangs')
  await counters.add('k', LIMIT)
  suffer('none')
  t.is(calls.length, 1)
  const over = await until(async () => {
    await counters.marked('x')
    return calls.length > 1
  })
  t.true(over > 500, `${over} ms`)
  await counters.add('k', LIMIT)
  t.deepEqual(calls, ['add', 'marked', 'add'])
})

for (const [name, open] of Object.entries(REDIS)) {
  test(`L4: ${name}: No key holds a name or an address, and each goes by itself.`, async t => {
    const { redis, prefix } = await open(t)
    const { logIn } = await startLimitedApp(t, {
      backends: [slowDirectory({ alice: {} })],
      throttle: { redis, prefix, deadline: 30_000 },
    })
    await logIn('alice', 'wrong', '192.0.2.1')
    await logIn('alice', 'pw', '192.0.2.2')
    const urls = await sharedServer(name.includes('cluster') ? 'redis-cluster' : 'redis')
    const nodes = await Promise.all(urls.map(url => CLIENTS.ioredis(t, url)))
    const found = await Promise.all(
      nodes.map(async node => {
        const keys = await node.keys(`${prefix}*`)
        return Promise.all(keys.map(async key => [key.slice(prefix.length), await node.pttl(key)] as const))
      }),
    )
    const keys = found.flat().sort()
    t.deepEqual(
      keys.map(([key]) => key.split(':')[0]),
      ['account', 'client', 'familiar', 'network'],
    )
    for (const [key, lasts] of keys) {
      t.regex(key, /^[a-z]+:[\w-]{43}$/)
      t.true(lasts > 0 && lasts <= (key.startsWith('familiar') ? 30 * 86_400_000 : 90_000), `${key} ${lasts}`)
    }
  })
}

for (const name of ['sqlite', 'mariadb', 'postgresql'] as const) {
  test(`L4: ${name}: No row holds a name or an address, and what is forgotten is removed behind later logins.`, async t => {
    const { now, advance } = handedClock()
    const { knex } = await migratedDatabase(t, name)
    const { logIn } = await startLimitedApp(t, {
      backends: [slowDirectory({ alice: {} })],
      throttle: { sql: knex, deadline: 30_000, now },
    })
    await inTurn(40, index => logIn(`name ${index}`, 'wrong', `192.0.2.${index}`))
    t.is((await logIn('alice', 'pw', '192.0.2.255')).status, 200)
    const rows = await knex('login_attempts')
    t.is(rows.filter(row => Number(row.ends_at) > now()).length, 3 * 40 + 1)
    for (const { id, token } of rows) {
      t.regex(String(id), /^[a-z]+:[\w-]{43}$/)
      t.regex(String(token), /^([\w-]{12}|null)$/)
    }
    advance(91_000)
    await logIn('late', 'wrong', '192.0.2.1')
    await until(async () => (await knex('login_attempts')).length === 4)
    const kinds = (await knex('login_attempts').pluck('id')).map((id: string) => String(id).split(':')[0])
    t.deepEqual(kinds.sort(), ['account', 'client', 'familiar', 'network'])
  })

  test(`L4: ${name}: Without its table the process counts by itself, and says so without naming values.`, async t => {
    const errors = heard(t, 'koa-strata:throttle-error')
    const { knex } = await migratedDatabase(t, name)
    await knex.schema.dropTable('login_attempts')
    const { logIn } = await startLimitedApp(t, {
      backends: [slowDirectory({ alice: {} })],
      throttle: { sql: knex, deadline: 30_000 },
    })
    t.deepEqual(statuses(await inTurn(12, index => logIn('alice', `wrong ${index}`))), { 401: 10, 429: 2 })
    t.true(errors.length > 0)
    t.notRegex(errors.map(message => String((message as { error: Error }).error)).join(), /insert|client:|account:/)
  })
}

/** Asks again and again until it is so, and answers how many milliseconds that took. */
async function until(holds: () => Promise<boolean>): Promise<number> {
  const begun = performance.now()
  while (!(await holds())) await new Promise(setImmediate)
  return performance.now() - begun
}

import test, { type ExecutionContext } from 'ava'
import type { UserBackend } from 'koa-strata'
import { DATABASES, migratedDatabase } from '../database/servers.ts'
import { LONG, scaled } from '../scale.ts'
import { handedClock } from '../sessions/stores/setups.ts'
import { atOnce, inTurn, slowDirectory, statuses } from '../users/throttle/app.ts'
import { REDIS, type Shared } from '../users/throttle/counters.ts'
import { HOME, type PolledSite, startPolledSite } from './polled-site.ts'

const HOUR = 3_600_000
/** So that an attacker has the same limit from one network and from many. */
const LIMIT = 10
const LIMITS = {
  perClient: { failures: LIMIT, within: HOUR },
  perAccount: { failures: LIMIT, within: HOUR },
  perNetwork: { failures: 10_000, within: HOUR },
}

/** Where failures are counted. */
const PLACES: Record<string, (t: ExecutionContext) => Promise<Shared>> = {
  memory: async () => ({}),
  redis: REDIS['redis (node-redis)']!,
  ...Object.fromEntries(
    DATABASES.map(name => [name, async (t: ExecutionContext) => ({ sql: (await migratedDatabase(t, name)).knex })]),
  ),
}

/** Where guesses come from. */
const ATTACKERS: Record<string, (index: number) => string> = {
  'one network': () => '203.0.113.9',
  'many networks': index => `10.0.${index >> 8}.${index & 255}`,
}

/** A site whose owner's reader has polled from home, and gets on. */
async function attacked(t: ExecutionContext, shared: Shared = {}, backend: UserBackend = slowDirectory({ ada: {} })) {
  const throttle = { ...LIMITS, ...shared, deadline: 30_000, now: handedClock().now }
  const site = await startPolledSite(t, { backends: [backend], throttle })
  t.is((await site.poll('ada', 'pw')).status, 200)
  return site
}

/** So many different guesses, all of them wrong but for one at a place of chance that is behind `after`. */
function guesses(count: number, after: number): string[] {
  const all = Array.from({ length: count }, (_, index) => `wrong ${index}`)
  all[after + Math.floor(Math.random() * (count - after))] = 'pw'
  return all
}

// One after the other: each has as many connections as a process may have files.
for (const [place, open] of Object.entries(PLACES)) {
  for (const [attacker, address] of Object.entries(ATTACKERS)) {
    test.serial(
      `L4: ${place}: Of 1,000 guesses at once from ${attacker} in any order no more are answered than may fail, although the owner's reader has the right one known.`,
      async t => {
        const { poll, connect } = await attacked(t, await open(t))
        const all = guesses(scaled(1000), 3 * LIMIT)
        await connect(all.length)
        const answers = await atOnce(all.length, index => poll('ada', all[index]!, { from: address(index) }))
        t.deepEqual(statuses(answers), { 401: LIMIT, 429: all.length - LIMIT })
        for (const password of ['pw', 'wrong'])
          t.is((await poll('ada', password, { from: address(9_999) })).status, 429)
        t.is((await poll('ada', 'pw', { from: HOME })).status, 200)
      },
    )
  }
}

for (const [attacker, address] of Object.entries(ATTACKERS)) {
  test.serial(
    `L4: Whoever has used up their guesses from ${attacker}, one after the other, gets 429 for the right password as for any, while the owner's reader polls with it.`,
    async t => {
      t.timeout(LONG)
      const { poll } = await attacked(t)
      const answers = await inTurn(scaled(1000), async index => {
        t.is((await poll('ada', 'pw', { from: HOME })).status, 200)
        return poll('ada', index % 2 && index > LIMIT ? 'pw' : `wrong ${index}`, { from: address(index) })
      })
      t.deepEqual(statuses(answers), { 401: LIMIT, 429: answers.length - LIMIT })
    },
  )
}

for (const [attacker, address] of Object.entries(ATTACKERS)) {
  test.serial(
    `L4: What is refused from ${attacker} is refused by the same work, whether it is right and known or wrong: no time tells.`,
    async t => {
      const { knex } = await migratedDatabase(t, 'sqlite')
      const backend = slowDirectory({ ada: {} })
      const { poll } = await attacked(t, { sql: knex }, backend)
      await inTurn(LIMIT, index => poll('ada', `wrong ${index}`, { from: address(index) }))
      const [asked, loaded] = [backend.asked.length, backend.loaded.length]
      const statements: string[] = []
      knex.on('query', ({ sql }) => statements.push(sql))
      const work = async (password: string) => {
        t.is((await poll('ada', password, { from: address(999) })).status, 429)
        return statements.splice(0)
      }
      const wrong = await work('another')
      t.true(wrong.length > 0)
      t.deepEqual(await work('pw'), wrong)
      t.deepEqual([backend.asked.length, backend.loaded.length], [asked, loaded])
      t.is((await poll('ada', 'pw')).status, 200)
      t.notDeepEqual(statements, wrong)
    },
  )
}

/** A feed that remembers what was right and asks nobody about it, so that the tests above can fail. */
async function carelessSite(t: ExecutionContext): Promise<Pick<PolledSite, 'poll' | 'connect'>> {
  const known = new Map<string, string>()
  const { browser, connect } = await startPolledSite(t, {
    backends: [slowDirectory({ ada: {} })],
    throttle: LIMITS,
    handlers: {
      async '/careless'(ctx) {
        const [username, password] = [String(ctx.query.u), String(ctx.query.p)]
        const asked = `${username} ${password}`
        const name = known.get(asked) ?? (await ctx.authenticate({ username, password }))?.username
        if (name === undefined) return ctx.throw(401)
        known.set(asked, name)
        return name
      },
    },
  })
  const poll: PolledSite['poll'] = (username, password, { from = HOME } = {}) =>
    browser().get(`/careless?${new URLSearchParams({ u: username, p: password })}`, { 'x-forwarded-for': from })
  return { poll, connect }
}

test.serial(
  'L4: A cache that does not go by the limits tells the right password to whoever has used them up: the control of the others.',
  async t => {
    t.timeout(LONG)
    for (const address of Object.values(ATTACKERS)) {
      const { poll, connect } = await carelessSite(t)
      t.is((await poll('ada', 'pw')).status, 200)
      const all = guesses(scaled(1000), 3 * LIMIT)
      await connect(all.length)
      const answers = await atOnce(all.length, index => poll('ada', all[index]!, { from: address(index) }))
      t.is(statuses(answers)[200], 1)
      t.is((await poll('ada', 'pw', { from: address(0) })).status, 200)
    }
  },
)

test.serial(
  "L4: While others guess, the owner's reader polls on from a network that is familiar, and nothing is hashed for it.",
  async t => {
    t.timeout(LONG)
    const backend = slowDirectory({ ada: {} })
    const { poll, connect } = await attacked(t, {}, backend)
    const count = scaled(1000)
    await connect(count)
    const polls: number[] = []
    await Promise.all([
      atOnce(count, index => poll('ada', `wrong ${index}`, { from: ATTACKERS['many networks']!(index) })),
      inTurn(20, async () => polls.push((await poll('ada', 'pw')).status)),
    ])
    t.deepEqual(polls, Array(20).fill(200))
    t.is((await poll('ada', 'pw', { from: '198.51.100.1' })).status, 429)
    const own = backend.asked.filter(({ password }) => password === 'pw')
    t.is(own.length, 1)
  },
)

test.serial(
  'L4: A reader that goes on with a password that was right once locks nobody out: its owner gets in by form and Basic, there and elsewhere.',
  async t => {
    const backend = slowDirectory({ ada: {} })
    const { poll, browser } = await attacked(t, {}, backend)
    const account = backend.accounts.get('ada')!
    Object.assign(account, { password: 'new', stamp: '2' })
    const answers = await inTurn(300, () => poll('ada', 'pw'))
    t.is(statuses(answers)[200], undefined)
    for (const from of [HOME, '198.51.100.1']) {
      const query = new URLSearchParams({ u: 'ada', p: 'new' })
      t.is((await browser().get(`/login?${query}`, { 'x-forwarded-for': from })).status, 200)
      t.deepEqual(statuses(await inTurn(3, () => poll('ada', 'new', { from }))), { 200: 3 })
    }
  },
)

test.serial('L4: To poll with what is known takes no guess from anybody: limits are as they were.', async t => {
  t.timeout(LONG)
  const { poll, connect } = await attacked(t)
  const count = scaled(1000)
  await connect(count)
  const answers = await atOnce(count, index => poll('ada', 'pw', { from: index % 2 ? HOME : '198.51.100.1' }))
  t.deepEqual(statuses(answers), { 200: count })
  const wrong = await inTurn(LIMIT + 1, index => poll('ada', `wrong ${index}`))
  t.deepEqual(statuses(wrong), { 401: LIMIT, 429: 1 })
})

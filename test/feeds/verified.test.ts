import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import type { UserBackend } from 'koa-strata'
import type { SqlUsers } from 'koa-strata/sql'
import { LONG, scaled } from '../scale.ts'
import { countArgon2 } from '../users/argon2-calls.ts'

const verified: string[] = []
countArgon2(hash => verified.push(hash))
const { sqlUsers } = await import('koa-strata/sql')
const { hashPassword } = await import('../../lib/users/passwords.ts')
const { DATABASES, migratedDatabase } = await import('../database/servers.ts')
const { gate } = await import('../sessions/app.ts')
const { atOnce, inTurn, statuses } = await import('../users/throttle/app.ts')
const { OLD_HASH, PASSWORD } = await import('../users/sql/people.ts')
const { startPolledSite, watched } = await import('./polled-site.ts')

const NEW_PASSWORD = 'a horse of another colour'

/** How often somebody's own password hash has been verified, by whichever test: each hash is one user's. */
function hashings(hash: string): number {
  return verified.filter(one => one === hash).length
}

/** People of a database, and one reader who polls. */
async function reading(t: ExecutionContext, name: (typeof DATABASES)[number] = 'sqlite') {
  const { knex } = await migratedDatabase(t, name)
  const people = sqlUsers(knex)
  const { id } = await people.create({ username: 'ada', email: 'ada@example.org', password: PASSWORD })
  return { knex, people, id, hash: await hashOf(knex, id) }
}

async function hashOf(knex: Knex, id: string): Promise<string> {
  return (await knex('users').where({ id }).first()).password
}

for (const name of DATABASES) {
  test(`B4: ${name}: a repeated poll hashes no password and writes nothing to the user, by whichever name it goes.`, async t => {
    const { knex, people, id, hash } = await reading(t, name)
    let now = Date.UTC(2026, 10, 7)
    const backend = watched(sqlUsers(knex, { now: () => now }))
    const { poll } = await startPolledSite(t, { backends: [backend] })
    t.is((await poll('ada', PASSWORD)).text, 'ada')
    t.is(hashings(hash), 1)
    now += 60_000
    const writes: string[] = []
    knex.on('query', ({ sql }) => /^(select|begin|commit)/i.test(sql) || writes.push(sql))
    t.deepEqual(statuses(await inTurn(20, () => poll('ada', PASSWORD))), { 200: 20 })
    t.is(hashings(hash), 1)
    t.is((await people.load(id))!.lastLogin?.getTime(), now - 60_000)
    t.deepEqual(writes, [])
    t.deepEqual(statuses(await inTurn(5, () => poll('Ada@Example.org', PASSWORD))), { 200: 5 })
    t.is(hashings(hash), 2)
    t.is((await people.load(id))!.lastLogin?.getTime(), now)
    t.is(backend.asked.length, 2)
  })
}

// Those that have many connections come first, one after the other.
test.serial(
  'B4: 1,000 simultaneous first polls of one reader cost one password hash; with `cache: false` each costs one.',
  async t => {
    t.timeout(LONG)
    const { people, hash } = await reading(t)
    const count = scaled(1000)
    const { poll, connect } = await startPolledSite(t, {
      backends: [people],
      // Without limits, which would have the many hashes wait for longer than anybody is patient.
      throttle: false,
      feeds: { '/feed': {}, '/uncached': { cache: false } },
    })
    await connect(count)
    t.deepEqual(statuses(await atOnce(count, () => poll('ada', PASSWORD))), { 200: count })
    t.is(hashings(hash), 1)
    // No more than can be hashed in the time that anybody waits.
    const some = scaled(500)
    t.deepEqual(statuses(await atOnce(some, () => poll('ada', PASSWORD, { path: '/uncached' }))), { 200: some })
    t.is(hashings(hash), 1 + some)
  },
)

test.serial('B4: 1,000 simultaneous first polls are all answered within the limits on failed logins.', async t => {
  t.timeout(LONG)
  const { people, hash } = await reading(t)
  const count = scaled(1000)
  const once = { failures: 1, within: 60_000 }
  const { poll, connect } = await startPolledSite(t, {
    backends: [people],
    throttle: { perClient: once, perAccount: once, perNetwork: once },
  })
  await connect(count)
  t.deepEqual(statuses(await atOnce(count, () => poll('ada', PASSWORD))), { 200: count })
  t.is(hashings(hash), 1)
})

test.serial('B4: the polls of ten readers at once never mix: each is answered by its own user.', async t => {
  t.timeout(LONG)
  const { people } = await reading(t)
  const names = Array.from({ length: 10 }, (_, index) => `reader ${index}`)
  // Those of a pair have the other one's password within their own.
  const passwordOf = (index: number) => PASSWORD + 'x'.repeat(index % 5) + (index < 5 ? '' : ' of the other five')
  for (const [index, username] of names.entries()) await people.create({ username, password: passwordOf(index) })
  const { poll, connect } = await startPolledSite(t, { backends: [people] })
  const count = scaled(1000)
  await connect(count)
  for (let round = 0; round < 2; round++) {
    const answers = await atOnce(count, index => poll(names[index % 10]!, passwordOf(index % 10)))
    t.deepEqual(
      answers.map(({ text }) => text),
      answers.map((_, index) => names[index % 10]!),
    )
  }
  const crossed = await atOnce(10, index =>
    poll(names[index]!, passwordOf((index + 1) % 10), { from: `10.0.0.${index}` }),
  )
  t.deepEqual(statuses(crossed), { 401: 10 })
})

test('B4: what was right is known to all feeds of one users(), and to no other users().', async t => {
  const { people, hash } = await reading(t)
  const feeds = { '/feed': {}, '/other': { realm: 'Others' } }
  const sites = [
    await startPolledSite(t, { backends: [people], feeds }),
    await startPolledSite(t, { backends: [people], feeds }),
  ]
  for (const [index, { poll }] of sites.entries()) {
    for (const path of ['/feed', '/other', '/feed']) t.is((await poll('ada', PASSWORD, { path })).status, 200)
    t.is(hashings(hash), index + 1)
  }
})

/** What happens to somebody, and what the next poll with the password of before is answered with. */
const CHANGES: Record<string, { happens: (people: SqlUsers, id: string, knex: Knex) => unknown; answer: number }> = {
  'a new password': { happens: (people, id) => people.setPassword(id, NEW_PASSWORD), answer: 401 },
  'no password any more': { happens: (people, id) => people.setPassword(id, null), answer: 401 },
  'a new password, set by other hands': {
    happens: async (_, id, knex) =>
      knex('users')
        .where({ id })
        .update({ password: await hashPassword(NEW_PASSWORD) }),
    answer: 401,
  },
  deactivation: { happens: (people, id) => people.deactivate(id), answer: 401 },
  'deactivation by other hands': {
    happens: (_, id, knex) => knex('users').where({ id }).update({ is_active: false }),
    answer: 401,
  },
  deletion: { happens: (people, id) => people.delete(id), answer: 401 },
  'another name': {
    happens: (_, id, knex) =>
      knex('users')
        .where({ id })
        .update({ username: `was ${id}`, username_canonical: `was ${id}` }),
    answer: 401,
  },
  // Looked at anew, and right.
  'the end of all sessions': { happens: (people, id) => people.endSessions(id), answer: 200 },
  'the same password, set anew': { happens: (people, id) => people.setPassword(id, PASSWORD), answer: 200 },
}

for (const name of DATABASES) {
  test(`B4: ${name}: a change of the user holds at the very next poll, and what is right still costs one hash.`, async t => {
    const { knex, people } = await reading(t, name)
    const { poll } = await startPolledSite(t, { backends: [people] })
    for (const [index, [what, { happens, answer }]] of Object.entries(CHANGES).entries()) {
      const username = `reader ${index}`
      const { id } = await people.create({ username, password: PASSWORD })
      const from = `10.0.0.${index}`
      t.deepEqual(statuses(await inTurn(3, () => poll(username, PASSWORD, { from }))), { 200: 3 }, what)
      await happens(people, id, knex)
      const hash = (await knex('users').where({ id }).first())?.password ?? 'gone'
      const before = hashings(hash)
      t.deepEqual(statuses(await inTurn(3, () => poll(username, PASSWORD, { from }))), { [answer]: 3 }, what)
      if (answer === 200) t.is(hashings(hash), before + 1, what)
    }
  })
}

test('B4: who polled by an e-mail address that is theirs no more is refused at the next poll, and polls on by name.', async t => {
  const { people, id } = await reading(t)
  const { poll } = await startPolledSite(t, { backends: [people] })
  for (const name of ['ada', 'ada@example.org']) t.is((await poll(name, PASSWORD)).status, 200)
  await people.setEmail(id, 'new@example.org')
  t.is((await poll('ada@example.org', PASSWORD)).status, 401)
  for (const name of ['ada', 'new@example.org']) t.is((await poll(name, PASSWORD)).status, 200)
  const other = await people.create({ username: 'heir', email: 'ada@example.org', password: PASSWORD })
  t.is((await poll('ada@example.org', PASSWORD)).text, other.username)
})

test('B4: logoutEverywhere() leaves the password right: it is looked at anew, once.', async t => {
  const { people, hash } = await reading(t)
  const { poll, browser } = await startPolledSite(t, { backends: [people] })
  t.is((await poll('ada', PASSWORD)).status, 200)
  const form = browser()
  await form.get(`/login?${new URLSearchParams({ u: 'ada', p: PASSWORD })}`)
  t.is(hashings(hash), 2)
  await form.get('/everywhere')
  t.deepEqual(statuses(await inTurn(3, () => poll('ada', PASSWORD))), { 200: 3 })
  t.is(hashings(hash), 3)
})

test('B4: a foreign hash that the first poll renews does not cost a second look.', async t => {
  const { knex, people, id } = await reading(t)
  await knex('users').where({ id }).update({ password: OLD_HASH })
  const backend = watched(people)
  const { poll } = await startPolledSite(t, { backends: [backend] })
  t.deepEqual(statuses(await inTurn(4, () => poll('ada', PASSWORD))), { 200: 4 })
  const renewed = await hashOf(knex, id)
  t.regex(renewed, /^\$argon2id\$/)
  t.deepEqual([backend.asked.length, hashings(renewed)], [1, 0])
})

/** A backend whose looks end when the gate is opened. */
function slow(backend: UserBackend) {
  const { reached, pass, open } = gate()
  const held: UserBackend = {
    ...backend,
    async authenticate(credentials, ctx) {
      const user = await backend.authenticate!(credentials, ctx)
      await pass()
      return user
    },
  }
  return { held, reached, open }
}

test('B4: a poll that comes after a change is not answered by a look that began before it.', async t => {
  const { people, id } = await reading(t)
  const { held, reached, open } = slow(people)
  const { poll } = await startPolledSite(t, { backends: [held] })
  const first = poll('ada', PASSWORD)
  await reached
  await people.setPassword(id, NEW_PASSWORD)
  const others = atOnce(10, () => poll('ada', PASSWORD))
  // They have come when one that came behind them is answered.
  t.is((await poll('', '')).status, 401)
  open()
  // It was right when it was looked at.
  t.is((await first).status, 200)
  t.deepEqual(statuses(await others), { 401: 10 })
  t.is((await poll('ada', PASSWORD)).status, 401)
})

test('B4: a password that is set while it is looked at in vain is right for the polls that come after.', async t => {
  const { people, id } = await reading(t)
  const { held, reached, open } = slow(people)
  const { poll } = await startPolledSite(t, { backends: [held] })
  const first = poll('ada', NEW_PASSWORD)
  await reached
  await people.setPassword(id, NEW_PASSWORD)
  const others = atOnce(10, () => poll('ada', NEW_PASSWORD))
  t.is((await poll('', '')).status, 401)
  open()
  t.is((await first).status, 401)
  t.deepEqual(statuses(await others), { 200: 10 })
})

test('B4: what is right passes for no longer than 12 hours where stamps follow the password, whatever `cache` is, and polls in between do not prolong it.', async t => {
  const { people } = await reading(t)
  const backend = watched(people)
  let now = Date.UTC(2026, 10, 7)
  const feeds = { '/feed': { cache: 1, now: () => now } }
  const { poll } = await startPolledSite(t, { backends: [backend], feeds })
  for (let hour = 0; hour < 12; hour++) {
    t.is((await poll('ada', PASSWORD)).status, 200)
    now += 3_600_000
  }
  now -= 1
  await poll('ada', PASSWORD)
  t.is(backend.asked.length, 1)
  now += 1
  t.deepEqual(statuses(await inTurn(3, () => poll('ada', PASSWORD))), { 200: 3 })
  t.is(backend.asked.length, 2)
})

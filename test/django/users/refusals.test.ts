import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import test, { type ExecutionContext } from 'ava'
import { countArgon2 } from '../../users/argon2-calls.ts'

/** What was hashed since somebody looked: how many iterations of PBKDF2 by which digest, or the hash that argon2 was handed. */
const work: (string | { digest: string; iterations: number; salt: string })[] = []
countArgon2(hash => work.push(hash))
const { pbkdf2 } = crypto
crypto.pbkdf2 = ((password, salt, iterations, length, digest, done) => {
  work.push({ digest, iterations, salt: String(salt) })
  return pbkdf2(password, salt, iterations, length, digest, done)
}) as typeof pbkdf2
syncBuiltinESMExports()

// The library takes hold of the functions when it is first imported.
const { addUser, djangoTables, PASSWORD, pbkdf2Hash } = await import('./tables.ts')

/** How many iterations the site's newest users have. */
const USUAL = 3_000
const ROWS: Record<string, { row: Record<string, unknown>; password?: string }> = {
  'nobody of that name': { row: { username: 'somebody else' } },
  'a wrong password': { row: { password: pbkdf2Hash(PASSWORD, USUAL) }, password: 'wrong' },
  'a wrong password of before Django raised the iterations': {
    row: { password: pbkdf2Hash(PASSWORD, 1_000) },
    password: 'wrong',
  },
  'an inactive user': { row: { is_active: false, password: pbkdf2Hash(PASSWORD, USUAL) } },
  'an inactive user of before Django raised the iterations': { row: { is_active: false } },
  'an unusable password': { row: { password: '!kPfLZ2TtYf0bTJ2yZmYVZXmBKYxNvAyZLCV4bKyS' } },
  'no password': { row: { password: '' } },
  'a hash of MD5': { row: { password: `md5$salt$${'a'.repeat(32)}` } },
  'a hash that Django would not know': {
    row: { password: `$argon2id$v=19$m=64,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}` },
  },
  'a hash cut off': { row: { password: pbkdf2Hash(PASSWORD).slice(0, 40) } },
}

/** What is hashed while this runs. */
async function workOf(call: () => Promise<unknown>): Promise<typeof work> {
  work.length = 0
  await call()
  return work.splice(0)
}

/** The iterations that a login costs by SHA-256. Fails where anything else is hashed. */
async function iterationsOf(t: ExecutionContext, call: () => Promise<unknown>): Promise<number> {
  let sum = 0
  for (const one of await workOf(call)) {
    if (typeof one === 'string' || one.digest !== 'sha256') return t.fail(`hashed ${JSON.stringify(one)}`) as never
    sum += one.iterations
  }
  return sum
}

// One after the other: what is hashed is counted.
for (const [what, { row, password = PASSWORD }] of Object.entries(ROWS)) {
  test.serial(
    `L1: ${what} costs what a wrong password of this site's newest users costs, in hashing and in statements.`,
    async t => {
      const { knex, people, queries } = await djangoTables(t, 'sqlite')
      await addUser(knex, row)
      await addUser(knex, { username: 'newest', password: pbkdf2Hash('of the newest user', USUAL) })
      for (const login of [
        { username: 'ada', password },
        { username: 'newest', password: 'wrong' },
      ]) {
        queries.length = 0
        t.is(await iterationsOf(t, async () => t.is(await people.authenticate(login), null)), USUAL)
        t.is(queries.length, login.username === 'ada' ? 2 : 1)
      }
    },
  )
}

test.serial(
  'L1: without a hash of the site’s own one of another kind is verified, so that the tests above can fail.',
  async t => {
    const { verifyPassword } = await import('../../../lib/users/passwords.ts')
    const naive = await workOf(() => verifyPassword(PASSWORD, '!'))
    t.deepEqual(
      naive.map(one => typeof one),
      ['string'],
    )
    const { knex, people } = await djangoTables(t, 'sqlite')
    await addUser(knex, { password: '!' })
    t.deepEqual(await workOf(() => people.authenticate({ username: 'ada', password: PASSWORD })), naive)
  },
)

test.serial('L1: a right password costs its own hash and no more, whose ever password the newest hash is.', async t => {
  const { knex, people } = await djangoTables(t, 'sqlite')
  const own = pbkdf2Hash(PASSWORD, 1_000)
  await addUser(knex, { password: own })
  await addUser(knex, { username: 'newest', password: pbkdf2Hash('of the newest user', USUAL) })
  const done = await workOf(async () => t.truthy(await people.authenticate({ username: 'ada', password: PASSWORD })))
  t.deepEqual(done, [{ digest: 'sha256', iterations: 1_000, salt: own.split('$')[2]! }])
  // The password of the newest user opens no other account.
  for (const username of ['ada', 'nobody'])
    t.is(await people.authenticate({ username, password: 'of the newest user' }), null)
})

test.serial('L1: a password that nobody can have is refused without hashing, whoever is meant.', async t => {
  const { knex, people } = await djangoTables(t, 'sqlite')
  await addUser(knex)
  for (const username of ['ada', 'nobody'])
    for (const password of ['', 'x'.repeat(4097), '\ud800'])
      t.deepEqual(await workOf(() => people.authenticate({ username, password })), [])
})

test.serial(
  'L1: the newest hash is asked for once in five minutes, also by many at once, and again where there was none.',
  async t => {
    let now = 0
    const { knex, people, queries } = await djangoTables(t, 'sqlite', { now: () => now })
    const asked = () => queries.filter(sql => /like \?/.test(sql)).length
    const knock = () => people.authenticate({ username: 'nobody', password: PASSWORD })
    await knock()
    await knock()
    t.is(asked(), 2)
    await addUser(knex, { password: pbkdf2Hash(PASSWORD, 10) })
    t.is(await iterationsOf(t, () => Promise.all([knock(), knock(), knock()])), 30)
    t.is(asked(), 3)
    await addUser(knex, { username: 'newest', password: pbkdf2Hash(PASSWORD, 20) })
    now = 5 * 60_000 - 1
    t.is(await iterationsOf(t, knock), 10)
    now++
    t.is(await iterationsOf(t, () => Promise.all([knock(), knock()])), 40)
    t.is(asked(), 4)
  },
)

test.serial('L1: a failure to ask for the newest hash fails the login, and is forgotten.', async t => {
  const { knex, people } = await djangoTables(t, 'sqlite')
  await addUser(knex)
  await knex.schema.renameTable('auth_user', 'away')
  await t.throwsAsync(people.authenticate({ username: 'ada', password: PASSWORD }), {
    message: /no such table: auth_user/,
  })
  await knex.schema.renameTable('away', 'auth_user')
  t.truthy(await people.authenticate({ username: 'ada', password: PASSWORD }))
})

test.serial(
  'L1: the newest hash is that of the newest user who has one: by the id, or where ids are no numbers, by the day they joined.',
  async t => {
    const options = { columns: { id: 'username' }, idType: 'text' } as const
    for (const [given, iterations] of [
      [{}, 20],
      [options, 30],
      [{ ...options, columns: { id: 'username', dateJoined: null } }, 10],
    ] as const) {
      const { knex, people } = await djangoTables(t, 'sqlite', given)
      const row = (username: string, rounds: number, day: string) => ({
        username,
        password: pbkdf2Hash(PASSWORD, rounds),
        date_joined: `2026-01-${day} 00:00:00`,
      })
      for (const one of [row('zoe', 10, '01'), row('bob', 30, '03'), row('ada', 20, '02')]) await addUser(knex, one)
      for (const password of ['!', '', `md5$salt$${'a'.repeat(32)}`])
        await addUser(knex, { username: `zz ${password}`, password, date_joined: '2026-01-04 00:00:00' })
      t.is(await iterationsOf(t, () => people.authenticate({ username: 'nobody', password: PASSWORD })), iterations)
    }
  },
)

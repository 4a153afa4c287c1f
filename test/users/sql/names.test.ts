import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import knexFactory, { type Knex } from 'knex'
import { UserExists, UserInvalid } from 'koa-strata'
import { migrate, type SqlUsers, sqlUsers } from 'koa-strata/sql'
import { takenField } from '../../../lib/users/sql/taken.ts'
import { scaled } from '../../scale.ts'
import { database, PASSWORD, right, spelt, testEach } from './people.ts'

for (const lookalike of [
  'ádmin',
  'admın',
  'ADMİN',
  'admin ',
  'admin  ',
  ' admin',
  'ad\u200bmin',
  'аdmin',
  'admin\0',
  'admin\u00a0',
]) {
  testEach(`L3: '${spelt(lookalike)}' does not log in as admin`, async (t, name) => {
    const { people } = await database(t, name)
    await people.create(right)
    t.is(await people.authenticate({ ...right, username: lookalike }), null)
  })
}

for (const same of ['ADMIN', 'Admin', 'ａdmin', 'ＡＤＭＩＮ', '𝐚dmin']) {
  testEach(`L3: ${same} is the name admin: it logs in as admin, and nobody else can take it`, async (t, name) => {
    const { people } = await database(t, name)
    const { key } = await people.create(right)
    t.is((await people.authenticate({ ...right, username: same }))?.key, key)
    await t.throwsAsync(people.create({ username: same }), { instanceOf: UserExists })
  })
}

/** A database whose collation thinks all names equal: whoever is asked for, it answers this row. */
async function sloppyDatabase(t: ExecutionContext): Promise<{ knex: Knex; people: SqlUsers; key: string }> {
  const answers: object[][] = []
  let isSloppy = false
  const knex = knexFactory({
    client: 'better-sqlite3',
    connection: { filename: ':memory:' },
    useNullAsDefault: true,
    postProcessResponse: result => {
      if (!Array.isArray(result)) return result
      if (!isSloppy) answers.push(result)
      return isSloppy ? answers[0] : result
    },
  })
  t.teardown(() => knex.destroy())
  await migrate(knex)
  const people = sqlUsers(knex)
  const { key } = await people.create({ ...right, email: 'admin@example.org' })
  answers.length = 0
  await people.find({ username: 'admin' })
  isSloppy = true
  return { knex, people, key }
}

/** Spellings of one letter each: those of the same canonical form, and lookalikes. */
const SAME: Record<string, string[]> = {
  a: ['a', 'A', 'ａ', 'Ａ', '𝐚', 'ª', 'ᵃ', 'ⓐ'],
  d: ['d', 'D', 'ｄ', '𝒹', 'ⅅ', 'ⅾ'],
  m: ['m', 'M', 'ｍ', 'Ⅿ', 'ⓜ'],
  i: ['i', 'I', 'ｉ', 'ⅰ', 'Ⅰ', 'ℹ', 'ⁱ'],
  n: ['n', 'N', 'ｎ', 'ℕ', 'ⁿ'],
}
const OTHER: Record<string, string[]> = {
  a: ['á', 'ä', 'а', 'α', 'ɑ', 'a\u0301', 'a\u200b', '@', '', 'aa'],
  d: ['ď', 'ԁ', 'đ', 'd\u00ad', 'cl', '', '\u200dd'],
  m: ['м', 'ṃ', 'rn', 'm\u0323', 'm ', '', '\ufeffm'],
  i: ['ı', 'İ', 'í', 'і', 'l', '1', 'i\u0307', 'ɩ', ''],
  n: ['ñ', 'ո', 'n\u0303', 'n ', 'n\u00a0', 'n\u3000', 'n\t', 'n\0', 'n\ufe0f', ''],
}
const spelling = fc.tuple(
  ...[...'admin'].map(letter =>
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...SAME[letter]!).map(text => ({ text, same: true })) },
      { weight: 1, arbitrary: fc.constantFrom(...OTHER[letter]!).map(text => ({ text, same: false })) },
    ),
  ),
)

test('L3: no generated lookalike logs in as admin, even where the database thinks them equal', async t => {
  const { knex, people, key } = await sloppyDatabase(t)
  t.is((await knex('users').where({ username_canonical: 'somebody else' }))[0].username, 'admin', 'is it sloppy?')
  const seen = { same: 0, other: 0 }
  await fc.assert(
    fc.asyncProperty(spelling, async letters => {
      const username = letters.map(({ text }) => text).join('')
      const same = letters.every(one => one.same)
      seen[same ? 'same' : 'other']++
      const found = await people.authenticate({ username, password: PASSWORD })
      return same ? found?.key === key : found === null
    }),
    { numRuns: scaled(1000) },
  )
  t.true(seen.same > 0 && seen.other > 0, JSON.stringify(seen))
})

testEach('L3: lookalikes that may be names are accounts of their own, each with its own password', async (t, name) => {
  const { people } = await database(t, name)
  const names = ['admin', 'ádmin', 'admın', 'аdmin', 'admİn', 'ádmın']
  for (const [index, username] of names.entries())
    await people.create({ username, password: `the horse of number ${index}` })
  for (const username of names) {
    for (const [index, owner] of names.entries()) {
      const found = await people.authenticate({ username, password: `the horse of number ${index}` })
      t.is(found?.username, username === owner ? owner : undefined, `${username} with the password of ${owner}`)
    }
  }
})

testEach("L3: a name cannot be another user's e-mail address, in any writing", async (t, name) => {
  const { people } = await database(t, name)
  await people.create({ username: 'ada', email: 'ada@example.org' })
  for (const username of ['ada@example.org', 'ADA@example.org', 'ada＠example.org']) {
    await t.throwsAsync(people.create({ username, password: PASSWORD }), { instanceOf: UserInvalid })
    const error = await t.throwsAsync(people.create({ username, email: 'Ada@example.org', password: PASSWORD }), {
      instanceOf: UserExists,
    })
    t.is(error.field, 'email')
    t.is(await people.authenticate({ username, password: PASSWORD }), null)
  }
})

for (const [field, others] of [
  ['username', (n: number) => ({ username: n % 2 ? 'Somebody' : 'sOMEBODY', email: `some${n}@example.org` })],
  ['email', (n: number) => ({ username: `somebody ${n}`, email: n % 2 ? 'Some@example.org' : 'sOME@example.org' })],
] as const) {
  testEach(
    `L3: of 50 who take one ${field} at once, one gets it and the others are told that it is taken`,
    async (t, name) => {
      const { people, knex } = await database(t, name)
      const made = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => people.create(others(n))))
      const refused = made.filter(one => one.status === 'rejected').map(one => one.reason)
      t.is(refused.length, 49)
      for (const error of refused) {
        t.true(error instanceof UserExists)
        t.is(error.field, field)
        t.is(error.status, 409)
      }
      t.is((await knex('users')).length, 1)
    },
  )
}

testEach('The field that is taken is told by the index, not by what somebody typed', async (t, name) => {
  const { people } = await database(t, name)
  const username = 'failed: users.email_canonical'.replace(':', '')
  await people.create({ username, email: 'one@example.org' })
  for (const [user, field] of [
    [{ username, email: 'two@example.org' }, 'username'],
    [{ username: "for key 'email_canonical", email: 'One@example.org' }, 'email'],
  ] as const) {
    t.is((await t.throwsAsync(people.create(user), { instanceOf: UserExists })).field, field)
  }
})

for (const [what, error, field] of [
  ['MariaDB', { code: 'ER_DUP_ENTRY', sqlMessage: "Duplicate entry 'a' for key 'email_canonical'" }, 'email'],
  ['MySQL 8', { code: 'ER_DUP_ENTRY', sqlMessage: "Duplicate entry 'a' for key 'users.email_canonical'" }, 'email'],
  [
    'MariaDB, for a name that quotes it,',
    { code: 'ER_DUP_ENTRY', sqlMessage: "Duplicate entry 'for key 'email_canonical'' for key 'username_canonical'" },
    'username',
  ],
  ['PostgreSQL', { code: '23505', constraint: 'users_email_canonical_key' }, 'email'],
  ['PostgreSQL, for a name,', { code: '23505', constraint: 'users_username_canonical_key' }, 'username'],
] as const) {
  test(`L3: the error of ${what} says which field is taken`, t => {
    t.is(takenField(Object.assign(new Error('duplicate'), error)), field)
  })
}

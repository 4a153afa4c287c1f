import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { AnonymousUser, OptionInvalid, ProfileExists, ProfileInvalid, ProfileUnknown } from 'koa-strata'
import { sqlProfiles } from 'koa-strata/sql'
import { isDuplicate } from '../../lib/database/conflicts.ts'
import { type DatabaseName, newDatabase, type TestDatabase } from '../database/servers.ts'
import { userOf } from '../users/app.ts'
import { testEach } from '../users/sql/people.ts'

interface Employer {
  user_key: string
  company: string
  about: string | null
  size: number | bigint | null
  open: boolean | null
  founded: Date | null
  logo: Uint8Array | null
}

const FIELDS = ['company', 'about', 'size', 'open', 'founded', 'logo'] as const

/** Columns that overlook case, and trailing spaces on MariaDB. */
const SLOPPY: Record<DatabaseName, string> = {
  sqlite: 'varchar(255) collate nocase',
  mariadb: 'varchar(255) character set utf8mb4 collate utf8mb4_general_ci',
  postgresql: 'varchar(255) collate sloppy',
}

interface Table extends TestDatabase {
  knex: Knex
  /** The statements that it was asked for. */
  queries: string[]
  rows(): Promise<Employer[]>
}

/** A table of profiles. @param unique whether a key may stand there once alone */
async function employers(t: ExecutionContext, name: DatabaseName, unique = true): Promise<Table> {
  const database = await newDatabase(t, name)
  const knex = database.open()
  if (name === 'postgresql')
    await knex.raw(`create collation sloppy (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`)
  await knex.schema.createTable('employers', made => {
    made.specificType('user_key', `${SLOPPY[name]} not null ${unique ? 'primary key' : ''}`)
    made.string('company').unique()
    made.text('about')
    made.bigInteger('size')
    made.boolean('open')
    made.datetime('founded')
    made.binary('logo')
  })
  const queries: string[] = []
  knex.on('query', ({ sql }) => queries.push(sql))
  return { ...database, knex, queries, rows: () => knex('employers').orderBy('company') }
}

const source = (knex: Knex, timeout?: number) =>
  sqlProfiles<Employer>(knex, { table: 'employers', fields: FIELDS, timeout })

const [alice, bob] = [userOf('local', 'alice'), userOf('local', 'bob')]

testEach(
  "R4: A profile is made, changed and removed by its owner's key, and no other row is touched.",
  async (t, name) => {
    const { knex, rows } = await employers(t, name)
    const { create, change, remove, find } = source(knex)
    await create(alice, { company: 'Acme', about: 'Anvils' })
    await create(bob, { company: 'Bolt' })
    const [, bolt] = await rows()
    t.is((await find(alice))?.about, 'Anvils')
    await change(alice, { about: "Anvils, and Zoë's ☃ 🦊 \\ '; drop table employers; --" })
    t.is((await find(alice))?.about, "Anvils, and Zoë's ☃ 🦊 \\ '; drop table employers; --")
    t.is((await find(alice))?.company, 'Acme', 'what is left out stays')
    await change(alice, { about: null, company: undefined as never })
    t.is((await find(alice))?.about, null)
    t.is((await find(alice))?.company, 'Acme')
    await change(alice, { about: null })
    t.pass('a change to what is there already is one')
    await remove(alice)
    t.is(await find(alice), null)
    t.deepEqual(await rows(), [bolt!])
  },
)

testEach('Every kind of value comes back as the driver has it.', async (t, name) => {
  const { knex } = await employers(t, name)
  const { create, find } = source(knex)
  const founded = new Date('1999-12-31T12:00:00Z')
  await create(alice, {
    company: '',
    size: 2n ** 40n,
    open: true,
    founded,
    logo: new Uint8Array([0, 255, 39, 92]).subarray(1),
  })
  const found = (await find(alice))!
  t.is(found.company, '')
  t.is(Number(found.size), 2 ** 40)
  t.true(Boolean(found.open))
  t.is(new Date(found.founded!).getTime(), founded.getTime())
  t.deepEqual([...found.logo!], [255, 39, 92])
})

testEach(
  'Whoever has a profile gets no second one, and whoever has none can change and remove nothing.',
  async (t, name) => {
    const { knex, rows } = await employers(t, name)
    const { create, change, remove } = source(knex)
    const unknown = { instanceOf: ProfileUnknown, code: 'PROFILE_UNKNOWN' }
    for (const values of [{ about: 'x' }, {}]) await t.throwsAsync(change(alice, values), unknown)
    await t.throwsAsync(remove(alice), unknown)
    await create(alice, { company: 'Acme' })
    const before = await rows()
    const error = await t.throwsAsync(create(alice, { company: 'Apex' }), { instanceOf: ProfileExists })
    t.is(error.status, 409)
    await change(alice, {})
    t.deepEqual(await rows(), before)
  },
)

testEach(
  'R4: What cannot be set reaches no statement: another key, a field that is not listed, an object.',
  async (t, name) => {
    const { knex, queries, rows } = await employers(t, name)
    const { create, change } = source(knex)
    await create(alice, { company: 'Acme' })
    const before = await rows()
    queries.length = 0
    const values: [object, field: string][] = [
      [{ user_key: 'local:bob' }, 'user_key'],
      [{ USER_KEY: 'local:bob' }, 'USER_KEY'],
      [JSON.parse('{ "__proto__": { "company": "x" } }'), '__proto__'],
      [{ id: 1 }, 'id'],
      [{ company: { about: 'x' } }, 'company'],
      [{ company: ['x', 'y'] }, 'company'],
      [{ about: { toSqlString: () => 'null where 1=1 --' } }, 'about'],
      [{ about: knex.raw('company') }, 'about'],
      [{ about: knex('employers').select('company') }, 'about'],
      [{ about: 'a\0b' }, 'about'],
      [{ about: '\ud83e' }, 'about'],
      [{ size: Number.NaN }, 'size'],
    ]
    for (const [given, field] of values) {
      for (const write of [create(bob, given), change(alice, given)]) {
        const error = await t.throwsAsync(write, { instanceOf: ProfileInvalid })
        t.deepEqual(Object.keys(error.fields), [field])
      }
    }
    t.deepEqual(queries, [])
    t.deepEqual(await rows(), before)
    await t.throwsAsync(sqlProfiles<Employer>(knex, { table: 'employers' }).change(alice, { about: 'x' }), {
      message: 'This field cannot be set.',
    })
  },
)

test('R4: mariadb: an object that reaches the driver becomes a part of the statement, so that the test above can fail.', async t => {
  const { knex, rows } = await employers(t, 'mariadb')
  const { create } = source(knex)
  await create(alice, { company: 'Acme', about: '7' })
  await knex('employers').update({ about: { toSqlString: () => 'company' } })
  t.is((await rows())[0]?.about, 'Acme')
})

testEach('Who has no key, or one that no database holds, makes no profile.', async (t, name) => {
  const { knex, queries } = await employers(t, name)
  const { create, change, remove, carry, find, findMany } = source(knex)
  for (const owner of [new AnonymousUser(), {}, { key: 5 }, { key: ['a'] }, null, undefined] as never[]) {
    for (const write of [create(owner, {}), change(owner, {}), remove(owner)]) {
      const error = await t.throwsAsync(write, { instanceOf: OptionInvalid })
      t.regex(error.message, /^sqlProfiles\(\)\.(create|change|remove)\(\): option 'owner' must be somebody with a key/)
    }
  }
  for (const key of ['ldap:a\0', 'ldap:\ud800']) {
    const owner = { ...alice, key }
    await t.throwsAsync(create(owner, {}), { instanceOf: OptionInvalid })
    await t.throwsAsync(change(owner, { about: 'x' }), { instanceOf: ProfileUnknown })
    await t.throwsAsync(change(owner, {}), { instanceOf: ProfileUnknown })
    await t.throwsAsync(remove(owner), { instanceOf: ProfileUnknown })
    t.is(await find(owner), null)
    t.deepEqual(await findMany!([owner]), [null])
    await knex.transaction(trx => carry(key, 'sql:1', trx))
  }
  t.deepEqual(
    queries.filter(sql => /employers/.test(sql)),
    [],
  )
})

testEach(
  "Keys that look alike to the database are others' keys: nobody reads, changes or removes by one.",
  async (t, name) => {
    const { knex, rows } = await employers(t, name)
    const { create, change, remove, find } = source(knex)
    await create({ key: 'local:ada' }, { company: 'Acme' })
    const before = await rows()
    for (const key of ['LOCAL:ADA', 'local:Ada', 'local:ada ', 'local:áda', 'ｌocal:ada', 'local:ada\u200b']) {
      const alike = await knex('employers').where({ user_key: key })
      t.is(await find({ ...alice, key }), null, key)
      await t.throwsAsync(change({ key }, { company: 'Theirs' }), { instanceOf: ProfileUnknown }, key)
      await t.throwsAsync(remove({ key }), { instanceOf: ProfileUnknown }, key)
      t.deepEqual(await rows(), before, key)
      // The column takes one of them. It is the database that refuses the other, and they are not told that the profile is theirs.
      const made = create({ key }, { company: key })
      if (alike.length > 0) t.true(isDuplicate(await t.throwsAsync(made)), key)
      else await made.then(() => remove({ key }))
    }
    t.is((await knex('employers').where({ user_key: 'LOCAL:ADA' })).length, 1, 'some are alike')
  },
)

/** Makes 200 profiles of one owner at once. */
async function create200({ knex }: Table) {
  const { create } = source(knex)
  const ends = await Promise.allSettled(Array.from({ length: 200 }, () => create(alice, { about: 'x' })))
  const reasons: unknown[] = ends.filter(end => end.status === 'rejected').map(end => end.reason)
  return { reasons, exists: reasons.filter(reason => reason instanceof ProfileExists).length }
}

testEach(
  'R3: Of 200 that make the profile of one owner at once, one does, and the others are told that there is one.',
  async (t, name) => {
    const table = await employers(t, name)
    const { reasons, exists } = await create200(table)
    t.is(exists, 199, inspect(reasons.find(reason => !(reason instanceof ProfileExists))))
    t.is((await table.rows()).length, 1)
  },
)

testEach('R3: Without a unique key there are several, so that the test above can fail.', async (t, name) => {
  const table = await employers(t, name, false)
  const { exists } = await create200(table)
  const { length } = await table.rows()
  t.true(length > 1, `${length} profiles`)
  t.is(length, 200 - exists)
})

testEach('R3: Of 20 that remove a profile at once, one does.', async (t, name) => {
  const { knex, rows } = await employers(t, name)
  const { create, remove } = source(knex)
  await create(alice, {})
  const ends = await Promise.allSettled(Array.from({ length: 20 }, () => remove(alice)))
  const reasons = ends.filter(end => end.status === 'rejected').map(end => end.reason)
  t.is(reasons.filter(reason => reason instanceof ProfileUnknown).length, 19)
  t.deepEqual(await rows(), [])
})

testEach(
  'As parts of a transaction they are undone with it, and are seen within it alone until then.',
  async (t, name) => {
    const { knex, rows } = await employers(t, name)
    const { create, change, remove } = source(knex)
    await create(bob, { company: 'Bolt', about: 'Bolts' })
    const before = await rows()
    const work = async (trx: Knex.Transaction) => {
      await create(alice, { company: 'Acme' }, trx)
      await change(alice, { about: 'Anvils' }, trx)
      await change(bob, { about: null }, trx)
      // None of these ends the transaction, on PostgreSQL neither.
      await t.throwsAsync(create(alice, { company: 'Apex' }, trx), { instanceOf: ProfileExists })
      await t.throwsAsync(change({ key: 'local:carol' }, { about: 'x' }, trx), { instanceOf: ProfileUnknown })
      await t.throwsAsync(remove({ key: 'local:carol' }, trx), { instanceOf: ProfileUnknown })
      await t.throwsAsync(create({ key: 'local:carol' }, { company: {} as string }, trx), {
        instanceOf: ProfileInvalid,
      })
      t.is((await trx('employers').where({ user_key: 'local:alice' }).first()).about, 'Anvils')
      await remove(bob, trx)
    }
    const undone = knex.transaction(async trx => {
      await work(trx)
      throw new Error('changed my mind')
    })
    await t.throwsAsync(undone, { message: 'changed my mind' })
    t.deepEqual(await rows(), before)
    await knex.transaction(work)
    t.deepEqual(
      (await rows()).map(({ user_key, company, about }) => [user_key, company, about]),
      [['local:alice', 'Acme', 'Anvils']],
    )
  },
)

testEach(
  "L9: What else is wrong is the database's error, which tells no values, in a transaction too.",
  async (t, name) => {
    const { knex, rows } = await employers(t, name)
    const { create, change } = source(knex)
    await create(alice, { company: 'Acme' })
    await create(bob, { company: 'Bolt' })
    const before = await rows()
    const secret = { company: 'Acme', about: 'a secret' }
    const carol = { key: 'local:carol' }
    for (const wrong of [
      () => create(carol, secret),
      () => change(bob, secret),
      () => knex.transaction(trx => create(carol, secret, trx)),
      () => knex.transaction(trx => change(bob, secret, trx)),
      () => sqlProfiles<Employer>(knex, { table: 'employers', fields: FIELDS }).create(carol, secret),
    ]) {
      const error = await t.throwsAsync(wrong())
      t.true(isDuplicate(error), 'another column is taken, which is no profile of theirs')
      t.notRegex(inspect(error, { depth: 5 }), /secret|Acme|carol|bob|insert into|update /)
    }
    t.deepEqual(await rows(), before)
  },
)

testEach(
  'Within a transaction of its own instance too a profile that is there is told, and one that another makes meanwhile is the database’s error.',
  async (t, name) => {
    const { knex, open } = await employers(t, name)
    await source(knex).create(alice, { company: 'Acme' })
    await knex.transaction(async trx => {
      const { create, find } = source(trx)
      await t.throwsAsync(create(alice, {}), { instanceOf: ProfileExists })
      await create(bob, { company: 'Bolt' })
      t.is((await find(bob))?.company, 'Bolt')
    })
    // A file of SQLite has one writer at a time.
    if (name === 'sqlite') return
    const other = await open().transaction()
    t.teardown(() => other.isCompleted() || other.rollback())
    const carol = { key: 'local:carol' }
    await source(knex).create(carol, { company: 'First' }, other)
    const late = knex.transaction(async trx => {
      const created = source(trx).create(carol, { company: 'Second' })
      const begun = once(trx, ({ sql }) => /^insert/i.test(sql))
      await Promise.race([begun, created])
      await other.commit()
      await created
    })
    t.true(isDuplicate(await t.throwsAsync(late)))
    t.is((await knex('employers').where({ user_key: 'local:carol' }).first()).company, 'First')
  },
)

/** Resolves at the first such statement. */
function once(knex: Knex, isIt: (query: { sql: string }) => boolean): Promise<void> {
  return new Promise(resolve => knex.on('query', query => isIt(query) && resolve()))
}

for (const [name, lock, unlock] of [
  ['mariadb', 'lock tables employers write', 'unlock tables'],
  ['postgresql', 'lock table employers', 'select 1'],
] as const) {
  test(`T3: ${name}: a statement that gets no answer in time is given up, and its connection with it; transactions are waited for.`, async t => {
    const { knex, open } = await employers(t, name)
    await source(knex).create(alice, { company: 'Acme' })
    const own = open()
    const connections = new Set<string>()
    own.on('query', query => connections.add(query.__knexUid))
    const { find, findMany, create, change, remove } = source(own, 50)
    t.truthy(await source(own).find(alice))
    const holder = await open().transaction()
    const release = async () => {
      if (holder.isCompleted()) return
      await holder.raw(unlock)
      await holder.commit()
    }
    t.teardown(release)
    await holder.raw(lock)
    const silent = { message: /timeout of 50ms/ }
    for (const call of [
      () => find(alice),
      () => findMany!([alice, bob]),
      () => create(bob, { company: 'Bolt' }),
      () => change(alice, { company: 'Apex' }),
      () => remove(alice),
    ])
      await t.throwsAsync(call() as Promise<unknown>, silent)
    t.true(connections.size >= 5, `${connections.size} connections`)
    const trx = await open().transaction()
    const patient = create(bob, { company: 'Bolt' }, trx)
    await t.throwsAsync(Promise.resolve(find(alice)), silent)
    await release()
    await patient
    await trx.commit()
    t.is((await source(own).find(bob))?.company, 'Bolt')
  })
}

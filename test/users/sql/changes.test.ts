import test from 'ava'
import { UserExists, UserInvalid, UserUnknown } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { insertedId } from '../../database/catalogue.ts'
import { database, PASSWORD, right, site, testEach } from './people.ts'

testEach('A new e-mail address is one to log in and be found by, and the old one is free', async (t, name) => {
  const { people } = await database(t, name)
  const { id, key, stamp } = await people.create({ ...right, email: 'old@example.org' })
  await people.setEmail(id, 'New@Example.org')
  const found = await people.find({ email: 'new@example.org' })
  t.is(found?.key, key)
  t.is(found?.email, 'New@Example.org')
  t.is(found?.stamp, stamp, 'sessions go on')
  t.is((await people.authenticate({ username: 'NEW@example.org', password: PASSWORD }))?.key, key)
  t.is(await people.authenticate({ username: 'old@example.org', password: PASSWORD }), null)
  await people.create({ username: 'other', email: 'old@example.org' })
  await people.setEmail(id, 'NEW@example.org')
  await people.setEmail(id, null)
  t.is((await people.load(id))?.email, null)
  t.is(await people.find({ email: 'new@example.org' }), null)
})

testEach("L3: an e-mail address that is another user's, in any writing, is taken", async (t, name) => {
  const { people } = await database(t, name)
  await people.create({ username: 'ada', email: 'ada@example.org' })
  await people.create({ username: 'eve@example.org', email: 'eve@example.org' })
  const { id } = await people.create({ username: 'bob', email: 'bob@example.org' })
  for (const email of ['ada@example.org', 'ADA@example.org', 'ａda@example.org', 'Eve@example.org']) {
    const error = await t.throwsAsync(people.setEmail(id, email), { instanceOf: UserExists })
    t.is(error.field, 'email')
  }
  t.is((await people.load(id))?.email, 'bob@example.org')
})

testEach(
  "L3: a name that is the user's own address stays so: the address cannot become another one",
  async (t, name) => {
    const { people } = await database(t, name)
    const { id } = await people.create({ username: 'Ada@example.org', email: 'ada@example.org' })
    for (const email of ['bob@example.org', null]) {
      const error = await t.throwsAsync(people.setEmail(id, email), { instanceOf: UserInvalid })
      t.deepEqual(Object.keys(error.fields), ['email'])
    }
    await people.setEmail(id, 'ADA@example.org')
    t.is((await people.load(id))?.email, 'ADA@example.org')
  },
)

testEach('What is no e-mail address is refused with words for a form', async (t, name) => {
  const { people } = await database(t, name)
  const { id } = await people.create({ username: 'ada', email: 'ada@example.org' })
  for (const email of ['', 'ada', 'a b@example.org', 'a@b@c', 'a\u200b@example.org', 5, undefined, ['a@example.org']]) {
    const error = await t.throwsAsync(people.setEmail(id, email as string), { instanceOf: UserInvalid })
    t.regex(error.fields.email ?? '', /e-mail/)
  }
  t.is((await people.load(id))?.email, 'ada@example.org')
})

testEach('L3: of 50 who take one address at once, one gets it', async (t, name) => {
  const { people, knex } = await database(t, name)
  const ids: string[] = []
  for (let n = 0; n < 50; n++) ids.push((await people.create({ username: `user ${n}` })).id)
  const changes = await Promise.allSettled(
    ids.map((id, n) => people.setEmail(id, n % 2 ? 'Some@example.org' : 'sOME@example.org')),
  )
  const refused = changes.filter(one => one.status === 'rejected').map(one => one.reason)
  t.is(refused.length, 49)
  t.true(refused.every(error => error instanceof UserExists && error.field === 'email'))
  t.is((await knex('users').whereNotNull('email')).length, 1)
})

testEach('S4: who is activated again can log in, and the sessions from before stay ended', async (t, name) => {
  const { people, knex, logIn } = await site(t, name)
  const { id } = await people.create(right)
  for (const lock of [() => people.deactivate(id), () => knex('users').where({ id }).update({ is_active: false })]) {
    const browser = await logIn('admin')
    await lock()
    t.is(await people.authenticate(right), null)
    await people.activate(id)
    t.is((await browser.get('/me')).text, 'nobody')
    const again = await logIn('admin')
    await people.activate(id)
    t.is((await again.get('/me')).text, 'admin', 'nothing ends for who is active')
  }
})

testEach('S4: who is deleted is gone, with permissions and memberships, and so are their sessions', async (t, name) => {
  const { people, knex, logIn } = await site(t, name)
  const [{ id }, other] = [await people.create(right), await people.create({ username: 'other', password: PASSWORD })]
  await people.groups.create('editors', { permissions: ['x'] })
  for (const one of [id, other.id]) {
    await people.grant(one, 'reports.read')
    await people.groups.add('editors', one)
  }
  const [browser, others] = [await logIn('admin'), await logIn('other')]
  await people.delete(id)
  t.is((await browser.get('/me')).text, 'nobody')
  t.is((await others.get('/me')).text, 'other')
  t.is(await people.find({ username: 'admin' }), null)
  t.is(await people.authenticate(right), null)
  for (const table of ['users', 'user_permissions', 'group_members']) t.is((await knex(table)).length, 1, table)
  t.not((await people.create(right)).id, id)
  await t.throwsAsync(people.delete(id), { instanceOf: UserUnknown })
})

testEach('A deletion that the database refuses at its end takes nothing away', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.create(right)
  await people.grant(id, 'reports.read')
  await people.groups.create('editors')
  await people.groups.add('editors', id)
  await knex.schema.createTable('orders', table => {
    table.bigInteger('user_id').unsigned().notNullable()
    table.foreign('user_id').references('users.id')
  })
  await knex('orders').insert({ user_id: id })
  await t.throwsAsync(people.delete(id))
  t.true((await people.load(id))?.hasPermission('reports.read'))
  t.deepEqual(await people.groups.of(id), ['editors'])
  t.truthy(await people.authenticate(right))
})

testEach('R1: what hangs on a user goes too where the database keeps no foreign keys', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.create(right)
  await people.grant(id, 'x')
  const group_id = await insertedId(knex, 'groups', { name: 'editors' })
  await knex('group_members').insert({ group_id, user_id: id })
  if (name === 'sqlite') await knex.raw('pragma foreign_keys = off')
  await people.delete(id)
  await people.groups.delete('editors')
  for (const table of ['user_permissions', 'group_members', 'identities', 'groups']) t.deepEqual(await knex(table), [])
})

testEach(
  'Users who are not there cannot be changed, and ids that are none never reach the database',
  async (t, name) => {
    const { people, queries } = await database(t, name)
    await people.create(right)
    for (const id of ['7', '01', '1 or 1=1', '', null as unknown as string]) {
      queries.length = 0
      for (const change of [
        () => people.setEmail(id, 'ada@example.org'),
        () => people.activate(id),
        () => people.delete(id),
        () => people.groups.add('editors', id),
        () => people.groups.remove('editors', id),
      ]) {
        await t.throwsAsync(change, { instanceOf: UserUnknown })
      }
      t.is(queries.length > 0, id === '7', String(id))
    }
    t.truthy(await people.authenticate(right))
  },
)

testEach('More users than one statement asks for are loaded, in the order of the ids', async (t, name) => {
  const { people, knex, queries } = await database(t, name)
  const { id: first } = await people.create({ username: 'first' })
  const rows = Array.from({ length: 1_200 }, (_, n) => ({
    username: `${n}`,
    username_canonical: `${n}`,
    created_at: 0,
  }))
  await knex.batchInsert('users', rows, 200)
  const ids: string[] = (await knex('users').orderBy('id', 'desc').pluck('id')).map(String)
  await people.grant(first, 'x')
  queries.length = 0
  const loaded = await people.loadMany([...ids, '99999'])
  t.deepEqual(
    loaded.map(user => user?.id ?? null),
    [...ids, null],
  )
  t.true(loaded.at(-2)?.hasPermission('x'))
  t.is(queries.length, 6)
})

const CALLING_OFF = {
  mariadb: [
    "create trigger calls_off before update on users for each row signal sqlstate '40001' set mysql_errno = 1213, message_text = 'deadlock'",
  ],
  postgresql: [
    `create function call_off() returns trigger as $$ begin raise exception using errcode = '40P01'; end $$ language plpgsql`,
    'create trigger calls_off before update on users for each row execute function call_off()',
  ],
} as const

for (const name of ['mariadb', 'postgresql'] as const) {
  test(`${name}: A change that the database calls off is tried again, but not within the application's own transaction.`, async t => {
    const { people, knex, queries } = await database(t, name)
    const { id } = await people.create({ username: 'ada' })
    for (const statement of CALLING_OFF[name]) await knex.raw(statement)
    const updates = () => queries.filter(sql => sql.startsWith('update')).length
    await t.throwsAsync(people.deactivate(id))
    t.is(updates(), 10)
    queries.length = 0
    await t.throwsAsync(knex.transaction(trx => sqlUsers(trx).deactivate(id)))
    t.is(updates(), 1)
  })
}

import test from 'ava'
import { countArgon2 } from '../argon2-calls.ts'

const calls = countArgon2()
const { BackendUnavailable, OptionInvalid, UserInvalid, UserUnknown } = await import('koa-strata')
const { SqlUser, sqlUsers } = await import('koa-strata/sql')
const { insertedId } = await import('../../database/catalogue.ts')
const { database, OLD_HASH, PASSWORD, right, site, spelt, testEach } = await import('./people.ts')

// The tests that count hashes run one after the other, before the rest.
test.serial('unknown, inactive and unusable users and a wrong password each cost one verification', async t => {
  const { people, knex } = await database(t)
  await people.create({ username: 'admin', password: PASSWORD })
  await people.create({ username: 'inactive', password: PASSWORD, isActive: false })
  await people.create({ username: 'without' })
  await people.create({ username: 'bcrypt' })
  await knex('users')
    .where({ username: 'bcrypt' })
    .update({ password: `$2b$12$${'x'.repeat(53)}` })
  for (const [username, password] of [
    ['nobody', PASSWORD],
    ['inactive', PASSWORD],
    ['inactive', 'wrong'],
    ['without', PASSWORD],
    ['bcrypt', PASSWORD],
    ['admin', 'wrong'],
    ['admin\0', PASSWORD],
    ['x'.repeat(10_000), PASSWORD],
  ] as const) {
    const before = calls.verify
    t.is(await people.authenticate({ username, password }), null, username.slice(0, 20))
    t.is(calls.verify, before + 1, username.slice(0, 20))
  }
})

test.serial('W2: a password above the limit fails without hashing, at a login as for a new one', async t => {
  const { people } = await database(t)
  const longest = 'Many words that make one long sentence. '.repeat(103).slice(0, 4096)
  const { id } = await people.create({ username: 'admin', password: longest })
  t.truthy(await people.authenticate({ username: 'admin', password: longest }))
  const before = { ...calls }
  t.is(await people.authenticate({ username: 'admin', password: `${longest}x` }), null)
  await t.throwsAsync(people.setPassword(id, `${longest}x`), { instanceOf: UserInvalid })
  await t.throwsAsync(people.create({ username: 'other', password: `${longest}x` }), { instanceOf: UserInvalid })
  t.deepEqual(calls, before)
  t.is(await people.find({ username: 'other' }), null)
})

test.serial('A user whose name cannot be taken is refused before a password is hashed', async t => {
  const { people } = await database(t)
  const before = calls.hash
  const error = await t.throwsAsync(
    people.create({ username: ' ', email: 'none', password: '', isStaff: 'yes' as unknown as boolean }),
    { instanceOf: UserInvalid, code: 'USER_INVALID' },
  )
  t.deepEqual(Object.keys(error.fields), ['username', 'email', 'password', 'isStaff'])
  await t.throwsAsync(people.create({ username: 'a:b', password: PASSWORD }), { instanceOf: UserInvalid })
  t.is(calls.hash, before)
})

testEach('A new user is found by id, name and e-mail address, and logs in by name and by address', async (t, name) => {
  const { people } = await database(t, name)
  const made = await people.create({ username: 'Zoë', email: 'Zoe@Example.org', password: PASSWORD })
  t.true(made instanceof SqlUser)
  t.is(made.key, `sql:${made.id}`)
  for (const by of [
    { id: made.id },
    { username: 'Zoë' },
    { username: 'ZOE\u0308' },
    { email: 'zoe@example.org' },
    { email: 'ＺＯＥ@example.org' },
  ]) {
    t.deepEqual(await people.find(by), made, JSON.stringify(by))
  }
  for (const username of ['Zoë', 'zoë', 'zoe@example.org', 'ZOE@EXAMPLE.ORG']) {
    t.is((await people.authenticate({ username, password: PASSWORD }))?.key, made.key, username)
  }
  t.is(await people.find({ username: 'zoe@example.org' }), null)
  t.is((await people.identify('ZOË'))?.key, made.key)
  t.is(await people.identify('zoe@example.org'), null)
  t.is(await people.find({ email: 'Zoë' }), null)
  t.is(await people.authenticate({ username: 'Zoë', password: 'wrong' }), null)
})

testEach('What a user shows as JSON is neither hash nor stamp', async (t, name) => {
  const { people } = await database(t, name)
  const made = await people.create({ username: 'admin', password: PASSWORD })
  const { id, key } = made
  t.deepEqual(JSON.parse(JSON.stringify(made)), {
    id,
    key,
    backend: 'sql',
    username: 'admin',
    email: null,
    isAuthenticated: true,
    isStaff: false,
  })
  t.false(JSON.stringify(Object.values(made)).includes('argon2'))
})

testEach('A login writes down when it was, and the user says when the one before was', async (t, name) => {
  const { knex } = await database(t, name)
  let now = 1_000
  const people = sqlUsers(knex, { now: () => now })
  const made = await people.create(right)
  t.is(made.createdAt?.getTime(), 1_000)
  t.is(made.lastLogin, null)
  now = 2_000
  t.is((await people.authenticate(right))?.lastLogin, null)
  now = 3_000
  t.is((await people.authenticate(right))?.lastLogin?.getTime(), 2_000)
  await people.authenticate({ ...right, password: 'wrong' })
  t.is((await people.load(made.id))?.lastLogin?.getTime(), 3_000)
})

test('A login holds even if the database refuses to write it down', async t => {
  const { people, knex } = await database(t)
  await people.create(right)
  await knex('users').update({ password: OLD_HASH })
  await knex.raw("create trigger readonly before update on users begin select raise(abort, 'read-only'); end")
  await t.throwsAsync(async () => knex('users').update({ last_login: 1 }), { message: /read-only/ })
  t.is((await people.authenticate(right))?.username, 'admin')
  t.is((await knex('users').first()).password, OLD_HASH)
})

testEach('Many users are loaded by two queries, in the order of the ids', async (t, name) => {
  const { people, knex, queries } = await database(t, name)
  const made = []
  for (const username of ['a', 'b', 'c']) made.push(await people.create({ username }))
  const [a, b, c] = made.map(user => user.id) as [string, string, string]
  await people.grant(b, 'own')
  const group = await insertedId(knex, 'groups', { name: 'editors' })
  await knex('group_members').insert([b, c].map(user_id => ({ group_id: group, user_id })))
  await knex('group_permissions').insert(['own', 'shared'].map(permission => ({ group_id: group, permission })))

  queries.length = 0
  const loaded = await people.loadMany([c, '999', a, 'x', c, b])
  t.is(queries.length, 2)
  t.deepEqual(
    loaded.map(user => user && [user.username, [...user.permissions].sort()]),
    [['c', ['own', 'shared']], null, ['a', []], null, ['c', ['own', 'shared']], ['b', ['own', 'shared']]],
  )
})

for (const id of [
  '',
  '0',
  '-1',
  '01',
  '+1',
  '1.0',
  '1e0',
  '0x1',
  ' 1',
  '1 ',
  '1\n',
  '1\0',
  '１',
  '١',
  '1 or 1=1',
  "1'; drop table users; --",
  '9223372036854775808',
  '9'.repeat(400),
  1 as unknown as string,
  1n as unknown as string,
  true as unknown as string,
  ['1'] as unknown as string,
  { toString: () => '1', toJSON: () => '1' } as unknown as string,
  null as unknown as string,
  undefined as unknown as string,
]) {
  const shown =
    typeof id === 'string' ? `'${spelt(id.slice(0, 30))}'` : `${Array.isArray(id) ? 'array' : typeof id} ${String(id)}`
  testEach(`The id ${shown} is nobody's, and never reaches the database`, async (t, name) => {
    const { people, queries } = await database(t, name)
    await people.create({ username: 'admin', isSuperuser: true })
    queries.length = 0
    t.is(await people.load(id), null)
    t.is(await people.find({ id }), null)
    t.deepEqual(await people.loadMany([id, id]), [null, null])
    await people.endSessions(id)
    for (const change of [
      () => people.setPassword(id, null),
      () => people.deactivate(id),
      () => people.grant(id, 'x'),
      () => people.revoke(id, 'x'),
    ]) {
      await t.throwsAsync(change, { instanceOf: UserUnknown, code: 'USER_UNKNOWN' })
    }
    t.deepEqual(queries, [])
  })
}

for (const [what, typed, reaches] of [
  ['a number', 0, false],
  ['a boolean', true, false],
  ['an array', ['admin'], false],
  ['an object', { '!=': '' }, false],
  ['null', null, false],
  ['nothing', undefined, false],
  ['text with NUL', 'admin\0', false],
  ['a lone surrogate', 'admin\ud800', false],
  ['a megabyte', 'a'.repeat(2 ** 20), false],
  ['SQL', "' or 1=1 --", true],
  ['SQL with a second statement', "admin'; delete from users; --", true],
  ['SQL for double quotes', '" or ""="', true],
  ['a wildcard', '%', true],
  ['another wildcard', 'adm_n', true],
  ['a knex binding', '?', true],
  ['a knex identifier', '??', true],
  ['a named binding', ':username', true],
  ['a backslash', "\\' or 1=1 --", true],
] as const) {
  testEach(
    `L3: ${what} in place of a name is nobody's${reaches ? '' : ', and never reaches the database'}`,
    async (t, name) => {
      const { people, queries, knex } = await database(t, name)
      await people.create({ username: 'admin', email: 'admin@example.org', password: PASSWORD })
      queries.length = 0
      const username = typed as unknown as string
      t.is(await people.authenticate({ username, password: PASSWORD }), null)
      t.is(await people.find({ username }), null)
      t.is(await people.find({ email: username }), null)
      t.is(queries.length, reaches ? 3 : 0)
      t.is((await knex('users')).length, 1)
    },
  )
}

for (const [what, password] of [
  ['a number', 0],
  ['an array', [PASSWORD]],
  ['an object', {}],
  ['null', null],
  ['nothing', undefined],
] as const) {
  test(`L2: ${what} in place of a password logs nobody in, and asks nothing`, async t => {
    const { people, queries } = await database(t)
    await people.create(right)
    queries.length = 0
    t.is(await people.authenticate({ username: 'admin', password: password as unknown as string }), null)
    t.deepEqual(queries, [])
  })
}

testEach('Users who are not there are unknown to all that changes them', async (t, name) => {
  const { people, knex } = await database(t, name)
  for (const change of [
    () => people.setPassword('7', PASSWORD),
    () => people.setPassword('7', null),
    () => people.deactivate('7'),
    () => people.grant('7', 'x'),
    () => people.revoke('7', 'x'),
  ]) {
    const error = await t.throwsAsync(change, { instanceOf: UserUnknown, code: 'USER_UNKNOWN' })
    t.is(error.status, 404)
  }
  t.is((await knex('user_permissions')).length, 0)
  await t.notThrowsAsync(people.endSessions('7'))
})

test('L5: without the tables a login is 503, and the cause is the error of the database', async t => {
  const { app, knex } = await site(t)
  await knex.schema.dropTable('users')
  const answer = await app.browser().get('/login?name=admin&password=x')
  t.is(answer.status, 503)
  t.false(answer.text.includes('users'))
  t.is(app.errors.length, 1)
  t.true(app.errors[0] instanceof BackendUnavailable)
  t.regex((app.errors[0]!.cause as Error).message, /no such table/)
})

test('L9: the error of a database that fails does not quote the hash of the password', async t => {
  const { people, knex } = await database(t)
  const { id } = await people.create({ username: 'admin' })
  await knex.raw("create trigger no_more before insert on users begin select raise(abort, 'full'); end")
  await knex.raw("create trigger no_change before update on users begin select raise(abort, 'full'); end")
  for (const change of [
    () => people.create({ username: 'other', password: PASSWORD }),
    () => people.setPassword(id, PASSWORD),
  ]) {
    const error = await t.throwsAsync(change, { message: /full/ })
    const told = `${error.message}${error.stack}${JSON.stringify(error)}`
    t.notRegex(told, /argon2id/)
    t.false(told.includes(PASSWORD))
  }
})

test('Users of two backends with tables of their own are different users', async t => {
  const { knex, people } = await database(t)
  await knex.schema.raw('create table staff as select * from users where 1 = 0')
  await knex('staff').insert({
    id: 1,
    username: 'admin',
    username_canonical: 'admin',
    epoch: 0,
    is_active: 1,
    created_at: 0,
  })
  const staff = sqlUsers(knex, { name: 'staff', table: 'staff' })
  const made = await people.create(right)
  t.is(made.key, 'sql:1')
  t.is((await staff.find({ username: 'admin' }))?.key, 'staff:1')
})

for (const [option, options] of [
  ['name', { name: '' }],
  ['name', { name: 'a:b' }],
  ['name', { name: 5 }],
  ['table', { table: '' }],
  ['table', { table: 'users; drop table users' }],
  ['table', { table: 5 }],
  ['now', { now: 5 }],
  ['tabel', { tabel: 'users' }],
  ['options', null],
  ['options', []],
] as const) {
  test(`The option ${option} of sqlUsers() is checked: ${JSON.stringify(options)}`, async t => {
    const { knex } = await database(t)
    const error = t.throws(() => sqlUsers(knex, options as never), { instanceOf: OptionInvalid })
    t.is(error.option, option)
  })
}

test('Only a knex instance makes sqlUsers()', t => {
  for (const knex of [undefined, null, {}, () => {}, 'sqlite']) {
    t.is(t.throws(() => sqlUsers(knex as never), { instanceOf: OptionInvalid }).option, 'knex')
  }
})

testEach('Somebody is found by one thing at a time', async (t, name) => {
  const { people } = await database(t, name)
  for (const by of [{}, { id: '1', username: 'admin' }, { name: 'admin' }, null, 'admin']) {
    await t.throwsAsync(people.find(by as never), { instanceOf: OptionInvalid })
  }
  await t.throwsAsync(people.create({ username: 'admin', admin: true } as never), { instanceOf: OptionInvalid })
})

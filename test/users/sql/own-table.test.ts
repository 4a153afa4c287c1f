import { randomUUID } from 'node:crypto'
import test from 'ava'
import { cookieStore, memoryStore, OptionInvalid, UserExists, UserInvalid, UserUnknown } from 'koa-strata'
import { type SqlUsersOptions, sqlUsers } from 'koa-strata/sql'
import { migratedDatabase } from '../../database/servers.ts'
import { logIn, startUsersApp, whoIs } from '../app.ts'
import { ALL_COLUMNS, FEW_COLUMNS, ownTable } from './own-table.ts'
import { database, OLD_HASH, PASSWORD, right, spelt, testEach } from './people.ts'

testEach('A table with every column under names of its own does all that the library’s does', async (t, name) => {
  let now = 1_000
  const { people, knex } = await ownTable(t, name, { columns: ALL_COLUMNS, now: () => now })
  const made = await people.create({ ...right, email: 'Admin@example.org', isStaff: true })
  t.deepEqual(await people.load(made.id), made)
  t.is(made.createdAt?.getTime(), 1_000)
  t.true(made.isStaff)
  const row = await knex('users').first()
  t.is(row.folded, 'admin')
  t.is(row.mailbox, 'admin@example.org')
  t.is(row.tenant, 'main')
  now = 2_000
  t.is((await people.authenticate({ ...right, username: 'ADMIN@example.org' }))?.key, made.key)
  t.is((await people.load(made.id))?.lastLogin?.getTime(), 2_000)
  await knex('users').update({ pw: OLD_HASH })
  const { stamp } = (await people.load(made.id))!
  t.is((await people.authenticate(right))?.stamp, stamp)
  t.regex((await knex('users').first()).pw, /^\$argon2id/)
  t.is((await people.load(made.id))?.stamp, stamp)
  const ended = await people.endSessions!(made.id)
  t.not(ended, stamp)
  t.is((await people.load(made.id))?.stamp, ended!)
  await people.setEmail(made.id, 'new@example.org')
  t.is((await people.find({ email: 'NEW@example.org' }))?.key, made.key)
  await people.deactivate(made.id)
  t.is(await people.authenticate(right), null)
  await people.activate(made.id)
  await people.setPassword(made.id, 'a horse of another colour')
  t.truthy(await people.authenticate({ username: 'admin', password: 'a horse of another colour' }))
  await people.delete(made.id)
  t.deepEqual(await knex('users'), [])
  await t.throwsAsync(people.delete(made.id), { instanceOf: UserUnknown })
})

testEach(
  'A table with few columns: people log in, and what there is no column for has its default',
  async (t, name) => {
    const { people, knex } = await ownTable(t, name, { columns: { id: 'uid', username: 'login', password: 'pw' } })
    const made = await people.create({ username: 'ann@example.org', password: PASSWORD })
    t.is(made.email, null)
    t.true(made.isActive)
    t.false(made.isStaff || made.isSuperuser)
    t.is(made.createdAt, null)
    const before = await knex('users').first()
    const user = await people.authenticate({ username: 'ann@example.org', password: PASSWORD })
    t.deepEqual(user, made)
    t.deepEqual(await knex('users').first(), before, 'a login notes nothing')
    await knex('users').update({ pw: OLD_HASH })
    t.is((await people.authenticate({ username: 'Ann@Example.org', password: PASSWORD }))?.key, made.key)
    t.is((await knex('users').first()).pw, OLD_HASH, 'no hash is renewed')
    await knex('users').update({ mail: 'other@example.org' })
    t.is(await people.authenticate({ username: 'other@example.org', password: PASSWORD }), null)
    t.is(await people.find({ email: 'other@example.org' }), null)
  },
)

test('A table without a column for passwords lets nobody in with one.', async t => {
  const { people, knex } = await ownTable(t, 'sqlite', { columns: { id: 'uid', username: 'login' } })
  await knex('users').insert({ login: 'admin', pw: OLD_HASH })
  t.is(await people.authenticate(right), null)
  t.is((await people.identify('ADMIN'))?.username, 'admin')
})

testEach('What needs a column that is not there is refused, and nothing is changed', async (t, name) => {
  const { people, knex, queries } = await ownTable(t, name, { columns: { id: 'uid', username: 'login' } })
  const { id } = await people.create({ username: 'ann' })
  const before = await knex('users')
  queries.length = 0
  for (const [change, option] of [
    [() => people.setPassword(id, PASSWORD), 'columns.password'],
    [() => people.setEmail(id, 'ann@example.org'), 'columns.email'],
    [() => people.activate(id), 'columns.isActive'],
    [() => people.deactivate(id), 'columns.isActive'],
    [() => people.create({ username: 'bob', password: PASSWORD }), 'columns.password'],
    [() => people.create({ username: 'bob', email: 'bob@example.org' }), 'columns.email'],
    [() => people.create({ username: 'bob', isActive: false }), 'columns.isActive'],
    [() => people.create({ username: 'bob', isStaff: true }), 'columns.isStaff'],
    [() => people.create({ username: 'bob', isSuperuser: true }), 'columns.isSuperuser'],
    [() => people.grant(id, 'x'), 'table'],
    [() => people.revoke(id, 'x'), 'table'],
    [() => people.groups.create('x'), 'table'],
    [() => people.groups.list(), 'table'],
    [() => people.groups.of(id), 'table'],
    [() => people.groups.delete('x'), 'table'],
    [() => people.groups.grant('x', 'y'), 'table'],
    [() => people.groups.revoke('x', 'y'), 'table'],
    [() => people.groups.add('x', id), 'table'],
    [() => people.groups.remove('x', id), 'table'],
    [() => people.attach({ ...(people as object), backend: 'ldap', id: '1' } as never), 'table'],
    [() => people.find({ identity: { backend: 'ldap', id: '1' } }), 'table'],
  ] as const) {
    const error = await t.throwsAsync(change, { instanceOf: OptionInvalid }, String(change))
    t.is(error.option, option, String(change))
    t.regex(error.where, /^sqlUsers\(\)\..+\(\)$/)
  }
  t.is(people.endSessions, undefined)
  t.deepEqual(queries, [])
  t.deepEqual(await knex('users'), before)
})

testEach('The permissions of people in a table of the application come from where it says', async (t, name) => {
  const asked: (readonly string[])[] = []
  const rights = new Map<string, Iterable<string>>()
  const { people } = await ownTable(t, name, {
    permissions: async ids => {
      asked.push(ids)
      return rights
    },
  })
  const [ann, bob] = [await people.create({ username: 'ann' }), await people.create({ username: 'bob' })]
  rights.set(ann.id, new Set(['reports.read'])).set('', ['everything'])
  asked.length = 0
  const loaded = await people.loadMany([bob.id, ann.id, 'x'])
  t.deepEqual(asked, [[ann.id, bob.id]])
  t.deepEqual(
    loaded.map(user => user && [...user.permissions]),
    [[], ['reports.read'], null],
  )
  t.true((await people.find({ username: 'ann' }))?.hasPermission('reports.read'))
  rights.delete(ann.id)
  t.false((await people.load(ann.id))?.hasPermission('reports.read'))
})

for (const [what, answer] of [
  ['nothing', undefined],
  ['an object', {}],
  ['a text for somebody', new Map([['1', 'admin']])],
  ['null for somebody', new Map([['1', null]])],
] as const) {
  test(`R1: permissions that are ${what} give nobody any: the backend is broken.`, async t => {
    const { people, knex } = await ownTable(t, 'sqlite', { permissions: async () => answer as never })
    await knex('users').insert({ login: 'admin' })
    await t.throwsAsync(people.load('1'), { code: 'BACKEND_INVALID' })
  })
}

testEach(
  "R1: users of another table have none of the rights that the library's users of the same ids have",
  async (t, name) => {
    const { knex, people } = await database(t, name)
    const { id } = await people.create({ username: 'root' })
    await people.grant(id, 'x')
    await people.groups.create('editors', { permissions: ['y'] })
    await people.groups.add('editors', id)
    const same = name === 'sqlite' ? 'as select * from users' : 'as (select * from users)'
    await knex.raw(`create table staff ${same}`)
    const staff = sqlUsers(knex, { name: 'staff', table: 'staff' })
    const user = await staff.load(id)
    t.is(user?.username, 'root')
    t.deepEqual([...user!.permissions], [])
    const error = await t.throwsAsync(staff.grant(id, 'z'), { instanceOf: OptionInvalid })
    t.is(error.option, 'table')
    t.not(await staff.endSessions(id), null)
  },
)

for (const name of ['mariadb', 'postgresql'] as const) {
  test(`${name}: the tables beside the library's own are in the schema that its name says.`, async t => {
    const { knex, config, open } = await migratedDatabase(t, name)
    const schema = name === 'mariadb' ? (config.connection as { database: string }).database : config.searchPath![0]!
    const elsewhere =
      name === 'mariadb'
        ? open({ connection: { database: 'information_schema' } })
        : open({ searchPath: ['pg_catalog'] })
    const people = sqlUsers(elsewhere, { table: `${schema}.users` })
    const { id } = await people.create(right)
    await people.grant(id, 'x')
    await people.groups.create('editors', { permissions: ['y'] })
    await people.groups.add('editors', id)
    t.deepEqual(await people.groups.of(id), ['editors'])
    t.deepEqual([...(await people.authenticate(right))!.permissions].sort(), ['x', 'y'])
    const attached = await people.attach({
      ...(await people.load(id))!,
      backend: 'ldap',
      id: '1',
      username: 'ada',
    } as never)
    t.is((await sqlUsers(knex).find({ identity: { backend: 'ldap', id: '1' } }))?.key, attached.key)
    await people.delete(id)
    t.is((await knex('user_permissions')).length, 0)
  })
}

testEach(
  'S4: without a column for epochs they are kept beside the sessions, and a new password ends the others',
  async (t, name) => {
    for (const store of [memoryStore(), cookieStore({ epochs: memoryStore() })]) {
      const { people } = await ownTable(t, name)
      const { id, key } = await people.create(right)
      const app = await startUsersApp(t, { backends: [people], store })
      const [here, there] = [app.browser(), app.browser()]
      for (const browser of [here, there]) await logIn(browser, 'admin', PASSWORD)
      t.is(await whoIs(there), key)
      await here.get('/everywhere?keep')
      t.is(await whoIs(there), '')
      t.is(await whoIs(here), key)
      await people.setPassword(id, 'a horse of another colour')
      t.is(await whoIs(here), '')
      await logIn(there, 'admin', 'a horse of another colour')
      t.is(await whoIs(there), key)
      await people.delete(id)
      t.is(await whoIs(there), '')
    }
  },
)

for (const idType of ['uuid', 'text'] as const) {
  testEach(`Ids may be of the type ${idType}: whatever is no such id never reaches the database`, async (t, name) => {
    const { people, queries } = await ownTable(t, name, { idType, columns: ALL_COLUMNS })
    const made = await people.create(right)
    const other = await people.create({ username: 'other', password: PASSWORD })
    t.regex(made.id, /^[\da-f-]{36}$/)
    t.deepEqual(await people.load(made.id), made)
    t.deepEqual(await people.loadMany([other.id, randomUUID(), made.id]), [other, null, made])
    t.is((await people.authenticate(right))?.key, made.key)
    await people.setEmail(made.id, 'admin@example.org')
    await people.endSessions!(made.id)
    await people.deactivate(made.id)
    t.false((await people.load(made.id))?.isActive)
    t.true((await people.load(other.id))?.isActive)
    queries.length = 0
    const never = ['', 'x\0', 'x\ud800', 'x'.repeat(1025), 5, null, [made.id]]
    const malformed = [
      '1',
      `${made.id} `,
      `{${made.id}}`,
      made.id.replaceAll('-', ''),
      `${made.id}'; drop table users; --`,
    ]
    for (const id of [...never, ...(idType === 'uuid' ? malformed : [])] as string[]) {
      t.is(await people.load(id), null)
      await t.throwsAsync(people.delete(id), { instanceOf: UserUnknown })
      t.is(await people.endSessions!(id), null)
    }
    t.deepEqual(queries, [])
    // The database may think them the same.
    for (const id of [made.id.toUpperCase(), ` ${made.id}`, `${made.id} `]) {
      t.is(await people.load(id), null, id)
      await t.throwsAsync(people.delete(id), { instanceOf: UserUnknown })
      await t.throwsAsync(people.setPassword(id, null), { instanceOf: UserUnknown })
    }
    await people.delete(made.id)
    t.is(await people.load(made.id), null)
    t.is((await people.load(other.id))?.key, other.key)
  })
}

testEach('Ids of text that other hands gave are exact, whatever the collation', async (t, name) => {
  const { people, knex } = await ownTable(t, name, { idType: 'text', columns: ALL_COLUMNS })
  const ids = ['Ann', 'a/b c', 'عدا', '🦊', "'; drop table users; --", 'x'.repeat(255)]
  await knex('users').insert(ids.map((uid, index) => ({ uid, login: `user ${index}` })))
  t.deepEqual(
    (await people.loadMany(ids)).map(user => user?.id),
    ids,
  )
  for (const id of ['ANN', 'ann', 'Ánn', 'Ann ']) {
    t.is(await people.load(id), null, id)
    await t.throwsAsync(people.deactivate(id), { instanceOf: UserUnknown })
    t.is(await people.endSessions!(id), null)
  }
  t.true((await people.load('Ann'))?.isActive)
  for (const id of ids) await people.delete(id)
  t.deepEqual(await knex('users'), [])
})

testEach('An integer beyond what the column holds is nobody’s id', async (t, name) => {
  const { people } = await ownTable(t, name)
  const { id } = await people.create(right)
  for (const far of ['2147483648', '9223372036854775807']) {
    t.is(await people.load(far), null)
    t.is((await people.loadMany([far, id]))[1]?.id, id)
    await t.throwsAsync(people.delete(far), { instanceOf: UserUnknown })
    await t.throwsAsync(people.setPassword(far, null), { instanceOf: UserUnknown })
  }
})

testEach(
  'L3: of several whose names have one canonical form, each logs in by the exact name alone',
  async (t, name) => {
    const { people, knex } = await ownTable(t, name, {}, name === 'mariadb' ? 'collate utf8mb4_bin' : '')
    const names = ['Admin', 'admin', 'ａdmin']
    for (const login of names) await knex('users').insert({ login, pw: OLD_HASH })
    for (const username of names) t.is((await people.authenticate({ ...right, username }))?.username, username)
  },
)

testEach(
  'L3: where the database finds several of one canonical form, whoever is not written so gets nowhere',
  async (t, name) => {
    const { people, knex } = await ownTable(t, name)
    for (const login of ['Admin', 'admin'])
      await knex('users').insert({ login, mail: `${login}@example.org`, pw: OLD_HASH })
    for (const username of ['Admin', 'admin'])
      t.is((await people.authenticate({ ...right, username }))?.username, username)
    for (const username of ['ADMIN', 'ａdmin', 'aDMIN', 'ADMIN@example.org'])
      t.is(await people.authenticate({ ...right, username }), null, spelt(username))
    t.is((await people.authenticate({ ...right, username: 'Admin@example.org' }))?.username, 'Admin')
  },
)

testEach(
  'L3: nobody makes or takes a name or an address that somebody goes by, whatever the table is',
  async (t, name) => {
    for (const columns of [FEW_COLUMNS, ALL_COLUMNS]) {
      const { people, knex } = await ownTable(t, name, { columns })
      const exists = async (done: Promise<unknown>, field: 'username' | 'email') =>
        t.is((await t.throwsAsync(done, { instanceOf: UserExists })).field, field)
      const { id } = await people.create({ username: 'Ann', email: 'ann@example.org' })
      await people.create({ username: 'bob', email: 'bob@example.org' })
      await exists(people.create({ username: 'ANN' }), 'username')
      await exists(people.create({ username: 'eve', email: 'ANN@example.org' }), 'email')
      await exists(people.setEmail(id, 'Bob@example.org'), 'email')
      await people.setEmail(id, 'ANN@example.org')
      // A name that other hands made of an address.
      await knex('users').insert({ login: 'old@example.org', folded: 'old@example.org' })
      await exists(people.setEmail(id, 'OLD@example.org'), 'email')
      await t.throwsAsync(people.create({ username: 'x@example.org' }), { instanceOf: UserInvalid })
      t.is((await knex('users')).length, 3)
    }
  },
)

testEach(
  "L3: the application's own unique indexes decide between those who come at once, and the field is told",
  async (t, name) => {
    const { people, knex } = await ownTable(t, name)
    await knex.schema.alterTable('users', table => {
      table.unique(['login'], { indexName: 'one_of_them' })
      table.unique(['mail'], { indexName: 'another_email_canonical' })
      table.unique(['tenant'], { indexName: 'tenants' })
    })
    await knex('users').insert({ login: 'Ádmin', mail: 'ádmin@example.org', tenant: 'x' })
    for (const [user, field] of [
      // Another canonical form, and the same to the database, where it is so lax.
      [{ username: name === 'sqlite' ? 'ÁDMIN' : 'admin' }, 'username'],
      [{ username: 'eve', email: name === 'sqlite' ? 'ÁDMIN@example.org' : 'admin@example.org' }, 'email'],
    ] as const)
      t.is((await t.throwsAsync(people.create(user), { instanceOf: UserExists })).field, field)
    await people.create({ username: 'first' })
    const error = await t.throwsAsync(people.create({ username: 'second' }))
    t.false(error instanceof UserExists, 'what is taken is neither name nor address')
    await knex.schema.alterTable('users', table => {
      table.dropUnique(['tenant'], 'tenants')
    })
    const made = await Promise.allSettled(Array.from({ length: 20 }, () => people.create({ username: 'Somebody' })))
    const refused = made.filter(one => one.status === 'rejected').map(one => one.reason)
    t.is(refused.length, 19)
    t.true(refused.every(reason => reason instanceof UserExists && reason.field === 'username'))
  },
)

for (const [option, options] of [
  ['columns', { columns: null }],
  ['columns', { columns: ['uid'] }],
  ['columns.id', { columns: { username: 'login' } }],
  ['columns.username', { columns: { id: 'uid' } }],
  ['columns.email', { columns: { id: 'uid', username: 'login', email: '' } }],
  ['columns.email', { columns: { id: 'uid', username: 'login', email: null } }],
  ['columns.password', { columns: { id: 'uid', username: 'login', password: 'pw; drop table users' } }],
  ['columns.password', { columns: { id: 'uid', username: 'login', password: 'users.*' } }],
  ['columns.username', { columns: { id: 'uid', username: 'login', email: 'login' } }],
  ['usernam', { columns: { id: 'uid', usernam: 'login' } }],
  ['idType', { columns: FEW_COLUMNS, idType: 'int' }],
  ['idType', { idType: 'uuid' }],
  ['permissions', { columns: FEW_COLUMNS, permissions: {} }],
  ['permissions', { permissions: async () => new Map() }],
  ['timeout', { timeout: 0 }],
] as [string, object][]) {
  test(`The option ${option} of sqlUsers() is checked in ${JSON.stringify(options)}`, async t => {
    const { knex } = await database(t)
    const error = t.throws(() => sqlUsers(knex, options as SqlUsersOptions), { instanceOf: OptionInvalid })
    t.is(error.option, option)
  })
}

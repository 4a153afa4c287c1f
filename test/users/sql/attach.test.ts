import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import {
  AnonymousUser,
  DetachedUser,
  detachedUsers,
  OptionInvalid,
  profiles,
  UserExists,
  UserInvalid,
} from 'koa-strata'
import { sqlProfiles, sqlUsers } from 'koa-strata/sql'
import { type DatabaseName, migratedDatabase } from '../../database/servers.ts'
import { logIn, startUsersApp, whoIs } from '../app.ts'
import { database, PASSWORD, right, testEach } from './people.ts'

const detached = (id: string, more: object = {}) => new DetachedUser({ backend: 'ldap', id, ...more })

testEach('X3: a detached user gets one local record, on purpose, and the same one ever after', async (t, name) => {
  const { people } = await database(t, name)
  const ada = detached('uid=ada,dc=x', { username: 'Ada', email: 'ada@example.org', permissions: ['x'] })
  t.is(await people.find({ identity: ada }), null)
  const local = await people.attach(ada)
  t.is(local.key, `sql:${local.id}`)
  t.is(local.username, 'Ada')
  t.is(local.email, 'ada@example.org')
  t.false(local.hasPermission('x'), 'the rights of the detached user are not theirs')
  t.deepEqual(await people.attach(ada), local)
  t.deepEqual(await people.attach(ada, { username: 'another name' }), local)
  t.deepEqual(await people.attach(detached('uid=ada,dc=x', { username: 'not a: name', email: 'none' })), local)
  t.deepEqual(await people.find({ identity: { backend: 'ldap', id: 'uid=ada,dc=x' } }), local)
  await people.setEmail(local.id, null)
  await people.deactivate(local.id)
  const again = await people.attach(ada)
  t.is(again.key, local.key)
  t.is(again.email, null)
  t.false(again.isActive)
})

testEach('X3: a local record that was made for a detached user has no password until one is set', async (t, name) => {
  const { people } = await database(t, name)
  const { id, key } = await people.attach(detached('ada'))
  for (const password of ['', 'null', 'undefined', PASSWORD])
    t.is(await people.authenticate({ username: 'ada', password }), null)
  await people.setPassword(id, PASSWORD)
  t.is((await people.authenticate({ username: 'ada', password: PASSWORD }))?.key, key)
})

testEach('X3: nobody is taken for the local user who has their name or address', async (t, name) => {
  const { people, knex } = await database(t, name)
  const admin = await people.create({ ...right, email: 'admin@example.org', isSuperuser: true })
  for (const [user, field] of [
    [detached('admin'), 'username'],
    [detached('ADMIN'), 'username'],
    [detached('1', { username: 'ａdmin' }), 'username'],
    [detached('2', { username: 'eve', email: 'Admin@example.org' }), 'email'],
    [detached('admin@example.org', { email: 'admin@example.org' }), 'email'],
  ] as const) {
    const error = await t.throwsAsync(people.attach(user), { instanceOf: UserExists })
    t.is(error.field, field)
    t.is(await people.find({ identity: user }), null)
  }
  t.is((await knex('users')).length, 1)
  const other = await people.attach(detached('admin'), { username: 'admin (ldap)' })
  t.not(other.key, admin.key)
  t.false(other.isSuperuser)
  t.is(
    (await people.attach(detached('2', { username: 'eve', email: 'admin@example.org' }), { email: null })).email,
    null,
  )
  t.is((await people.find({ username: 'admin' }))?.key, admin.key)
})

testEach('X3: identities are backend and id, to the byte', async (t, name) => {
  const { people } = await database(t, name)
  const ids = [
    'ada',
    'ADA',
    'ada ',
    ' ada',
    'áda',
    'ada\u200b',
    'ada\0',
    'a/da',
    '../ada',
    "'; drop table users --",
    'عدا',
    '🦊',
    'é'.repeat(512),
  ]
  const keys = new Set<string>()
  for (const [index, id] of ids.entries()) {
    for (const backend of ['ldap', 'LDAP', 'oidc']) {
      const user = new DetachedUser({ backend, id })
      keys.add((await people.attach(user, { username: `${backend} ${index} ${keys.size}` })).key)
    }
  }
  t.is(keys.size, 3 * ids.length)
  for (const id of ids) t.true(keys.has((await people.find({ identity: { backend: 'ldap', id } }))!.key))
})

testEach('A name or an address that cannot be one here is refused, with words for a form', async (t, name) => {
  const { people, knex } = await database(t, name)
  const user = detached('uid=ada:x', { email: 'no address' })
  const error = await t.throwsAsync(people.attach(user), { instanceOf: UserInvalid })
  t.deepEqual(Object.keys(error.fields), ['username', 'email'])
  t.is((await knex('users')).length, 0)
  t.is((await people.attach(user, { username: 'ada', email: null })).username, 'ada')
})

testEach('Who is deleted can be attached anew, as somebody else', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.attach(detached('ada'))
  await people.delete(id)
  t.is(await people.find({ identity: detached('ada') }), null)
  t.is((await knex('identities')).length, 0)
  t.not((await people.attach(detached('ada'))).id, id)
})

testEach('R3: 200 first attaches of one identity at once make one record, and no error', async (t, name) => {
  const { people, knex } = await database(t, name)
  const made = await Promise.all(
    Array.from({ length: 200 }, () => people.attach(detached('ada', { email: 'ada@example.org' }))),
  )
  t.is(new Set(made.map(({ key }) => key)).size, 1)
  t.is((await knex('users')).length, 1)
  t.is((await knex('identities')).length, 1)
})

testEach('R3: 200 first logins of one identity at once log in one new user', async (t, name) => {
  const { people, knex } = await database(t, name)
  const directory = detachedUsers({ name: 'ldap', authenticate: async ({ username }) => ({ id: username! }) })
  const app = await startUsersApp(t, {
    // Asked first, so that nothing is hashed.
    backends: [directory, people],
    handlers: {
      async '/first'(ctx) {
        const known = await ctx.authenticate({ username: 'ada', password: 'whatever' })
        const user = await people.attach(known!)
        await ctx.login(user)
        return user.key
      },
    },
  })
  const browsers = Array.from({ length: 200 }, () => app.browser())
  const answers = await Promise.all(browsers.map(browser => browser.get('/first')))
  t.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  const [user, ...more] = await knex('users').pluck('id')
  t.deepEqual(more, [])
  t.deepEqual(new Set(await Promise.all(browsers.map(whoIs))), new Set([`sql:${user}`]))
})

testEach('R3: neither do 200 that would each give it another name', async (t, name) => {
  const { people, knex } = await database(t, name)
  const made = await Promise.all(
    Array.from({ length: 200 }, (_, n) => people.attach(detached('ada'), { username: `ada ${n}` })),
  )
  t.is(new Set(made.map(({ key }) => key)).size, 1)
  t.is((await knex('users')).length, 1)
})

testEach(
  'R3: those who look first and insert afterwards get into each other, so that the tests above can fail',
  async (t, name) => {
    const { people, knex } = await database(t, name)
    const count = 20
    const naively = async (username: string, together: () => Promise<void>) => {
      if (await people.find({ identity: detached('ada') })) return
      await together()
      await people.create({ username })
    }
    const barrier = () => {
      const all = Promise.withResolvers<void>()
      let waiting = 0
      return () => {
        if (++waiting === count) all.resolve()
        return all.promise
      }
    }
    const [first, second] = [barrier(), barrier()]
    const same = await Promise.allSettled(Array.from({ length: count }, () => naively('ada', first)))
    t.is(same.filter(({ status }) => status === 'rejected').length, count - 1)
    await Promise.all(Array.from({ length: count }, (_, n) => naively(`ada ${n}`, second)))
    t.is((await knex('users')).length, count + 1)
  },
)

testEach(
  'R3: attaches of many identities at once that want one name make one record, and the others are told',
  async (t, name) => {
    const { people, knex } = await database(t, name)
    const made = await Promise.allSettled(
      Array.from({ length: 60 }, (_, n) => people.attach(detached(`${n % 20}`), { username: 'ada' })),
    )
    const reasons = made.filter(one => one.status === 'rejected').map(one => one.reason)
    t.true(reasons.every(error => error instanceof UserExists && error.field === 'username'))
    t.is(reasons.length, 57)
    t.is((await knex('users')).length, 1)
  },
)

test('mariadb: in a transaction that cannot see who was attached since, the database’s error comes out.', async t => {
  const { knex, people } = await database(t, 'mariadb')
  await t.throwsAsync(
    knex.transaction(async trx => {
      await trx('users').first()
      await people.attach(detached('ada'))
      await sqlUsers(trx).attach(detached('ada'), { username: 'another name' })
    }),
    { code: 'ER_DUP_ENTRY' },
  )
  t.is((await knex('users')).length, 1)
})

testEach('R3: who is attached while the one of before is deleted is attached anew', async (t, name) => {
  const { people, knex } = await database(t, name)
  for (let round = 0; round < 5; round++) {
    const { id } = await people.attach(detached('ada'))
    const [local] = await Promise.all([people.attach(detached('ada')), people.delete(id)])
    t.is(local.username, 'ada')
    const [left] = await knex('users').pluck('id')
    t.true(left === undefined || String(left) === local.id)
    if (left !== undefined) await people.delete(local.id)
  }
})

async function withProfiles(t: ExecutionContext, name: DatabaseName) {
  const { knex } = await migratedDatabase(t, name)
  const collation = name === 'mariadb' ? 'character set utf8mb4 collate utf8mb4_general_ci' : ''
  for (const table of ['employers', 'employees']) {
    await knex.schema.createTable(table, made => {
      made.specificType('user_key', `varchar(700) ${collation}`)
      made.string('name')
    })
  }
  const employer = sqlProfiles<{ name: string }>(knex, { table: 'employers' })
  const employee = sqlProfiles<{ name: string }>(knex, { table: 'employees' })
  return { knex, people: sqlUsers(knex), employer, employee }
}

const namesIn = async (knex: Knex, table: string): Promise<Record<string, string>> =>
  Object.fromEntries((await knex(table)).map(({ user_key, name }) => [user_key, name]))

testEach('Profiles of several kinds go over to the local user, and nobody else is touched', async (t, name) => {
  const { knex, people, employer, employee } = await withProfiles(t, name)
  const others = ['LDAP:ada', 'ldap:Ada', 'ldap:áda', 'ldap:ada ', 'ldap:ad', 'oidc:ada', 'sql:99']
  for (const table of ['employers', 'employees'])
    await knex(table).insert(['ldap:ada', ...others].map(user_key => ({ user_key, name: `of ${user_key}` })))
  const sources = [employer, employee]
  const local = await people.attach(detached('ada'), { profiles: sources })
  for (const [table, source] of [
    ['employers', employer],
    ['employees', employee],
  ] as const) {
    t.deepEqual(
      await namesIn(knex, table),
      Object.fromEntries([[local.key, 'of ldap:ada'], ...others.map(key => [key, `of ${key}`])]),
    )
    t.is((await source.find(local))?.name, 'of ldap:ada')
    t.is(await source.find(detached('ada')), null)
  }
  await knex('employers').insert({ user_key: 'ldap:ada', name: 'late' })
  await people.attach(detached('ada'), { profiles: sources })
  t.is((await namesIn(knex, 'employers'))['ldap:ada'], 'late', 'who is attached does not move again')
  t.is((await people.attach(detached('bob'), { profiles: sources })).username, 'bob')
})

testEach('Profiles go over once when many attach at once, and not at all when one of them cannot', async (t, name) => {
  const { knex, people, employer, employee } = await withProfiles(t, name)
  await knex('employers').insert({ user_key: 'ldap:ada', name: 'Acme' })
  await knex('employees').insert({ user_key: 'ldap:ada', name: 'Ada' })
  const broken = sqlProfiles(knex, { table: 'not_there' })
  const error = await t.throwsAsync(people.attach(detached('ada'), { profiles: [employer, broken] }))
  t.notRegex(`${error.message}${error.stack}`, /ldap:ada|update /)
  t.deepEqual(await namesIn(knex, 'employers'), { 'ldap:ada': 'Acme' })
  t.is((await knex('users')).length + (await knex('identities')).length, 0)

  let carried = 0
  const counting = {
    async carry() {
      carried++
    },
  }
  const all = await Promise.all(
    Array.from({ length: 30 }, () => people.attach(detached('ada'), { profiles: [employer, employee, counting] })),
  )
  t.is(carried, 1)
  const { key } = all[0]!
  t.deepEqual(await namesIn(knex, 'employers'), { [key]: 'Acme' })
  t.deepEqual(await namesIn(knex, 'employees'), { [key]: 'Ada' })
})

testEach(
  'A profile that the local user has already is an error of the database, and nothing is attached',
  async (t, name) => {
    const { knex, people, employer } = await withProfiles(t, name)
    await knex.schema.alterTable('employers', table => {
      table.unique(['user_key'])
    })
    const { id } = await people.create({ username: 'before' })
    await knex('employers').insert(['ldap:ada', `sql:${Number(id) + 1}`].map(user_key => ({ user_key, name: 'x' })))
    const failed = await t.throwsAsync(people.attach(detached('ada'), { profiles: [employer] }))
    t.false(failed instanceof UserExists)
    t.is(await people.find({ identity: detached('ada') }), null)
    t.is((await knex('users')).length, 1)
  },
)

test('In an app a detached user is attached, goes on as the local user, and has their profile.', async t => {
  const { knex, people, employer } = await withProfiles(t, 'sqlite')
  await knex('employers').insert({ user_key: 'ldap:ada', name: 'Acme' })
  const ldap = detachedUsers({ name: 'ldap', authenticate: async ({ username }) => ({ id: username! }) })
  const app = await startUsersApp(t, {
    backends: [people, ldap],
    above: [profiles({ employer })],
    handlers: {
      async '/attach'(ctx) {
        const local = await people.attach(ctx.state.user as DetachedUser, { profiles: [employer] })
        await ctx.login(local)
        return local.key
      },
      '/company': ({ state: { user } }) => (user as { profile?: { name: string } }).profile?.name ?? 'none',
    },
  })
  const browser = app.browser()
  await logIn(browser, 'ada')
  t.is(await whoIs(browser), 'ldap:ada')
  t.is((await browser.get('/company')).text, 'Acme')
  const key = (await browser.get('/attach')).text
  t.is(await whoIs(browser), key)
  t.is((await browser.get('/company')).text, 'Acme')
  const later = app.browser()
  await logIn(later, 'ada')
  t.is(await whoIs(later), 'ldap:ada', 'the directory still vouches for the detached user')
  t.is((await later.get('/company')).text, 'none')
  t.is((await later.get('/attach')).text, key)
})

for (const [what, user, options, option] of [
  ['nobody', null, {}, 'user'],
  ['anonymous users', new AnonymousUser(), {}, 'user'],
  ['users of this backend', new DetachedUser({ backend: 'sql', id: '1' }), {}, 'user'],
  ['an id that is too long', { backend: 'ldap', id: 'x'.repeat(1025) }, {}, 'user'],
  ['a backend that is none', { backend: 'a:b', id: 'x' }, {}, 'user'],
  ['no options', detached('ada'), null, 'options'],
  ['a misspelt option', detached('ada'), { profile: [] }, 'profile'],
  ['profiles that are no array', detached('ada'), { profiles: {} }, 'profiles'],
  ['profiles that cannot be carried', detached('ada'), { profiles: [{ find: async () => null }] }, 'profiles[0]'],
] as const) {
  test(`attach() refuses ${what}, and asks nothing.`, async t => {
    const { people, queries } = await database(t)
    queries.length = 0
    const error = await t.throwsAsync(people.attach(user as never, options as never), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.deepEqual(queries, [])
  })
}

test('An identity that nobody can have is nobody’s, and never reaches the database.', async t => {
  const { people, queries } = await database(t)
  queries.length = 0
  for (const identity of [
    null,
    'ldap:ada',
    {},
    { backend: 'ldap' },
    { backend: 'ldap', id: '' },
    { backend: ':', id: 'x' },
  ])
    t.is(await people.find({ identity: identity as never }), null)
  t.deepEqual(queries, [])
})

import { hash as argon2 } from '@node-rs/argon2'
import test from 'ava'
import type { Knex } from 'knex'
import { UserInvalid } from 'koa-strata'
import type { SqlUsers } from 'koa-strata/sql'
import { renewedOrigin } from '../../../lib/users/sql/stamp.ts'
import { insertedId } from '../../database/catalogue.ts'
import { heard } from '../../heard.ts'
import { database, OLD_HASH, PASSWORD, right, site, testEach } from './people.ts'

for (const [what, hash] of [
  ['of Django', OLD_HASH],
  ['of argon2 with less memory', null],
] as const) {
  testEach(`W1: a hash ${what} is renewed by a login, and the stamp stays`, async (t, name) => {
    const { people, knex } = await database(t, name)
    const { id } = await people.create({ username: 'admin' })
    const old = hash ?? (await argon2(PASSWORD, { memoryCost: 1024 }))
    await knex('users').update({ password: old })
    const { stamp } = (await people.load(id))!

    t.is(await people.authenticate({ ...right, password: 'wrong' }), null)
    t.is((await knex('users').first()).password, old)
    t.is((await people.authenticate(right))?.stamp, stamp)

    const { password } = await knex('users').first()
    t.regex(password, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    t.is((await people.load(id))?.stamp, stamp)
    t.is((await people.authenticate(right))?.stamp, stamp)
    t.is((await knex('users').first()).password, password, 'renewed once')
  })
}

testEach('W1: a hash that is renewed again and again still counts as the one it was made from', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.create({ username: 'admin' })
  await knex('users').update({ password: OLD_HASH })
  const { stamp } = (await people.load(id))!
  for (const next of ['second hash', 'third hash', 'fourth hash']) {
    const { password, stamp_origin: stampOrigin } = await knex('users').first()
    await knex('users').update({ password: next, stamp_origin: renewedOrigin({ password, stampOrigin }, next) })
    t.is((await people.load(id))?.stamp, stamp)
  }
  await knex('users').update({ password: 'third hash' })
  t.not((await people.load(id))?.stamp, stamp)
})

test('W1: a renewal does not undo a new password that came while it was made', async t => {
  const { people, knex } = await database(t)
  await people.create({ username: 'admin' })
  await knex('users').update({ password: OLD_HASH })
  await knex.raw(
    "create trigger meanwhile after update of last_login on users begin update users set password = 'newer'; end",
  )
  const { stamp } = (await people.authenticate(right))!
  t.is((await knex('users').first()).password, 'newer')
  t.not((await people.find({ username: 'admin' }))?.stamp, stamp)
})

test('A login holds where nothing can be noted of it, and operators are told.', async t => {
  const { people, knex } = await database(t)
  await people.create(right)
  await knex.raw("create trigger full before update on users begin select raise(abort, 'no room'); end")
  const told = heard(t, 'koa-strata:backend-error')
  t.truthy(await people.authenticate(right))
  t.true(told.some(({ backend, error }) => backend === 'sql' && /no room/.test(String(error))))
})

testEach('W1: many logins at once renew one hash once, and all have one stamp', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.create({ username: 'admin' })
  await knex('users').update({ password: OLD_HASH })
  const { stamp } = (await people.load(id))!
  const logins = await Promise.all(Array.from({ length: 8 }, () => people.authenticate(right)))
  t.deepEqual(new Set(logins.map(user => user?.stamp)), new Set([stamp]))
  t.is((await people.load(id))?.stamp, stamp)
  t.truthy(await people.authenticate(right))
})

testEach(
  'W1: sessions survive the renewal of the hash, and end when somebody changes the password column',
  async (t, name) => {
    const { knex, people, logIn } = await site(t, name)
    await people.create({ username: 'admin' })
    await knex('users').update({ password: OLD_HASH })
    const first = await logIn('admin')
    t.not((await knex('users').first()).password, OLD_HASH)
    const second = await logIn('admin')
    for (const browser of [first, second]) t.is((await browser.get('/me')).text, 'admin')
    await knex('users').update({ password: OLD_HASH.replace('seasalt', 'newsalt') })
    for (const browser of [first, second]) t.is((await browser.get('/me')).text, 'nobody')
  },
)

for (const [what, end] of Object.entries({
  'a new password': (people: SqlUsers, id: string) => people.setPassword(id, 'a horse of another colour'),
  'the same password set anew': (people: SqlUsers, id: string) => people.setPassword(id, PASSWORD),
  'taking the password away': (people: SqlUsers, id: string) => people.setPassword(id, null),
  deactivation: (people: SqlUsers, id: string) => people.deactivate(id),
  endSessions: (people: SqlUsers, id: string) => people.endSessions(id),
  deletion: (_: SqlUsers, id: string, knex: Knex) => knex('users').where({ id }).del(),
  'deactivation by hand': (_: SqlUsers, id: string, knex: Knex) =>
    knex('users').where({ id }).update({ is_active: false }),
})) {
  testEach(`S4: ${what} ends the user's sessions at their next request, and no other's`, async (t, name) => {
    const { knex, people, logIn } = await site(t, name)
    const { id } = await people.create(right)
    await people.create({ username: 'other', password: PASSWORD })
    const [one, another, other] = [await logIn('admin'), await logIn('admin'), await logIn('other')]
    t.is((await one.get('/me')).text, 'admin')
    await end(people, id, knex)
    t.is((await one.get('/me')).text, 'nobody')
    t.is((await another.get('/me')).text, 'nobody')
    t.is((await other.get('/me')).text, 'other')
  })
}

testEach('S4: sessions that a deactivation ended do not come back when the user is active again', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id, stamp } = await people.create(right)
  await people.deactivate(id)
  t.is(await people.authenticate(right), null)
  await knex('users').update({ is_active: true })
  t.truthy(await people.authenticate(right))
  t.not((await people.load(id))?.stamp, stamp)
})

testEach('S4: each end of sessions gives another stamp, and nothing else does', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.create({ username: 'admin', password: PASSWORD })
  const stamps = new Set<string>()
  const stampNow = async () => (await people.load(id))!.stamp
  stamps.add(await stampNow())
  for (let n = 2; n <= 5; n++) {
    await people.endSessions(id)
    t.is(stamps.add(await stampNow()).size, n)
  }
  await people.grant(id, 'x')
  await people.authenticate(right)
  await knex('users').update({ email: 'admin@example.org', is_staff: true })
  t.is(stamps.add(await stampNow()).size, 5)
})

testEach('S4: the id of a user who was deleted is never given to another', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.create({ username: 'admin' })
  await knex('users').where({ id }).del()
  t.not((await people.create({ username: 'other' })).id, id)
})

testEach('R1: a permission is denied unless it was granted, whatever its name', async (t, name) => {
  const { people } = await database(t, name)
  const { id } = await people.create({ username: 'editor', isStaff: true })
  await people.grant(id, 'openings.publish')
  const user = (await people.load(id))!
  t.true(user.hasPermission('openings.publish'))
  for (const name of [
    'openings.Publish',
    'openings',
    'openings.*',
    '',
    '*',
    '__proto__',
    'constructor',
    'toString',
    'has',
  ]) {
    t.false(user.hasPermission(name), name)
  }
  for (const name of [null, undefined, 0, true, ['openings.publish'], {}]) {
    t.false(user.hasPermission(name as unknown as string))
  }
})

testEach('R1: a superuser has every permission while active, and an inactive user has none', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.create({ username: 'root', isSuperuser: true })
  await people.grant(id, 'x')
  t.true((await people.load(id))!.hasPermission('anything'))
  t.false((await people.load(id))!.hasPermission(['anything'] as unknown as string))
  await people.deactivate(id)
  const inactive = (await people.load(id))!
  t.false(inactive.hasPermission('anything'))
  t.false(inactive.hasPermission('x'))
  t.is(inactive.permissions.size, 0)
  // What a column of numbers takes beyond 0 and 1; PostgreSQL has one of booleans, SQLite takes anything.
  for (const value of { sqlite: [2, -1, 'yes', 'true'], mariadb: [2, -1], postgresql: [] }[name]) {
    await knex('users').update({ is_active: value })
    t.false((await people.load(id))!.isActive, String(value))
  }
})

testEach('R2: a change of permissions, own or by a group, holds at the next request', async (t, name) => {
  const { knex, people, logIn } = await site(t, name)
  const { id } = await people.create(right)
  const browser = await logIn('admin')
  const status = async () => (await browser.get('/reports')).status
  t.is(await status(), 403)
  await people.grant(id, 'reports.read')
  t.is(await status(), 200)
  await people.revoke(id, 'reports.read')
  t.is(await status(), 403)

  const group = await insertedId(knex, 'groups', { name: 'readers' })
  await knex('group_permissions').insert({ group_id: group, permission: 'reports.read' })
  t.is(await status(), 403)
  await knex('group_members').insert({ group_id: group, user_id: id })
  t.is(await status(), 200)
  await knex('group_permissions').del()
  t.is(await status(), 403)
  await knex('users').update({ is_superuser: true })
  t.is(await status(), 200)
})

testEach('A permission can be granted twice and taken twice', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { id } = await people.create({ username: 'editor' })
  await Promise.all([people.grant(id, 'x'), people.grant(id, 'x'), people.grant(id, 'y')])
  t.is((await knex('user_permissions')).length, 2)
  await people.revoke(id, 'x')
  await people.revoke(id, 'x')
  t.deepEqual([...(await people.load(id))!.permissions], ['y'])
})

for (const [what, permission] of [
  ['empty', ''],
  ['no text', 5],
  ['an array', ['x']],
  ['256 characters', 'x'.repeat(256)],
  ['a space after it', 'x '],
  ['NUL in it', 'x\0'],
  ['a lone surrogate', 'x\ud800'],
] as const) {
  testEach(`A permission's name is refused with words for a form: ${what}`, async (t, name) => {
    const { people, knex } = await database(t, name)
    const { id } = await people.create({ username: 'editor' })
    for (const change of [people.grant, people.revoke]) {
      const error = await t.throwsAsync(change(id, permission as string), { instanceOf: UserInvalid })
      t.regex(error.fields.permission ?? '', /name/)
    }
    t.is((await knex('user_permissions')).length, 0)
  })
}

testEach(
  'S4: of many calls of endSessions() at once each answers the stamp that it made, and the last one holds.',
  async (t, name) => {
    const { people } = await database(t, name)
    const { id, stamp } = await people.create({ username: 'ada' })
    const made = await Promise.all(Array.from({ length: 20 }, () => people.endSessions(id)))
    t.is(new Set([stamp, ...made]).size, 21)
    t.true(made.includes((await people.load(id))!.stamp))
    t.is(await people.endSessions('99'), null)
  },
)

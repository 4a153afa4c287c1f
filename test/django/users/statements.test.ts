import test from 'ava'
import { djangoUsers } from '../../../lib/django/users.ts'
import { Backends } from '../../../lib/users/backends.ts'
import { heard } from '../../heard.ts'
import { testEach } from '../../users/sql/people.ts'
import { addPermission, addUser, djangoTables, PASSWORD, SECRET_KEY } from './tables.ts'

testEach(
  'users who are loaded at once take two statements for each 500 of them, whatever they may do',
  async (t, name) => {
    const { knex, people, queries } = await djangoTables(t, name)
    const rows = Array.from(
      { length: 501 },
      (_, index) => `('pw', false, 'user ${index}', '', '', '', false, true, '2026-01-02 03:04:05')`,
    )
    await knex.raw(
      `insert into auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) values ${rows.join()}`,
    )
    const ids = (await knex('auth_user').orderBy('id').pluck('id')).map(String)
    const permission_id = await addPermission(knex, 'openings.view_opening')
    await knex('auth_user_user_permissions').insert(
      ids.filter((_, index) => index % 50 === 0).map(user_id => ({ user_id, permission_id })),
    )
    const backends = new Backends('test', [people])
    queries.length = 0
    const found = await Promise.all(ids.slice(0, 100).map(id => backends.load(people, id)))
    t.is(queries.length, 2)
    t.deepEqual(
      found.map(user => user?.id),
      ids.slice(0, 100),
    )
    t.deepEqual(
      found.flatMap(user => (user?.hasPermission('openings.view_opening') ? [user.id] : [])),
      [ids[0]!, ids[50]!],
    )
    queries.length = 0
    t.is((await people.loadMany(ids)).filter(Boolean).length, 501)
    t.is(queries.length, 4)
    queries.length = 0
    t.deepEqual(await people.loadMany(['x', '-1', '', '01', '9'.repeat(30)]), [null, null, null, null, null])
    t.is(queries.length, 0)
    // Beyond the column's type.
    t.is(await people.load('9000000000000000000'), null)
  },
)

testEach(
  'a permission is the pair of both names, by whichever way it comes, and no inherited name is one',
  async (t, name) => {
    const { knex, people } = await djangoTables(t, name)
    const [id, other] = [await addUser(knex), await addUser(knex, { username: 'other' })]
    // Names that a collation takes for one, and others that stumble.
    const own = [
      'openings.View_opening',
      'openings.view_opening',
      'openings.víew_opening',
      '__proto__.constructor',
      'a.b.c',
    ]
    for (const permission of own) {
      const permission_id = await addPermission(knex, permission)
      await knex('auth_user_user_permissions').insert({ user_id: id, permission_id })
    }
    const user = (await people.load(id))!
    t.deepEqual([...user.permissions].sort(), [
      '__proto__.constructor',
      'a.b',
      'openings.View_opening',
      'openings.view_opening',
      'openings.víew_opening',
    ])
    for (const permission of [
      '__proto__',
      'constructor',
      'toString',
      '',
      'openings',
      'openings.',
      'openings.VIEW_OPENING',
      'view_opening',
      'size',
    ])
      t.false(user.hasPermission(permission), permission)
    for (const permission of [undefined, null, {}, ['a.b'], 1]) t.false(user.hasPermission(permission as never))
    t.is((await people.load(other))?.permissions.size, 0)
  },
)

test('A last login that cannot be noted costs nobody the login, and is told.', async t => {
  const { knex } = await djangoTables(t, 'sqlite')
  const people = djangoUsers(knex, { secretKey: SECRET_KEY, updateLastLogin: true })
  const id = await addUser(knex)
  await knex.raw(
    "create trigger locked before update on auth_user begin select raise(abort, 'nobody writes here'); end",
  )
  const errors = heard(t, 'koa-strata:backend-error')
  t.is((await people.authenticate({ username: 'ada', password: PASSWORD }))?.id, id)
  t.deepEqual(
    errors.map(({ backend, error }) => [backend, (error as Error).message]),
    [['django', 'nobody writes here']],
  )
  t.is((await people.load(id))?.lastLogin, null)
})

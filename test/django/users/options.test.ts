import test from 'ava'
import knexFactory from 'knex'
import { OptionInvalid } from 'koa-strata'
import { DjangoModel } from '../../../lib/django/users/model.ts'
import { type DjangoUsersOptions, djangoUsers } from '../../../lib/django/users.ts'
import { SECRET_KEY } from './tables.ts'

const knex = knexFactory({ client: 'better-sqlite3', useNullAsDefault: true, connection: ':memory:' })
test.after.always(() => knex.destroy())

const WRONG: [option: string, options: unknown][] = [
  ['options', undefined],
  ['options', null],
  ['options', 'secret'],
  ['secretKey', {}],
  ['secretKey', { secretKey: '' }],
  ['secretKey', { secretKey: 1 }],
  ['secretKeyFallbacks', { secretKeyFallbacks: 'key' }],
  ['secretKeyFallbacks', { secretKeyFallbacks: [1] }],
  ['name', { name: '' }],
  ['name', { name: 'a:b' }],
  ['model', { model: 'User' }],
  ['model', { model: 'auth.contrib.User' }],
  ['model', { model: 'auth.User; drop' }],
  ['model', { model: null }],
  ['table', { table: '' }],
  ['table', { table: 'auth user' }],
  ['table', { table: 1 }],
  ['columns', { columns: 'id' }],
  ['columns', { columns: null }],
  ['columns', { columns: ['id'] }],
  ['mail', { columns: { mail: 'mail' } }],
  ['columns.id', { columns: { id: null } }],
  ['columns.username', { columns: { username: null } }],
  ['columns.password', { columns: { password: null } }],
  ['columns.email', { columns: { email: '' } }],
  ['columns.isStaff', { columns: { isStaff: 'is staff' } }],
  ['columns.dateJoined', { columns: { dateJoined: 'auth_user.date_joined' } }],
  ['columns.lastLogin', { columns: { lastLogin: false } }],
  ['columns.lastLogin', { columns: { lastLogin: null }, updateLastLogin: true }],
  ['idType', { idType: 'bigint' }],
  ['permissionsMixin', { permissionsMixin: 'no' }],
  ['updateLastLogin', { updateLastLogin: 1 }],
  ['timeout', { timeout: 0 }],
  ['timeout', { timeout: Infinity }],
  ['now', { now: 0 }],
  ['secret_key', { secret_key: 'x' }],
  ['passwords', { passwords: {} }],
]

for (const [option, given] of WRONG) {
  const isWhole = option === 'options' || option === 'secretKey'
  test(`djangoUsers() refuses ${JSON.stringify(given) ?? 'no options'}, naming '${option}'.`, t => {
    const options = (isWhole ? given : { secretKey: SECRET_KEY, ...(given as object) }) as DjangoUsersOptions
    const error = t.throws(() => djangoUsers(knex, options), { instanceOf: OptionInvalid })
    t.regex(error.message, new RegExp(`djangoUsers\\(\\).*'?${option.replace('.', '\\.')}`))
    t.false(error.message.includes(SECRET_KEY))
  })
}

for (const [what, one] of Object.entries({
  null: null,
  'an object': {},
  'a function': () => {},
  'knex for another database': knexFactory({ client: 'mssql' }),
})) {
  test(`djangoUsers() refuses ${what} in place of a knex instance.`, t => {
    t.throws(() => djangoUsers(one as never, { secretKey: SECRET_KEY }), { instanceOf: OptionInvalid, message: /knex/ })
  })
}

test('The caller’s options stay as they are, and later changes of them change nothing.', async t => {
  const options = Object.freeze({ secretKey: SECRET_KEY, columns: Object.freeze({ username: 'email' }) })
  t.notThrows(() => djangoUsers(knex, options))
  const changing = { secretKey: SECRET_KEY, columns: { username: 'email' as string } }
  const users = djangoUsers(knex, changing)
  changing.columns.username = 'nowhere'
  await t.throwsAsync(users.find({ username: 'x' }), { message: /no such table: auth_user/ })
})

test('find() refuses what is not one of its searches, and the backend is for reading: it has no way to change a user.', async t => {
  const users = djangoUsers(knex, { secretKey: SECRET_KEY })
  for (const by of [{}, { id: '1', username: 'x' }, { name: 'x' }, null, 'ada'])
    await t.throwsAsync(users.find(by as never), { instanceOf: OptionInvalid })
  t.deepEqual(Object.keys(users).sort(), [
    'authenticate',
    'find',
    'identify',
    'load',
    'loadMany',
    'name',
    'stampFollowsPassword',
  ])
})

for (const [given, tables] of [
  [{}, ['auth_user', 'auth_user_groups', 'auth_user_user_permissions', 'user_id', 'auth_group', 'is_superuser']],
  [
    { model: 'my_app.StaffMember' },
    [
      'my_app_staffmember',
      'my_app_staffmember_groups',
      'my_app_staffmember_user_permissions',
      'staffmember_id',
      'auth_group',
      'is_superuser',
    ],
  ],
  [
    { model: 'accounts.Person', table: 'site.auth_user' },
    [
      'site.auth_user',
      'site.auth_user_groups',
      'site.auth_user_user_permissions',
      'person_id',
      'site.auth_group',
      'is_superuser',
    ],
  ],
  [{ permissionsMixin: false }, ['auth_user', undefined, undefined, undefined, undefined, null]],
  [
    { permissionsMixin: false, columns: { isSuperuser: 'is_admin', isStaff: 'is_admin' } },
    ['auth_user', undefined, undefined, undefined, undefined, 'is_admin'],
  ],
] as const) {
  test(`Tables and columns are called as Django calls them with ${JSON.stringify(given)}.`, t => {
    const model = new DjangoModel('djangoUsers()', given)
    const { userGroups, userPermissions, userColumn, groups } = model.permissionTables ?? {}
    t.deepEqual(
      [model.table, userGroups, userPermissions, userColumn, groups, model.column('isSuperuser')],
      tables as never,
    )
  })
}

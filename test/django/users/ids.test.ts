import { randomUUID } from 'node:crypto'
import test from 'ava'
import { type DjangoUsersOptions, djangoUsers } from '../../../lib/django/users.ts'
import { type DatabaseName, newDatabase } from '../../database/servers.ts'
import { PASSWORD, pbkdf2Hash, SECRET_KEY } from './tables.ts'

/** The columns in which Django keeps UUIDs, and how it writes them there. */
const UUIDS: [name: DatabaseName, column: string, written: (uuid: string) => string][] = [
  ['sqlite', 'char(32)', uuid => uuid.replaceAll('-', '')],
  ['mariadb', 'char(32)', uuid => uuid.replaceAll('-', '')],
  ['mariadb', 'uuid', uuid => uuid],
  ['postgresql', 'uuid', uuid => uuid],
]
const OPTIONS = {
  secretKey: SECRET_KEY,
  model: 'members.Member',
  columns: {
    username: 'email',
    isStaff: null,
    firstName: null,
    lastName: null,
    dateJoined: null,
    lastLogin: null,
    isActive: null,
    isSuperuser: null,
  },
} satisfies DjangoUsersOptions

for (const [name, column, written] of UUIDS) {
  test(`${name}: users whose ids are UUIDs in a column of type ${column} are found by them, with their groups, as Django's sessions name them.`, async t => {
    const knex = (await newDatabase(t, name)).open()
    await knex.schema.createTable('members_member', table => {
      table.specificType('id', `${column} not null primary key`)
      table.string('email').notNullable()
      table.string('password').notNullable()
    })
    for (const [through, second] of [
      ['members_member_groups', 'group_id'],
      ['members_member_user_permissions', 'permission_id'],
    ] as const) {
      await knex.schema.createTable(through, table => {
        table.specificType('member_id', `${column} not null`)
        table.integer(second)
      })
    }
    await knex.schema.createTable('auth_group', table => {
      table.integer('id')
      table.string('name')
    })
    for (const empty of ['auth_group_permissions', 'auth_permission', 'django_content_type']) {
      await knex.schema.createTable(empty, table => {
        for (const one of ['id', 'group_id', 'permission_id', 'content_type_id']) table.integer(one)
        for (const one of ['app_label', 'codename']) table.string(one)
      })
    }
    const ids = [randomUUID(), randomUUID(), randomUUID()] as const
    for (const [index, id] of ids.entries()) {
      await knex('members_member').insert({
        id: written(id),
        email: `${index}@example.org`,
        password: pbkdf2Hash(PASSWORD),
      })
      await knex('auth_group').insert({ id: index, name: `group ${index}` })
      await knex('members_member_groups').insert({ member_id: written(id), group_id: index })
    }
    const users = djangoUsers(knex, { ...OPTIONS, idType: 'uuid' })
    const asked = [ids[2], randomUUID(), ids[0]]
    t.deepEqual(
      (await users.loadMany(asked)).map(user => user && [user.id, user.username, user.email, ...user.groups]),
      [
        [ids[2], '2@example.org', '2@example.org', 'group 2'],
        null,
        [ids[0], '0@example.org', '0@example.org', 'group 0'],
      ],
    )
    t.is((await users.authenticate({ username: '1@example.org', password: PASSWORD }))?.key, `django:${ids[1]}`)
    t.is((await users.find({ email: '1@example.org' }))?.key, `django:${ids[1]}`)
    for (const other of [ids[0].toUpperCase(), ids[0].replaceAll('-', ''), `{${ids[0]}}`, ` ${ids[0]}`, '1', ''])
      t.is(await users.load(other), null, other)
  })
}

test('Ids that are text are compared as such, whatever the collation thinks; without groups and flags somebody is active, and may do nothing.', async t => {
  const knex = (await newDatabase(t, 'mariadb')).open()
  await knex.schema.createTable('members_member', table => {
    table.string('login').primary()
    table.string('password').notNullable()
  })
  await knex('members_member').insert({ login: 'Ann', password: pbkdf2Hash(PASSWORD) })
  const columns = { ...OPTIONS.columns, id: 'login', username: 'login', email: null }
  const users = djangoUsers(knex, { ...OPTIONS, columns, idType: 'text', permissionsMixin: false })
  const ann = (await users.load('Ann'))!
  t.deepEqual(
    [ann.id, ann.username, ann.email, ann.isActive, ann.isStaff, ann.isSuperuser],
    ['Ann', 'Ann', null, true, false, false],
  )
  t.deepEqual(
    [ann.permissions.size, ann.groups.size, ann.dateJoined, ann.lastLogin, ann.firstName],
    [0, 0, null, null, ''],
  )
  for (const other of ['ann', 'Ann ', 'Ánn', 'ANN']) t.is(await users.load(other), null, other)
  t.is((await users.authenticate({ username: 'ANN', password: PASSWORD }))?.id, 'Ann')
})

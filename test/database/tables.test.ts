import test from 'ava'
import type { Knex } from 'knex'
import {
  groupMembers,
  groupPermissions,
  groups,
  sessions,
  type Table,
  userPermissions,
  users,
} from '../../lib/database/tables.ts'
import { migratedSqlite } from './sqlite.ts'

const TABLES: Table[] = [users, groups, groupMembers, userPermissions, groupPermissions, sessions]
const UNIQUE = { code: 'SQLITE_CONSTRAINT_UNIQUE' }

async function addUser(knex: Knex, name: string, more: object = {}): Promise<number> {
  const [id] = await knex('users').insert({ username: name, username_canonical: name, created_at: 0, ...more })
  return id!
}

test('The tables have exactly the columns that they name.', async t => {
  const knex = await migratedSqlite(t)
  for (const { name, columns } of TABLES) {
    t.deepEqual(Object.keys(await knex(name).columnInfo()), [...columns], name)
  }
})

test('A new user is active, neither staff nor superuser, without an e-mail address or a password.', async t => {
  const knex = await migratedSqlite(t)
  const id = await addUser(knex, 'ada')
  t.deepEqual(await knex('users').first(), {
    id,
    username: 'ada',
    username_canonical: 'ada',
    email: null,
    email_canonical: null,
    password: null,
    stamp_origin: null,
    is_active: 1,
    is_staff: 0,
    is_superuser: 0,
    epoch: 0,
    last_login: null,
    created_at: 0,
  })
})

test('L3: No two users have one canonical name or address; without an address there can be many.', async t => {
  const knex = await migratedSqlite(t)
  await addUser(knex, 'ada', { email_canonical: 'ada@example.org' })
  await t.throwsAsync(addUser(knex, 'ada'), UNIQUE)
  await t.throwsAsync(addUser(knex, 'bob', { email_canonical: 'ada@example.org' }), UNIQUE)
  await addUser(knex, 'bob')
  await addUser(knex, 'eve')
  t.is((await knex('users')).length, 3)
})

test('L3: The database tells names apart that differ in case, accent, width or trailing space.', async t => {
  const knex = await migratedSqlite(t)
  const names = ['admin', 'Admin', 'ádmin', 'admın', 'ａdmin', 'admin ', 'ad\u200bmin']
  for (const name of names) await addUser(knex, name)
  for (const name of names) {
    t.deepEqual(await knex('users').where({ username_canonical: name }).pluck('username'), [name])
  }
})

test('The id of a user who was deleted is not given to another.', async t => {
  const knex = await migratedSqlite(t)
  const id = await addUser(knex, 'ada')
  await knex('users').del()
  t.true((await addUser(knex, 'bob')) > id)
})

test('Moments are kept to the millisecond, far beyond 32 bits.', async t => {
  const knex = await migratedSqlite(t)
  await addUser(knex, 'ada', { last_login: 1_793_491_200_123, epoch: Number.MAX_SAFE_INTEGER })
  const row = await knex('users').first('last_login', 'epoch')
  t.deepEqual(row, { last_login: 1_793_491_200_123, epoch: Number.MAX_SAFE_INTEGER })
})

test("A user's memberships and permissions go with the user, a group's with the group.", async t => {
  const knex = await migratedSqlite(t)
  const user_id = await addUser(knex, 'ada')
  const another = await addUser(knex, 'bob')
  const [group_id] = await knex('groups').insert({ name: 'editors' })
  await knex('group_members').insert([
    { group_id, user_id },
    { group_id, user_id: another },
  ])
  await knex('user_permissions').insert({ user_id, permission: 'jobs.view' })
  await knex('group_permissions').insert({ group_id, permission: 'jobs.change' })

  await knex('users').where({ id: user_id }).del()
  t.deepEqual(await knex('user_permissions'), [])
  t.deepEqual(await knex('group_members'), [{ group_id, user_id: another }])
  await knex('groups').del()
  t.deepEqual(await knex('group_members'), [])
  t.deepEqual(await knex('group_permissions'), [])
})

test('A membership or a permission is of a user and a group that exist, and there once.', async t => {
  const knex = await migratedSqlite(t)
  const user_id = await addUser(knex, 'ada')
  const [group_id] = await knex('groups').insert({ name: 'editors' })
  const foreign = { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' }
  const twice = { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' }
  for (const [table, row, wrong] of [
    ['group_members', { group_id, user_id }, { group_id, user_id: 99 }],
    ['group_members', null, { group_id: 99, user_id }],
    ['user_permissions', { user_id, permission: 'p' }, { user_id: 99, permission: 'p' }],
    ['group_permissions', { group_id, permission: 'p' }, { group_id: 99, permission: 'p' }],
  ] as const) {
    await t.throwsAsync(async () => knex(table).insert(wrong), foreign, table)
    if (!row) continue
    await knex(table).insert(row)
    await t.throwsAsync(async () => knex(table).insert(row), twice, table)
  }
})

test('No two groups have one name, and a name is exact.', async t => {
  const knex = await migratedSqlite(t)
  await knex('groups').insert({ name: 'editors' })
  await t.throwsAsync(async () => knex('groups').insert({ name: 'editors' }), UNIQUE)
  await knex('groups').insert([{ name: 'Editors' }, { name: 'editors ' }])
  t.is((await knex('groups')).length, 3)
})

test('Sessions are found by their id, user and expiry through an index.', async t => {
  const knex = await migratedSqlite(t)
  for (const column of ['id', 'user_key', 'expires_at']) {
    const plan = await knex.raw(`explain query plan select * from sessions where ${column} = ?`, ['1'])
    t.regex(plan[0].detail, new RegExp(`USING INDEX .+\\(${column}=\\?\\)`))
  }
})

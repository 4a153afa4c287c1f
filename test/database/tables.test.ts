import test from 'ava'
import type { Knex } from 'knex'
import { dialectOf } from '../../lib/database/dialects.ts'
import {
  groupMembers,
  groupPermissions,
  groups,
  identities,
  loginAttempts,
  sessions,
  type Table,
  userPermissions,
  users,
} from '../../lib/database/tables.ts'
import { addUser, insertedId } from './catalogue.ts'
import { DATABASES, type DatabaseName, migratedDatabase } from './servers.ts'

const TABLES: Table[] = [
  users,
  groups,
  groupMembers,
  userPermissions,
  groupPermissions,
  identities,
  loginAttempts,
  sessions,
]
/** What each database says of a value that is taken, and of one that is nowhere. */
const UNIQUE = { sqlite: 'SQLITE_CONSTRAINT_UNIQUE', mariadb: 'ER_DUP_ENTRY', postgresql: '23505' }
const TWICE = { ...UNIQUE, sqlite: 'SQLITE_CONSTRAINT_PRIMARYKEY' }
const FOREIGN = { sqlite: 'SQLITE_CONSTRAINT_FOREIGNKEY', mariadb: 'ER_NO_REFERENCED_ROW_2', postgresql: '23503' }

/** Spellings that differ in case, accent, width, or a space at the end, which MariaDB overlooks: the users' names have none. */
const NAMES = ['admin', 'Admin', 'ádmin', 'admın', 'ａdmin', 'ad\u200bmin']
const spellings = (name: DatabaseName) => (name === 'mariadb' ? NAMES : [...NAMES, 'admin '])

/** The same rows with numbers for what pg answers as text, since it may have 64 bits. */
function numbered<Row extends object>(rows: Row[]): Row[] {
  const number = (value: unknown) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value)
  return rows.map(row => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, number(value)])) as Row)
}

for (const name of DATABASES) {
  test(`${name}: The tables have exactly the columns that they name.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    for (const table of TABLES) {
      t.deepEqual(Object.keys(await knex(table.name).columnInfo()).sort(), [...table.columns].sort(), table.name)
    }
  })

  test(`${name}: A new user is active, neither staff nor superuser, without an e-mail address or a password.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const id = await addUser(knex, 'ada')
    const [yes, no] = name === 'postgresql' ? [true, false] : [1, 0]
    t.deepEqual(numbered(await knex('users'))[0], {
      id,
      username: 'ada',
      username_canonical: 'ada',
      email: null,
      email_canonical: null,
      password: null,
      stamp_origin: null,
      is_active: yes,
      is_staff: no,
      is_superuser: no,
      epoch: 0,
      last_login: null,
      created_at: 0,
    })
  })

  test(`L3: ${name}: No two users have one canonical name or address; without an address there can be many.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    await addUser(knex, 'ada', { email_canonical: 'ada@example.org' })
    await t.throwsAsync(addUser(knex, 'ada'), { code: UNIQUE[name] })
    await t.throwsAsync(addUser(knex, 'bob', { email_canonical: 'ada@example.org' }), { code: UNIQUE[name] })
    await addUser(knex, 'bob')
    await addUser(knex, 'eve')
    t.is((await knex('users')).length, 3)
  })

  test(`L3: ${name}: The database tells names apart that differ in case, accent, width or trailing space.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const names = spellings(name)
    for (const one of names) await addUser(knex, one)
    for (const one of names) {
      t.deepEqual(await knex('users').where({ username_canonical: one }).pluck('username'), [one])
    }
  })

  test(`${name}: The id of a user who was deleted is not given to another.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const id = await addUser(knex, 'ada')
    await knex('users').del()
    t.true((await addUser(knex, 'bob')) > id)
  })

  test(`${name}: Moments are kept to the millisecond, far beyond 32 bits.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    await addUser(knex, 'ada', { last_login: 1_793_491_200_123, epoch: Number.MAX_SAFE_INTEGER })
    const [row] = numbered(await knex('users').select('last_login', 'epoch'))
    t.deepEqual(row, { last_login: 1_793_491_200_123, epoch: Number.MAX_SAFE_INTEGER })
  })

  test(`${name}: A user's memberships and permissions go with the user, a group's with the group.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const user_id = await addUser(knex, 'ada')
    const another = await addUser(knex, 'bob')
    const group_id = await insertedId(knex, 'groups', { name: 'editors' })
    await knex('group_members').insert([
      { group_id, user_id },
      { group_id, user_id: another },
    ])
    await knex('user_permissions').insert({ user_id, permission: 'jobs.view' })
    await knex('group_permissions').insert({ group_id, permission: 'jobs.change' })

    await knex('users').where({ id: user_id }).del()
    t.deepEqual(await knex('user_permissions'), [])
    t.deepEqual(numbered(await knex('group_members')), [{ group_id, user_id: another }])
    await knex('groups').del()
    t.deepEqual(await knex('group_members'), [])
    t.deepEqual(await knex('group_permissions'), [])
  })

  test(`${name}: A membership or a permission is of a user and a group that exist, and there once.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const user_id = await addUser(knex, 'ada')
    const group_id = await insertedId(knex, 'groups', { name: 'editors' })
    const [foreign, twice] = [{ code: FOREIGN[name] }, { code: TWICE[name] }]
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

  test(`${name}: No two groups have one name, and a name is exact.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    await knex('groups').insert({ name: 'editors' })
    await t.throwsAsync(async () => knex('groups').insert({ name: 'editors' }), { code: UNIQUE[name] })
    const others = spellings(name).slice(1)
    await knex('groups').insert(others.map(one => ({ name: one.replace('dmin', 'ditors') })))
    await knex('groups').insert({ name: 'Editors' })
    t.is((await knex('groups')).length, others.length + 2)
  })

  test(`X3: ${name}: An identity is of one user who exists, exact to the byte, and goes with the user.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const user_id = await addUser(knex, 'ada')
    const { toBytes } = dialectOf('test', knex)
    const row = (key: string, id = user_id) => ({ user_key: toBytes(key), user_id: id, created_at: 0 })
    const keys = [
      'ldap:ada',
      'ldap:ada ',
      'LDAP:ada',
      'ldap:áda',
      'ldap:ada\u200b',
      'ldap:ada\0',
      `ldap:${'é'.repeat(512)}`,
    ]
    for (const key of keys) await knex('identities').insert(row(key))
    for (const key of keys) {
      t.is((await knex('identities').where({ user_key: toBytes(key) })).length, 1)
      await t.throwsAsync(async () => knex('identities').insert(row(key)), { code: TWICE[name] })
    }
    await t.throwsAsync(async () => knex('identities').insert(row('ldap:bob', 99)), { code: FOREIGN[name] })
    await knex('users').del()
    t.deepEqual(await knex('identities'), [])
  })

  test(`${name}: Sessions are found by their id, user and expiry through an index.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    const rows = Array.from({ length: 500 }, (_, n) => ({
      id: `${n}`,
      user_key: `${n}`,
      data: '',
      version: '',
      expires_at: n,
    }))
    await knex.batchInsert('sessions', rows, 100)
    if (name === 'mariadb') await knex.raw('analyze table sessions')
    if (name === 'postgresql') await knex.raw('analyze sessions')
    for (const [column, index] of [
      ['id', { sqlite: 'sqlite_autoindex_sessions_1', mariadb: 'PRIMARY', postgresql: 'sessions_pkey' }],
      ['user_key', 'sessions_user_key_index'],
      ['expires_at', 'sessions_expires_at_index'],
    ] as const) {
      const explain = { sqlite: 'explain query plan', mariadb: 'explain', postgresql: 'explain' }[name]
      const plan = await knex.raw(`${explain} select * from sessions where ${column} = ?`, ['1'])
      t.true(JSON.stringify(plan.rows ?? plan[0]).includes(typeof index === 'string' ? index : index[name]), column)
    }
  })
}

/** What a server says of the columns of a table. */
async function columnsOf(knex: Knex, table: string, what: string[]): Promise<Record<string, unknown[]>> {
  const rows = await knex('information_schema.columns')
    .select(['column_name', ...what].map(name => `${name} as ${name}`))
    .where({ table_name: table })
    .whereRaw(`table_schema = ${knex.client.dialect === 'mysql' ? 'database()' : 'current_schema()'}`)
  return Object.fromEntries(rows.map(row => [row.column_name, what.map(name => row[name])]))
}

test('T6: mariadb: by its own account ids are ASCII compared by byte, keys bytes, moments of 64 bits, and data text of any length.', async t => {
  const { knex } = await migratedDatabase(t, 'mariadb')
  t.deepEqual(await columnsOf(knex, 'sessions', ['column_type', 'collation_name', 'is_nullable']), {
    id: ['varchar(64)', 'ascii_bin', 'NO'],
    user_key: ['varbinary(1089)', null, 'YES'],
    data: ['longtext', 'utf8mb4_bin', 'NO'],
    version: ['varchar(36)', 'ascii_bin', 'NO'],
    expires_at: ['bigint(20)', null, 'NO'],
  })
  const engines = await knex('information_schema.tables').whereRaw('table_schema = database()').pluck('engine')
  t.deepEqual(new Set(engines), new Set(['InnoDB']))
})

test('T6: postgresql: by its own account ids are compared by byte, keys bytes, moments of 64 bits, and data text of any length.', async t => {
  const { knex } = await migratedDatabase(t, 'postgresql')
  const what = ['data_type', 'character_maximum_length', 'collation_name', 'is_nullable']
  t.deepEqual(await columnsOf(knex, 'sessions', what), {
    id: ['character varying', 64, 'C', 'NO'],
    user_key: ['bytea', null, null, 'YES'],
    data: ['text', null, null, 'NO'],
    version: ['character varying', 36, 'C', 'NO'],
    expires_at: ['bigint', null, null, 'NO'],
  })
})

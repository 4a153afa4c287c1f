import { pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { type DjangoUsersOptions, djangoUsers } from '../../../lib/django/users.ts'
import { insertRow } from '../../../lib/users/sql/table.ts'
import { type DatabaseName, newDatabase } from '../../database/servers.ts'
import type { Owner } from '../../servers/owner.ts'

export const SECRET_KEY = 'the secret key of a Django site'
export const PASSWORD = 'pässwörd☃ of nobody else'

const MOMENT: Readonly<Record<DatabaseName, string>> = {
  sqlite: 'datetime',
  mariadb: 'datetime(6)',
  postgresql: 'timestamptz',
}

/** A hash as Django makes them. */
export function pbkdf2Hash(password: string, iterations = 1_000): string {
  const salt = randomBytes(8).toString('hex')
  return `pbkdf2_sha256$${iterations}$${salt}$${pbkdf2Sync(password, salt, iterations, 32, 'sha256').toString('base64')}`
}

/**
 * A database with the tables that Django's `auth` has there, without those of permissions where options say so, made without a Django, and `djangoUsers()` on it.
 * @param collation of names and addresses
 */
export async function djangoTables(
  owner: Owner,
  name: DatabaseName,
  options: Partial<DjangoUsersOptions> = {},
  collation = '',
) {
  const database = await newDatabase(owner, name)
  const knex = database.open()
  if (collation.includes('lax'))
    await knex.raw("create collation lax (provider = icu, locale = 'und-u-ks-level1', deterministic = false)")
  await makeUsers(knex, name, collation)
  if (options.permissionsMixin !== false) await makeGroups(knex)
  const queries: string[] = []
  knex.on('query', ({ sql }) => queries.push(sql))
  return { ...database, knex, queries, people: djangoUsers(knex, { secretKey: SECRET_KEY, ...options }) }
}

async function makeUsers(knex: Knex, name: DatabaseName, collation: string): Promise<void> {
  await knex.schema.createTable('auth_user', table => {
    table.increments('id')
    table.string('password', 128).notNullable()
    table.specificType('last_login', MOMENT[name])
    table.boolean('is_superuser').notNullable()
    table.specificType('username', `varchar(150) ${collation} not null unique`)
    table.string('first_name', 150).notNullable()
    table.string('last_name', 150).notNullable()
    table.specificType('email', `varchar(254) ${collation} not null`)
    table.boolean('is_staff').notNullable()
    table.boolean('is_active').notNullable()
    table.specificType('date_joined', `${MOMENT[name]} not null`)
  })
}

async function makeGroups(knex: Knex): Promise<void> {
  await knex.schema.createTable('auth_group', table => {
    table.increments('id')
    table.string('name', 150).notNullable()
  })
  await knex.schema.createTable('django_content_type', table => {
    table.increments('id')
    table.string('app_label', 100).notNullable()
    table.string('model', 100).notNullable()
  })
  await knex.schema.createTable('auth_permission', table => {
    table.increments('id')
    table.string('name', 255).notNullable()
    table.integer('content_type_id').notNullable()
    table.string('codename', 100).notNullable()
  })
  for (const [through, columns] of Object.entries({
    auth_user_groups: ['user_id', 'group_id'],
    auth_user_user_permissions: ['user_id', 'permission_id'],
    auth_group_permissions: ['group_id', 'permission_id'],
  })) {
    await knex.schema.createTable(through, table => {
      table.bigIncrements('id')
      for (const column of columns) table.integer(column).notNullable()
    })
  }
}

/** Puts somebody there, who is called 'ada' and has PASSWORD where nothing else is said, and answers the id. */
export async function addUser(knex: Knex, row: Record<string, unknown> = {}): Promise<string> {
  const whole = {
    password: pbkdf2Hash(PASSWORD),
    is_superuser: false,
    username: 'ada',
    first_name: '',
    last_name: '',
    email: '',
    is_staff: false,
    is_active: true,
    date_joined: '2026-01-02 03:04:05',
    ...row,
  }
  return knex.transaction(trx => insertRow(trx, 'auth_user', whole))
}

/** Makes a permission `app_label.codename`, of a content type of its own, and answers its id. */
export async function addPermission(knex: Knex, permission: string): Promise<string> {
  const [app_label, codename] = permission.split('.')
  return knex.transaction(async trx => {
    const content_type_id = await insertRow(trx, 'django_content_type', { app_label, model: codename })
    return insertRow(trx, 'auth_permission', { name: permission, content_type_id, codename })
  })
}

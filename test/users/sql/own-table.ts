import { migrate, type SqlUsersOptions, sqlUsers } from 'koa-strata/sql'
import { type DatabaseName, newDatabase } from '../../database/servers.ts'
import type { Owner } from '../../servers/owner.ts'

/** Collations that think more equal than is, by the database that has them. */
export const LAX: Record<DatabaseName, Record<string, string>> = {
  sqlite: { nocase: 'collate nocase' },
  mariadb: {
    utf8mb4_general_ci: 'character set utf8mb4 collate utf8mb4_general_ci',
    utf8mb4_unicode_ci: 'character set utf8mb4 collate utf8mb4_unicode_ci',
  },
  postgresql: { 'ICU level 1': 'collate lax' },
}

/** The columns of the table that `ownTable` makes. */
export const ALL_COLUMNS = {
  id: 'uid',
  username: 'login',
  usernameCanonical: 'folded',
  email: 'mail',
  emailCanonical: 'mailbox',
  password: 'pw',
  stampOrigin: 'origin',
  isActive: 'enabled',
  isStaff: 'staff',
  isSuperuser: 'boss',
  epoch: 'version',
  lastLogin: 'seen',
  createdAt: 'made',
}
/** Those without which it can still be logged in. */
export const FEW_COLUMNS = { id: 'uid', username: 'login', email: 'mail', password: 'pw' }

const ID_COLUMNS: Record<DatabaseName, Record<'uuid' | 'text', string>> = {
  sqlite: { uuid: 'varchar(36)', text: 'varchar(255)' },
  mariadb: { uuid: 'uuid', text: 'varchar(255) character set utf8mb4 collate utf8mb4_general_ci' },
  postgresql: { uuid: 'uuid', text: 'varchar(255)' },
}

/** A database with a table of users as an application may have made it, by the name of one of ours, and sqlUsers() on it. */
export async function ownTable(
  owner: Owner,
  name: DatabaseName,
  options: SqlUsersOptions = {},
  collation = Object.values(LAX[name])[0]!,
) {
  const database = await newDatabase(owner, name)
  const knex = database.open()
  if (name === 'postgresql')
    await knex.raw("create collation lax (provider = icu, locale = 'und-u-ks-level1', deterministic = false)")
  const { idType = 'integer' } = options
  await knex.schema.createTable('users', table => {
    if (idType === 'integer') table.increments('uid')
    else table.specificType('uid', `${ID_COLUMNS[name][idType]} not null primary key`)
    table.specificType('login', `varchar(150) ${collation}`).notNullable()
    table.specificType('folded', `varchar(255)`)
    table.specificType('mail', `varchar(254) ${collation}`)
    table.specificType('mailbox', `varchar(255)`)
    table.string('pw', 512)
    table.string('origin')
    table.boolean('enabled').defaultTo(true)
    table.boolean('staff').defaultTo(false)
    table.boolean('boss').defaultTo(false)
    table.bigInteger('version')
    table.bigInteger('seen')
    table.bigInteger('made')
    table.string('tenant').defaultTo('main')
  })
  await migrate(knex, { users: false })
  const queries: string[] = []
  knex.on('query', ({ sql }) => queries.push(sql))
  const settings = { columns: FEW_COLUMNS, passwords: { minimumLength: 8 }, ...options }
  return { ...database, knex, queries, people: sqlUsers(knex, settings) }
}

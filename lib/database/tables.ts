import type { Knex } from 'knex'
import { checkText } from '../options.ts'
import { CANONICAL_LENGTH } from './canonical-length.ts'
import type { Dialect } from './dialects.ts'

/**
 * A table: its columns, and how it is made. Moments are epoch milliseconds. Indexes and foreign keys have names that do not come from the
 * table's, since it may be made under another one first.
 */
export interface Table {
  readonly name: string
  readonly columns: readonly string[]
  make(table: Knex.CreateTableBuilder, dialect: Dialect): void
}

/** How long a user's key is at most, in bytes of UTF-8: the backend's name (64), ':' and the id (1,024). */
export const USER_KEY_BYTES = 1_089
/** How long a permission's name may be, in characters. */
export const PERMISSION_LENGTH = 255
/** How long a user's or a group's name may be, in characters. */
export const NAME_LENGTH = 150

/** Users. `password` null: nobody logs in with one. Raising `epoch` ends the user's sessions. */
export const users: Table = {
  name: 'users',
  columns: [
    'id',
    'username',
    'username_canonical',
    'email',
    'email_canonical',
    'password',
    'stamp_origin',
    'is_active',
    'is_staff',
    'is_superuser',
    'epoch',
    'last_login',
    'created_at',
  ],
  make(table, { exactText }) {
    table.bigIncrements('id')
    table.specificType('username', `${exactText(NAME_LENGTH)} not null`)
    table.specificType('username_canonical', `${exactText(CANONICAL_LENGTH)} not null unique`)
    table.specificType('email', exactText(254))
    table.specificType('email_canonical', `${exactText(CANONICAL_LENGTH)} unique`)
    table.string('password', 512)
    table.string('stamp_origin', 255)
    table.boolean('is_active').notNullable().defaultTo(true)
    table.boolean('is_staff').notNullable().defaultTo(false)
    table.boolean('is_superuser').notNullable().defaultTo(false)
    table.bigInteger('epoch').notNullable().defaultTo(0)
    table.bigInteger('last_login')
    table.bigInteger('created_at').notNullable()
  },
}

/** Groups of users, who have the group's permissions. */
export const groups: Table = {
  name: 'groups',
  columns: ['id', 'name'],
  make(table, { exactText }) {
    table.bigIncrements('id')
    table.specificType('name', `${exactText(NAME_LENGTH)} not null unique`)
  },
}

/** Who is in which group. */
export const groupMembers: Table = {
  name: 'group_members',
  columns: ['group_id', 'user_id'],
  make(table) {
    table.bigInteger('group_id').unsigned().notNullable()
    table.bigInteger('user_id').unsigned().notNullable().index('group_members_user_id_index')
    table.primary(['group_id', 'user_id'])
    table.foreign('group_id', 'group_members_group_id_foreign').references('groups.id').onDelete('CASCADE')
    table.foreign('user_id', 'group_members_user_id_foreign').references('users.id').onDelete('CASCADE')
  },
}

/** Permissions of single users. */
export const userPermissions: Table = {
  name: 'user_permissions',
  columns: ['user_id', 'permission'],
  make(table, { exactText }) {
    table.bigInteger('user_id').unsigned().notNullable()
    table.specificType('permission', `${exactText(PERMISSION_LENGTH)} not null`)
    table.primary(['user_id', 'permission'])
    table.foreign('user_id', 'user_permissions_user_id_foreign').references('users.id').onDelete('CASCADE')
  },
}

/** Permissions of groups. */
export const groupPermissions: Table = {
  name: 'group_permissions',
  columns: ['group_id', 'permission'],
  make(table, { exactText }) {
    table.bigInteger('group_id').unsigned().notNullable()
    table.specificType('permission', `${exactText(PERMISSION_LENGTH)} not null`)
    table.primary(['group_id', 'permission'])
    table.foreign('group_id', 'group_permissions_group_id_foreign').references('groups.id').onDelete('CASCADE')
  },
}

/** Whose local user somebody is whom another backend knows. `user_key` is the key there. */
export const identities: Table = {
  name: 'identities',
  columns: ['user_key', 'user_id', 'created_at'],
  make(table, { bytes }) {
    table.specificType('user_key', `${bytes(USER_KEY_BYTES)} not null primary key`)
    table.bigInteger('user_id').unsigned().notNullable().index('identities_user_id_index')
    table.bigInteger('created_at').notNullable()
    table.foreign('user_id', 'identities_user_id_foreign').references('users.id').onDelete('CASCADE')
  },
}

/** Sessions, by the SHA-256 of their ids. `data` is JSON, `user_key` the key of the user who is logged in. */
export const sessions: Table = {
  name: 'sessions',
  columns: ['id', 'user_key', 'data', 'version', 'expires_at'],
  make(table, { asciiText, bytes, longText }) {
    table.specificType('id', `${asciiText(64)} not null primary key`)
    table.specificType('user_key', bytes(USER_KEY_BYTES)).index('sessions_user_key_index')
    table.specificType('data', `${longText} not null`)
    table.specificType('version', `${asciiText(36)} not null`)
    table.bigInteger('expires_at').notNullable().index('sessions_expires_at_index')
  },
}

/**
 * Failed logins, and who has logged in from where. `id` is a hash of the account or the network, `ends_at` when it is forgotten, `token` whose
 * failure was let through last.
 */
export const loginAttempts: Table = {
  name: 'login_attempts',
  columns: ['id', 'ends_at', 'token'],
  make(table, { asciiText }) {
    table.specificType('id', `${asciiText(64)} not null primary key`)
    table.bigInteger('ends_at').notNullable().index('login_attempts_ends_at_index')
    table.specificType('token', asciiText(24))
  },
}

/** Feed tokens, by the SHA-256 of their text. `user_key` says whose they are, `feeds` is a JSON array of names, or null: all feeds. */
export const feedTokens: Table = {
  name: 'feed_tokens',
  columns: ['id', 'token_hash', 'user_key', 'name', 'feeds', 'created_at', 'last_used_at'],
  make(table, { asciiText, bytes, exactText, longText }) {
    table.bigIncrements('id')
    table.specificType('token_hash', `${asciiText(43)} not null unique`)
    table.specificType('user_key', `${bytes(USER_KEY_BYTES)} not null`).index('feed_tokens_user_key_index')
    table.specificType('name', `${exactText(NAME_LENGTH)} not null`)
    table.specificType('feeds', longText)
    table.bigInteger('created_at').notNullable()
    table.bigInteger('last_used_at')
  },
}

/** Refuses what is no name of a table; `schema.table` is one. @param example such a name, for the message */
export function checkTableName(where: string, table: unknown, example: string): void {
  checkText(where, 'table', table, /^[^\s`"'?\0]+$/, `must be the name of a table, as '${example}'.`)
}

/** Refuses what is no name of a column. @param example such a name, for the message */
export function checkColumnName(where: string, option: string, name: unknown, example: string): void {
  checkText(where, option, name, /^[^\s`"'?\0.*]+$/, `must be the name of a column, as '${example}'.`)
}

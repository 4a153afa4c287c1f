import type { Knex } from 'knex'
import { type DatabaseName, newDatabase, type TestDatabase } from '../database/servers.ts'
import { file } from '../servers/file-owner.ts'

/** Django's table of sessions, as its migration makes it. */
export const SESSION_TABLE: Readonly<Record<DatabaseName, readonly string[]>> = {
  sqlite: [
    'CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL)',
    'CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date")',
  ],
  mariadb: [
    'CREATE TABLE `django_session` (`session_key` varchar(40) NOT NULL PRIMARY KEY, `session_data` longtext NOT NULL, `expire_date` datetime(6) NOT NULL)',
    'CREATE INDEX `django_session_expire_date_a5c62663` ON `django_session` (`expire_date`)',
  ],
  postgresql: [
    'CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" timestamp with time zone NOT NULL)',
    'CREATE INDEX "django_session_session_key_c0390e0f_like" ON "django_session" ("session_key" varchar_pattern_ops)',
    'CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date")',
  ],
}

/** A table like Django's, and knex instances that reach it. */
export interface SessionTable {
  readonly knex: Knex
  readonly table: string
  /** Opens a further knex instance, as another process has one. @param more what it is made with besides */
  open(more?: Knex.Config): Knex
}

const databases = new Map<DatabaseName, Promise<TestDatabase & { knex: Knex }>>()
let tables = 0

/** Makes a table like Django's, empty and the test's own. */
export async function newSessionTable(name: DatabaseName): Promise<SessionTable> {
  const opened = databases.get(name) ?? openDatabase(name)
  databases.set(name, opened)
  const { knex, open } = await opened
  const table = `sessions_${++tables}`
  for (const statement of SESSION_TABLE[name]) await knex.raw(statement.replaceAll('django_session', table))
  return { knex, table, open }
}

async function openDatabase(name: DatabaseName): Promise<TestDatabase & { knex: Knex }> {
  const database = await newDatabase(file, name)
  return { ...database, knex: database.open() }
}

import test from 'ava'
import knexFactory, { type Knex } from 'knex'
import { type Dialect, dialectOf, fromBytes } from '../../lib/database/dialects.ts'
import { sessions, type Table, users } from '../../lib/database/tables.ts'

/** What would be sent to a database that is not there. */
function statements(client: string, { name, make }: Table): { sql: string; dialect: Dialect } {
  const knex = knexFactory({ client, useNullAsDefault: true })
  const dialect = dialectOf('test', knex)
  const builder = knex.schema.createTable(name, table => {
    dialect.tableTraits(table)
    make(table, dialect)
  })
  return { sql: builder.toString().replaceAll(/["`]/g, ''), dialect }
}

for (const [client, name] of [
  ['better-sqlite3', 'sqlite'],
  ['sqlite3', 'sqlite'],
  ['mysql2', 'mariadb'],
  ['mysql', 'mariadb'],
  ['pg', 'postgresql'],
] as const) {
  test(`knex({ client: '${client}' }) speaks ${name}.`, t => {
    t.is(dialectOf('test', knexFactory({ client, useNullAsDefault: true })).name, name)
  })
}

test('On MariaDB ids are ASCII, user keys bytes, and canonical names compared by code point.', t => {
  const { sql } = statements('mysql2', sessions)
  t.regex(sql, /\bid varchar\(64\) character set ascii collate ascii_bin not null primary key/)
  t.regex(sql, /\buser_key varbinary\(1089\)/)
  t.regex(sql, /\bdata longtext character set utf8mb4/)
  t.regex(sql, /\bexpires_at bigint not null/)
  t.regex(sql, /default character set utf8mb4 collate utf8mb4_bin engine = InnoDB/)
  t.regex(statements('mysql2', users).sql, /username_canonical varchar\(255\) .+? collate utf8mb4_bin not null unique/)
})

test('On PostgreSQL ids and canonical names are compared by byte, and user keys are bytes.', t => {
  const { sql } = statements('pg', sessions)
  t.regex(sql, /\bid varchar\(64\) collate C not null primary key/)
  t.regex(sql, /\buser_key bytea/)
  t.regex(sql, /\bexpires_at bigint not null/)
  t.regex(statements('pg', users).sql, /username_canonical varchar\(255\) collate C not null unique/)
})

test("A user's key comes back from what each database stores of it.", t => {
  for (const client of ['better-sqlite3', 'mysql2', 'pg']) {
    const dialect = dialectOf('test', knexFactory({ client, useNullAsDefault: true }) as Knex)
    for (const key of ['sql:1', 'ldap:cn=Ö 🦊', 'x:a\0b', '']) t.is(fromBytes(dialect.toBytes(key)), key)
  }
})

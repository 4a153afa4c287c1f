import type { Knex } from 'knex'

/** The names of all tables. */
export async function tablesOf(knex: Knex): Promise<string[]> {
  const { dialect } = knex.client
  const query = {
    sqlite3: () => knex('sqlite_master').where({ type: 'table' }).whereNot('name', 'like', 'sqlite_%').pluck('name'),
    mysql: () => knex('information_schema.tables').whereRaw('table_schema = database()').pluck('table_name'),
    postgresql: () => knex('information_schema.tables').whereRaw('table_schema = current_schema()').pluck('table_name'),
  }[dialect as 'mysql']
  return (await query()).sort()
}

/** Everything that a server knows of the library's tables: columns with types, collations and defaults, indexes, keys. */
export async function definitionsOf(knex: Knex): Promise<string[]> {
  const names = (await tablesOf(knex)).filter(name => name !== 'strata_migrations')
  if (knex.client.dialect === 'mysql') {
    const definitions = await Promise.all(names.map(name => knex.raw('show create table ??', name)))
    return definitions.map(([[row]]) => row['Create Table'].replace(/ AUTO_INCREMENT=\d+/, ''))
  }
  const lines = await knex.raw(`
    select table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(character_maximum_length::text, '') ||
      coalesce(collation_name, '') || is_nullable || coalesce(regexp_replace(column_default, '''.*''', ''), '') as line
      from information_schema.columns where table_schema = current_schema()
    union select replace(indexdef, current_schema(), '') from pg_indexes where schemaname = current_schema()
    union select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
      where connamespace = current_schema()::regnamespace
    order by line`)
  return lines.rows.map(({ line }: { line: string }) => line)
}

/** Adds a user, and answers the id. */
export async function addUser(knex: Knex, name: string, more: object = {}): Promise<number> {
  return insertedId(knex, 'users', { username: name, username_canonical: name, created_at: 0, ...more })
}

/** Inserts a row, and answers its id. */
export async function insertedId(knex: Knex, table: string, row: object): Promise<number> {
  const isPostgresql = knex.client.dialect === 'postgresql'
  const [inserted] = await (isPostgresql ? knex(table).insert(row, ['id']) : knex(table).insert(row))
  return Number(inserted.id ?? inserted)
}

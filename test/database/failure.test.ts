import test from 'ava'
import knex from 'knex'
import { retried } from '../../lib/database/conflicts.ts'
import { withoutStatement } from '../../lib/database/failure.ts'
import { UserUnknown } from '../../lib/errors.ts'
import { migratedSqlite } from './sqlite.ts'

test('L9: an error of the database keeps its code and what it said, and loses the statement with its values', async t => {
  const db = await migratedSqlite(t)
  const row = { username: 'ada', username_canonical: 'ada', password: 'the-secret-hash', created_at: 1 }
  const insert = () => db('users').insert(row)
  await insert()

  const bare = (await t.throwsAsync(insert)) as Error
  t.true(bare.message.includes('the-secret-hash'), 'the control: knex itself tells the values')

  const error = (await t.throwsAsync(() => retried(insert))) as Error & { code: string }
  t.is(error.message, 'UNIQUE constraint failed: users.username_canonical')
  t.is(error.code, 'SQLITE_CONSTRAINT_UNIQUE')
  t.false(`${error.stack}${JSON.stringify(error)}`.includes('the-secret-hash'))
})

test("L9: a mysql2 error's own copy of the statement goes too", t => {
  const error = Object.assign(new Error("insert into `users` values ('secret') - Duplicate entry"), {
    code: 'ER_DUP_ENTRY',
    errno: 1062,
    sqlState: '23000',
    sqlMessage: "Duplicate entry 'ada' for key 'email_canonical'",
    sql: "insert into `users` values ('secret')",
  })
  const quiet = withoutStatement(error) as Error
  t.is(quiet.message, error.sqlMessage)
  t.false(JSON.stringify({ ...quiet, stack: quiet.stack }).includes('secret'))
  t.like(quiet, { code: 'ER_DUP_ENTRY', errno: 1062, sqlState: '23000' })
})

test("An error that is not the database's stays as it is", t => {
  for (const error of [new UserUnknown(), new TypeError('a - b'), 'text', null]) t.is(withoutStatement(error), error)
})

test('A failed connection is told without the statement', async t => {
  const db = knex({
    client: 'better-sqlite3',
    connection: { filename: '/nonexistent/folder/x.sqlite' },
    useNullAsDefault: true,
  })
  t.teardown(() => db.destroy())
  const error = (await t.throwsAsync(() => retried(() => db('sessions').where({ id: 'secret' })))) as Error
  t.false(error.message.includes('secret'))
})

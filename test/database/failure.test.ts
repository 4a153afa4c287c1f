import { inspect } from 'node:util'
import test from 'ava'
import knex, { type Knex } from 'knex'
import { retried } from '../../lib/database/conflicts.ts'
import { withoutStatement } from '../../lib/database/failure.ts'
import { UserUnknown } from '../../lib/errors.ts'
import { migratedDatabase } from './servers.ts'
import { migratedSqlite } from './sqlite.ts'

/** Everything that can be seen of an error. */
const seen = (error: unknown) => inspect(error, { depth: 10, showHidden: true })

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
  t.is(quiet.message, "Duplicate entry for key 'email_canonical'")
  t.notRegex(seen(quiet), /secret|ada/)
  t.like(quiet, { code: 'ER_DUP_ENTRY', errno: 1062, sqlState: '23000', constraint: 'email_canonical' })
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

const row = (more: object) => ({ id: 'an-id', data: '{}', version: 'v', expires_at: 1, ...more })

/** Statements that fail, in whose errors the drivers quote a secret. */
const TOLD: Record<'mariadb' | 'postgresql', Record<string, [run: (knex: Knex) => Promise<unknown>, code: string]>> = {
  mariadb: {
    'a key that is taken': [
      async knex => {
        await knex('sessions').insert(row({ id: 'the-secret' }))
        await knex('sessions').insert(row({ id: 'the-secret' }))
      },
      'ER_DUP_ENTRY',
    ],
    'text for a number': [
      async knex => knex('sessions').insert(row({ expires_at: 'the-secret' })),
      'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
    ],
    'text that is too long': [
      async knex => knex('sessions').insert(row({ version: 'the-secret'.repeat(9) })),
      'ER_DATA_TOO_LONG',
    ],
    'a character that the column has not': [
      async knex => knex('sessions').insert(row({ version: 'the-secret ☃' })),
      'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
    ],
    'a statement that is none': [async knex => knex.raw("insert 'the-secret' sessions"), 'ER_PARSE_ERROR'],
    'what a trigger says': [
      async knex => {
        await knex.raw(
          "create or replace trigger no before delete on sessions for each row signal sqlstate '45000' set message_text = 'the-secret'",
        )
        await knex('sessions').insert(row({})).onConflict().ignore()
        await knex('sessions').del()
      },
      'ER_SIGNAL_EXCEPTION',
    ],
  },
  postgresql: {
    'a key that is taken': [
      async knex => {
        await knex('sessions').insert(row({ id: 'the-secret' }))
        await knex('sessions').insert(row({ id: 'the-secret' }))
      },
      '23505',
    ],
    'text for a number': [async knex => knex('sessions').insert(row({ expires_at: 'the-secret' })), '22P02'],
    'nothing where something must be': [
      async knex => knex('sessions').insert(row({ id: 'the-secret', version: null })),
      '23502',
    ],
    'a statement that is none': [async knex => knex.raw("insert 'the-secret' sessions"), '42601'],
    'what a function says': [async knex => knex.raw("do $$ begin raise exception 'the-secret'; end $$"), 'P0001'],
  },
}

for (const [name, failures] of Object.entries(TOLD)) {
  for (const [what, [run, code]] of Object.entries(failures)) {
    test(`T6: ${name}: the error of ${what} quotes no value.`, async t => {
      const { knex, open } = await migratedDatabase(t, name as 'mariadb')
      const bare = await t.throwsAsync(async () => run(knex), { code })
      t.true(seen(bare).includes('the-secret'), 'the control: the driver tells it')
      const error = await t.throwsAsync(
        retried(() => run(open())),
        { code },
      )
      t.not(error.message, '')
      t.notRegex(seen(error), /the-secret/)
    })
  }

  test(`T6: ${name}: an error that names a table tells its name.`, async t => {
    const { knex } = await migratedDatabase(t, name as 'mariadb')
    const error = await t.throwsAsync(retried(async () => knex('no_such').where({ id: 'the-secret' })))
    t.regex(error.message, /no_such/)
    t.notRegex(seen(error), /the-secret/)
  })

  test(`T6: ${name}: the errors of a statement that took too long and of an exhausted pool tell no values.`, async t => {
    const { open } = await migratedDatabase(t, name as 'mariadb')
    const knex = open({ pool: { min: 0, max: 1 }, acquireConnectionTimeout: 1000 })
    const sleep = name === 'mariadb' ? 'select sleep(1), ?' : 'select pg_sleep(1), ?'
    const late = () => knex.raw(sleep, 'the-secret').timeout(20)
    t.regex(seen(await t.throwsAsync(async () => late())), /the-secret/)
    const error = await t.throwsAsync(retried(late))
    t.regex(error.message, /timeout of 20ms/)
    t.notRegex(seen(error), /the-secret|sleep/)

    const held = await knex.client.acquireConnection()
    const full = await t.throwsAsync(retried(() => knex('sessions').where({ id: 'the-secret' })))
    await knex.client.releaseConnection(held)
    t.regex(full.message, /Timeout acquiring a connection/)
    t.notRegex(seen(full), /the-secret|select/)
  })
}

test('An error of a connection that could not be made has words, even where Node gives it none', t => {
  const error = Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:3306')], ''), {
    code: 'ECONNREFUSED',
  })
  const quiet = withoutStatement(error) as Error
  t.is(quiet.message, 'ECONNREFUSED')
})

import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { isDuplicate, retried } from '../../lib/database/conflicts.ts'
import { lockWaits, migratedDatabase, onConnect } from './servers.ts'

const SERVERS = ['mariadb', 'postgresql'] as const
type ServerName = (typeof SERVERS)[number]

/** Which errors of statements are collisions, and how a trigger brings them about. */
const COLLISIONS: Record<ServerName, Record<string, string>> = {
  mariadb: {
    ER_LOCK_DEADLOCK: "signal sqlstate '40001' set mysql_errno = 1213, message_text = 'x'",
    ER_LOCK_WAIT_TIMEOUT: "signal sqlstate 'HY000' set mysql_errno = 1205, message_text = 'x'",
    ER_CHECKREAD: "signal sqlstate 'HY000' set mysql_errno = 1020, message_text = 'x'",
  },
  postgresql: {
    '40P01': "raise exception 'x' using errcode = '40P01'",
    40001: "raise exception 'x' using errcode = '40001'",
    '55P03': "raise exception 'x' using errcode = '55P03'",
  },
}

async function raiseOnUpdate(knex: Knex, statement: string): Promise<void> {
  if (knex.client.dialect === 'mysql') {
    await knex.raw(`create trigger collide before update on sessions for each row ${statement}`)
    return
  }
  await knex.raw(`create function collide() returns trigger language plpgsql as $$ begin ${statement}; end $$`)
  await knex.raw('create trigger collide before update on sessions for each row execute function collide()')
}

/** Counts what knex is told of statements that fail, by code. */
function failuresOf(knex: Knex): Record<string, number> {
  const failures: Record<string, number> = {}
  knex.on('query-error', ({ code }) => {
    failures[code] = (failures[code] ?? 0) + 1
  })
  return failures
}

async function addSessions(knex: Knex, ...ids: string[]): Promise<void> {
  await knex('sessions').insert(ids.map(id => ({ id, data: '', version: '', expires_at: 1 })))
}

async function untilWaits(knex: Knex, count = 1): Promise<void> {
  while ((await lockWaits(knex)) < count) await wait(10)
}

const move = (knex: Knex, id: string, to: number) => knex('sessions').where({ id }).update({ expires_at: to })

for (const name of SERVERS) {
  for (const [code, statement] of Object.entries(COLLISIONS[name])) {
    test(`T6: ${name}: a statement that the database calls off by ${code} every time is tried ten times.`, async t => {
      const { knex } = await migratedDatabase(t, name)
      await addSessions(knex, 'a')
      await raiseOnUpdate(knex, statement)
      const failures = failuresOf(knex)
      await t.throwsAsync(
        retried(() => move(knex, 'a', 2)),
        { code },
      )
      t.deepEqual(failures, { [code]: 10 })
    })
  }

  test(`T6: ${name}: a transaction that meets another one crosswise is called off, done again as a whole, and done once.`, async t => {
    const { failures, total } = await crosswise(t, name, retried)
    // On a busy machine it may get the row again before the other one wakes up, and is called off again.
    t.deepEqual(Object.keys(failures), [name === 'mariadb' ? 'ER_LOCK_DEADLOCK' : '40P01'])
    t.is(total, 110)
  })

  test(`T6: ${name}: the same without another try fails, so that the check above can fail.`, async t => {
    const code = name === 'mariadb' ? 'ER_LOCK_DEADLOCK' : '40P01'
    await t.throwsAsync(
      crosswise(t, name, async run => run()),
      { code },
    )
  })

  test(`T6: ${name}: a lock that is not had in time is tried for again, and what the transaction did before is not done twice.`, async t => {
    const { knex: blocker, open } = await migratedDatabase(t, name)
    await addSessions(blocker, 'a')
    const knex = open(onConnect(name === 'mariadb' ? 'set innodb_lock_wait_timeout = 1' : "set lock_timeout = '100ms'"))
    const failures = failuresOf(knex)
    const trx = await blocker.transaction()
    await move(trx, 'a', 2)
    knex.once('query-error', () => void trx.commit())
    await retried(() =>
      knex.transaction(async own => {
        // MariaDB rolls back the one statement and leaves this one: it takes a rollback of the whole before the next try.
        await addSessions(own, 'b')
        await own('sessions').where({ id: 'a' }).increment('expires_at', 10)
      }),
    )
    t.is(Object.values(failures)[0], 1)
    t.is(Number((await knex('sessions').where({ id: 'a' }).first('expires_at')).expires_at), 12)
    t.is((await knex('sessions')).length, 2)
  })

  test(`${name}: a key that is taken is told from all else.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    await addSessions(knex, 'a')
    t.true(isDuplicate(await t.throwsAsync(retried(() => addSessions(knex, 'a')))))
    t.false(isDuplicate(await t.throwsAsync(retried(async () => knex('no_such')))))
  })
}

test('T6: mariadb: a transaction that has read what another one changed since is done again.', async t => {
  const { knex: other, open } = await migratedDatabase(t, 'mariadb')
  await addSessions(other, 'a')
  const knex = open(onConnect('set innodb_snapshot_isolation = on'))
  const failures = failuresOf(knex)
  let rounds = 0
  await retried(() =>
    knex.transaction(async trx => {
      const { expires_at } = await trx('sessions').where({ id: 'a' }).first('expires_at')
      if (++rounds === 1) await move(other, 'a', 50)
      await move(trx, 'a', expires_at + 1)
    }),
  )
  t.deepEqual(failures, { ER_CHECKREAD: 1 })
  t.is((await other('sessions').first('expires_at')).expires_at, 51)
})

for (const level of ['repeatable read', 'serializable']) {
  test(`T6: postgresql: at the level ${level} many who change one row at once all do.`, async t => {
    const { knex: other, open } = await migratedDatabase(t, 'postgresql')
    await addSessions(other, 'a')
    const knex = open(onConnect(`set default_transaction_isolation = '${level}'`))
    const failures = failuresOf(knex)
    const trx = await other.transaction()
    await move(trx, 'a', 1)
    const all = Promise.all(
      Array.from({ length: 20 }, () => retried(() => knex('sessions').increment('expires_at', 1))),
    )
    await untilWaits(open(), 4)
    await trx.commit()
    await all
    t.is(Number((await other('sessions').first('expires_at')).expires_at), 21)
    t.true(failures['40001']! > 0, 'did they meet?')
  })
}

/** A transaction that locks one row and wants another one, which a second transaction has while it wants the first. */
async function crosswise(t: ExecutionContext, name: ServerName, run: typeof retried) {
  const { knex: watcher, open } = await migratedDatabase(t, name)
  await addSessions(watcher, 'a', 'b')
  // MariaDB calls off who has done less, PostgreSQL who has waited for so long first, and looks but once.
  const waiting = (time: string) => open(name === 'mariadb' ? {} : onConnect(`set deadlock_timeout = '${time}'`))
  const [knex, other] = [waiting('1s'), waiting('30s')]
  const heavy = await other.transaction()
  await addSessions(heavy, ...Array.from({ length: 50 }, (_, n) => `heavy ${n}`))
  await move(heavy, 'b', 2)
  const failures = failuresOf(knex)
  const own = run(() =>
    knex.transaction(async trx => {
      await trx('sessions').where({ id: 'a' }).increment('expires_at', 9)
      await trx('sessions').where({ id: 'b' }).increment('expires_at', 8)
    }),
  )
  own.catch(() => {})
  await untilWaits(watcher)
  await heavy('sessions').where({ id: 'a' }).update({ expires_at: 91 })
  await heavy.commit()
  await own
  const ends = await knex('sessions').whereIn('id', ['a', 'b']).pluck('expires_at')
  return { failures, total: ends.reduce((sum, end) => sum + Number(end), 0) }
}

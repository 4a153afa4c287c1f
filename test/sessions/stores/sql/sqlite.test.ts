import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { sqlStore } from '../../../../lib/sessions/stores/sql.ts'
import { newId } from '../../../../lib/testing/store-under-test.ts'
import { migratedSqlite, openSqlite, sqliteFile } from '../../../database/sqlite.ts'

const record = (data: object = {}) => ({ data, user: null, expiresAt: Date.now() + 3_600_000 })

/** Two connections to one file; the first does not wait for locks by itself. */
async function impatient(t: ExecutionContext): Promise<{ knex: Knex; blocker: Knex }> {
  const knex = await migratedSqlite(t)
  await knex.raw('pragma busy_timeout = 0')
  return { knex, blocker: openSqlite(t, knex.client.config.connection.filename) }
}

test('A statement that finds the database busy is repeated until it is free.', async t => {
  const { knex, blocker } = await impatient(t)
  const store = sqlStore(knex)
  const id = newId()
  await blocker.raw('begin immediate')
  let failures = 0
  knex.on('query-error', async () => {
    if (++failures === 2) await blocker.raw('commit')
  })
  const version = await store.create(id, record({ mark: 1 }))
  t.true(failures >= 2)
  t.is((await store.read(id))?.version, version!)
})

test('A database that stays busy is an error after a bounded number of tries.', async t => {
  const { knex, blocker } = await impatient(t)
  await blocker.raw('begin immediate')
  let failures = 0
  knex.on('query-error', () => {
    failures++
  })
  await t.throwsAsync(sqlStore(knex).create(newId(), record()), { code: 'SQLITE_BUSY' })
  t.true(failures > 1 && failures <= 10, `${failures} tries`)
  await blocker.raw('rollback')
})

test('An error that is no collision is not repeated.', async t => {
  const knex = openSqlite(t, await sqliteFile(t))
  let failures = 0
  knex.on('query-error', () => {
    failures++
  })
  await t.throwsAsync(sqlStore(knex).destroy(newId()))
  t.is(failures, 1)
})

/** How long this process was held up at most while a call failed, and how long the call took, in milliseconds. */
async function heldUp(t: ExecutionContext, busyTimeout: number): Promise<{ gap: number; took: number }> {
  const { knex, blocker } = await impatient(t)
  await knex.raw(`pragma busy_timeout = ${busyTimeout}`)
  await blocker.raw('begin immediate')
  let [gap, last] = [0, performance.now()]
  const look = () => {
    gap = Math.max(gap, performance.now() - last)
    last = performance.now()
  }
  const watch = setInterval(look, 5)
  const start = performance.now()
  await t.throwsAsync(sqlStore(knex).create(newId(), record()), { code: 'SQLITE_BUSY' })
  clearInterval(watch)
  look()
  await blocker.raw('rollback')
  return { gap, took: performance.now() - start }
}

test.serial(
  'T3: sqlite: with the busy_timeout that sqlStore() recommends a locked file holds nobody else up for long.',
  async t => {
    const { gap, took } = await heldUp(t, 20)
    t.log(`held up for ${Math.round(gap)} ms at most, in ${Math.round(took)} ms`)
    t.true(gap < 1000 && took < 3000)
  },
)

test.serial(
  'T3: sqlite: without it the process waits for the lock and does nothing else, so that the check above can fail.',
  async t => {
    const { gap } = await heldUp(t, 3500)
    t.true(gap > 3000, `${gap}`)
  },
)

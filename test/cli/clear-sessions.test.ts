import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { fileStore } from 'koa-strata/stores/file'
import { sqlStore } from 'koa-strata/stores/sql'
import { newSessionId, storeId } from '../../lib/sessions/id.ts'
import { DATABASES, type DatabaseName } from '../database/servers.ts'
import { LONG, scaled } from '../scale.ts'
import { sharedServer } from '../servers/shared.ts'
import { cli, cliJson, ended, start } from './cli.ts'
import { urlDatabase } from './databases.ts'

/** How many rows one statement may insert: databases bound what is bound in one. */
const AT_ONCE = 100

/** Puts sessions into the table, as many as told, that expire at a moment. */
async function fill(knex: Knex, count: number, expires_at: number): Promise<void> {
  const row = () => ({ id: storeId(newSessionId()), user_key: null, data: '{"_created":1}', version: 'v', expires_at })
  await knex.transaction(async trx => {
    for (let left = count; left > 0; left -= AT_ONCE)
      await trx('sessions').insert(Array.from({ length: Math.min(AT_ONCE, left) }, row))
  })
}

async function rows(knex: Knex): Promise<number> {
  const [found] = await knex('sessions').count({ count: '*' })
  return Number(found?.count)
}

for (const name of DATABASES) {
  test(`${name}: clear-sessions removes what has expired, and nothing else.`, t => clearing(t, name))
}

async function clearing(t: ExecutionContext, name: DatabaseName): Promise<void> {
  const { url, knex } = await urlDatabase(t, name)
  await fill(knex, 250, Date.now() - 1000)
  await fill(knex, 3, Date.now() + 600_000)
  const env = { DATABASE_URL: url }
  t.deepEqual(await cliJson(t, ['clear-sessions'], { env }), {
    code: 0,
    json: { removed: 250, left: 0, stopped: false },
  })
  t.is(await rows(knex), 3)
  t.is((await cli(t, ['clear-sessions'], { env })).stdout, '0 expired sessions removed.\n')
}

test('A long sweep says how far it is, and a site beside it keeps on writing.', async t => {
  t.timeout(LONG)
  const count = scaled(100_000)
  const { url, knex } = await urlDatabase(t, 'sqlite')
  await fill(knex, count, Date.now() - 1000)
  const child = start(['clear-sessions', '--progress', '--database', url])
  const outcome = ended(t, child)
  let isOver = false
  const over = outcome.then(() => {
    isOver = true
  })
  // As a site is told to wait for a lock: hardly.
  await knex.raw('pragma busy_timeout = 20')
  const store = sqlStore(knex)
  let written = 0
  for (; !isOver; written++) {
    const record = { data: { _created: 1 }, user: null, expiresAt: Date.now() + 600_000 }
    t.truthy(await store.create(storeId(newSessionId()), record))
    await new Promise(setImmediate)
  }
  await over
  const { code, stdout, stderr } = await outcome
  t.log(`${written} sessions were stored meanwhile`)
  t.is(code, 0)
  t.is(stdout, `${count.toLocaleString('en')} expired sessions removed.\n`)
  t.regex(stderr, /^([\d,]+ sessions removed, [\d,]+ left\n)+$/)
  t.is(await rows(knex), written)
})

test('Ctrl-C stops a sweep between two parts, and another run goes on.', async t => {
  t.timeout(LONG)
  const { url, knex } = await urlDatabase(t, 'sqlite')
  await fill(knex, 20_000, Date.now() - 1000)
  const child = start(['clear-sessions', '--progress', '--database', url])
  child.stderr.once('data', () => child.kill('SIGINT'))
  const { code, stdout } = await ended(t, child)
  t.is(code, 130)
  const [, removed, left] =
    /^Stopped: ([\d,]+) expired sessions removed, ([\d,]+) left\. Run it again/.exec(stdout) ?? []
  const numberOf = (text = '') => Number(text.replaceAll(',', ''))
  t.true(numberOf(removed) >= 100)
  t.is(numberOf(removed) + numberOf(left), 20_000)
  t.is(await rows(knex), numberOf(left))
  await knex('sessions').where('id', '>', '1').del()
  const rest = await rows(knex)
  t.is((await cliJson(t, ['clear-sessions', '--database', url])).json.removed, rest)
})

test('clear-sessions removes files that have expired, wherever the last sweep has stopped.', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const before = fileStore(directory, { now: () => 0 })
  const record = (expiresAt: number) => ({ data: { _created: 1 }, user: null, expiresAt })
  const living = storeId(newSessionId())
  await before.create(living, record(Date.now() + 600_000))
  for (let made = 0; made < 60; made++) await before.create(storeId(newSessionId()), record(1000))
  const { code, json } = await cliJson(t, ['clear-sessions', '--store', `file:${directory}`])
  t.is(code, 0)
  t.like(json, { removed: 60, stopped: false })
  t.truthy(await fileStore(directory).read(living))
})

test('Redis and memcached forget by themselves: there is nothing to clear.', async t => {
  for (const name of ['redis', 'memcached'] as const) {
    const [url] = await sharedServer(name)
    const { code, stdout } = await cli(t, ['clear-sessions', '--store', url!])
    t.is(code, 0)
    t.regex(stdout, /by itself: there is nothing to clear/)
  }
})

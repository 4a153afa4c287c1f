import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import type { SessionStore } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { fileStore } from 'koa-strata/stores/file'
import { memcachedStore } from 'koa-strata/stores/memcached'
import { redisStore } from 'koa-strata/stores/redis'
import { sqlStore } from 'koa-strata/stores/sql'
import { DATABASES, type DatabaseName } from '../database/servers.ts'
import { sharedServer } from '../servers/shared.ts'
import { openMemcached } from '../sessions/stores/memcached/setup.ts'
import { openNodeRedis } from '../sessions/stores/redis/setup.ts'
import { cli, cliJson, PASSWORD } from './cli.ts'
import { urlDatabase } from './databases.ts'
import { site } from './site.ts'

/** A store, and what the command is told to find it by. */
interface Found {
  store: SessionStore
  words: string[]
}

const STORES: Record<string, (t: ExecutionContext, knex: Knex) => Promise<Found>> = {
  table: async (_t, knex) => ({ store: sqlStore(knex), words: [] }),
  async redis(t) {
    const [url] = await sharedServer('redis')
    const prefix = `${randomBytes(8).toString('hex')}:`
    const store = redisStore(await openNodeRedis(t, url!), { prefix })
    return { store, words: ['--store', url!, '--store-prefix', prefix] }
  },
  async file(t) {
    const directory = await mkdtemp(join(tmpdir(), 'strata-'))
    t.teardown(() => rm(directory, { recursive: true, force: true }))
    return { store: fileStore(directory), words: ['--store', `file:${directory}`] }
  },
}

for (const name of DATABASES) {
  test(`S10: ${name}, table: sessions of a user are listed and ended, one by one and all.`, t =>
    listing(t, name, 'table'))
}
for (const store of ['redis', 'file']) {
  test(`S10: sqlite, ${store}: sessions of a user are listed and ended, one by one and all.`, t =>
    listing(t, 'sqlite', store))
}

async function listing(t: ExecutionContext, name: DatabaseName, kind: string): Promise<void> {
  const { url, knex } = await urlDatabase(t, name)
  const { store, words } = await STORES[kind]!(t, knex)
  const env = { DATABASE_URL: url }
  const people = sqlUsers(knex)
  const { key } = await people.create({ username: 'alice', email: 'alice@example.org', password: PASSWORD })
  const { logIn, whoIs } = await site(t, people, store)
  const [first, second] = [await logIn('alice', PASSWORD), await logIn('alice', PASSWORD)]
  const directoryUser = 'grüße/../☃ x'
  const detached = await logIn(directoryUser, 'directory')

  const listed = await cliJson(t, ['sessions', 'alice', ...words], { env })
  t.is(listed.code, 0)
  t.deepEqual(listed.json.user, { key, username: 'alice' })
  t.is(listed.json.sessions.length, 2)
  for (const session of listed.json.sessions) {
    t.true(Math.abs(Date.parse(session.createdAt) - Date.now()) < 120_000)
    t.true(Math.abs(Date.parse(session.lastSeenAt) - Date.now()) < 120_000)
  }

  const [{ id: ended }] = listed.json.sessions
  t.is((await cli(t, ['revoke', key, '--session', ended.slice(0, 12), ...words], { env })).code, 0)
  t.deepEqual([await whoIs(first), await whoIs(second)].sort(), ['nobody', key].sort())

  const all = await cliJson(t, ['revoke', 'alice@example.org', ...words], { env })
  t.deepEqual(all, { code: 0, json: { user: { key, username: 'alice' }, ended: 1 } })
  t.deepEqual([await whoIs(first), await whoIs(second)], ['nobody', 'nobody'])

  // Whoever another backend vouches for is named by key, and needs no record.
  const theirs = `ldap:${directoryUser}`
  const shown = await cli(t, ['sessions', theirs, ...words], { env })
  t.regex(shown.stdout, /^ldap:grüße\/\.\.\/☃ x has 1 session\.\nsession .+\n[\da-f]{12} .+Z\n$/)
  t.is(await whoIs(detached), theirs)
  t.is((await cliJson(t, ['revoke', theirs, ...words], { env })).json.ended, 1)
  t.is(await whoIs(detached), 'nobody')
}

test('Sessions that a new password has ended are not listed, and can be taken out of the store once.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const env = { DATABASE_URL: url }
  const people = sqlUsers(knex)
  const { id } = await people.create({ username: 'alice', password: PASSWORD })
  const { logIn } = await site(t, people, sqlStore(knex))
  await logIn('alice', PASSWORD)
  const tag = (await cliJson(t, ['sessions', 'alice'], { env })).json.sessions[0].id
  await people.setPassword(id, null)
  t.deepEqual((await cliJson(t, ['sessions', 'alice'], { env })).json.sessions, [])
  t.is((await cliJson(t, ['revoke', 'alice', '--session', tag], { env })).json.ended, 1)
  const again = await cliJson(t, ['revoke', 'alice', '--session', tag], { env })
  t.is(again.code, 3)
  t.is(again.json.error.code, 'NOT_FOUND')
})

test('S10: memcached: a user of another backend is logged out, though sessions cannot be listed.', async t => {
  const [url] = await sharedServer('memcached')
  const prefix = `${randomBytes(8).toString('hex')}:`
  const words = ['--store', url!, '--store-prefix', prefix]
  const { knex } = await urlDatabase(t, 'sqlite')
  const { logIn, whoIs } = await site(t, sqlUsers(knex), memcachedStore(openMemcached(t, url!), { prefix }))
  const browser = await logIn('bob', 'directory')
  const listed = await cliJson(t, ['sessions', 'ldap:bob', ...words])
  t.is(listed.code, 3)
  t.is(listed.json.error.code, 'SESSIONS_NOT_LISTABLE')
  t.is(await whoIs(browser), 'ldap:bob')
  t.deepEqual((await cliJson(t, ['revoke', 'ldap:bob', ...words])).json, {
    user: { key: 'ldap:bob', username: null },
    ended: null,
  })
  t.is(await whoIs(browser), 'nobody')
})

test('S10: somebody who is not in the database any more can be revoked as long as sessions of theirs are there.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const env = { DATABASE_URL: url }
  const people = sqlUsers(knex)
  const { id, key } = await people.create({ username: 'alice', password: PASSWORD })
  const { logIn } = await site(t, people, sqlStore(knex))
  await logIn('alice', PASSWORD)
  await people.delete(id)
  t.is((await cliJson(t, ['sessions', key], { env })).code, 3)
  t.is((await cliJson(t, ['revoke', key], { env })).json.ended, 1)
  t.is((await cliJson(t, ['revoke', key], { env })).json.error.code, 'NOT_FOUND')
})

test('What another backend calls its users cannot move the cursor of a terminal.', async t => {
  const { url } = await urlDatabase(t, 'sqlite')
  const { stdout } = await cli(t, ['sessions', 'ldap:a\u001b[2J\u009b\nb\u202e', '--store', url])
  t.is(stdout, 'ldap:a\\u{1b}[2J\\u{9b}\\u{a}b\\u{202e} has 0 sessions.\n')
})

test('An idle timeout that cannot be the application’s shows nobody as seen at a wrong moment.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const people = sqlUsers(knex)
  await people.create({ username: 'alice', password: PASSWORD })
  const { logIn } = await site(t, people, sqlStore(knex))
  await logIn('alice', PASSWORD)
  for (const days of ['7', '15']) {
    const { json } = await cliJson(t, ['sessions', 'alice', '--idle-timeout', days, '--database', url])
    t.is(json.sessions[0].lastSeenAt, null)
  }
})

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { cookieStore, memoryStore, type SessionStore } from 'koa-strata'
import { fileStore } from 'koa-strata/stores/file'
import { redisStore } from 'koa-strata/stores/redis'
import { sqlStore } from 'koa-strata/stores/sql'
import { createClient } from 'redis'
import { DATABASES, type DatabaseName, migratedDatabase } from '../../../database/servers.ts'
import { sharedServer } from '../../../servers/shared.ts'
import { bothWays, compared, deployment, drawn } from '../deployment.ts'

/** A place for sessions, as often as it is asked for by one more application. */
type Place = () => SessionStore

async function directory(t: ExecutionContext): Promise<Place> {
  const path = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return () => fileStore(path)
}

async function prefix(t: ExecutionContext): Promise<Place> {
  const [url] = await sharedServer('redis')
  const client = createClient({ url: url! })
  await client.connect()
  t.teardown(() => client.destroy())
  const own = `doctor-${randomBytes(8).toString('hex')}:`
  return () => redisStore(client, { prefix: own })
}

async function table(t: ExecutionContext, name: DatabaseName): Promise<Place> {
  const database = await migratedDatabase(t, name)
  return () => sqlStore(database.open())
}

const PLACES: Record<string, (t: ExecutionContext) => Promise<Place>> = {
  'a directory': directory,
  'Redis, by its prefix': prefix,
  ...Object.fromEntries(DATABASES.map(name => [`a table of ${name}`, (t: ExecutionContext) => table(t, name)])),
}

for (const [name, open] of Object.entries(PLACES)) {
  test(`${name}: one place for sessions is told from another one.`, async t => {
    const [one, another] = await Promise.all([open(t), open(t)])
    const [shop, forum, apart] = [one, one, another].map(place => deployment({ store: place() }))
    t.deepEqual(await bothWays(forum!, shop!, 'shared store'), [['ok'], ['ok']])
    const { card } = await drawn(shop!)
    t.deepEqual(
      (await compared(forum!, card, 'shared store')).map(({ status }) => status),
      ['ok'],
      'a second time',
    )
    const found = await compared(apart!, card, 'shared store')
    t.like(found, { length: 1, 0: { status: 'problem' } })
    t.regex(found[0]!.message, /logins of one are unknown to the other/)
  })
}

test('The session that is left to be found is nobody’s, by no id that a cookie has, and expires with the card.', async t => {
  const kept: Parameters<SessionStore['create']>[] = []
  const store = memoryStore()
  const create: SessionStore['create'] = (id, record) => {
    kept.push([id, record])
    return store.create(id, record)
  }
  const { card } = await drawn(deployment({ store: { ...store, create } }))
  const [[id, { data, user, expiresAt }], ...more] = kept as [Parameters<SessionStore['create']>]
  t.deepEqual(more, [])
  t.regex(id, /^[\da-f]{64}$/)
  t.is(card.logins[0]?.probe, id)
  t.is(user, null)
  t.deepEqual(Object.keys(data), ['_created'])
  t.is(expiresAt, card.writtenAt + 3_600_000)
})

test('Of cookieStore() the places of epochs are compared.', async t => {
  const one = await directory(t)
  const inCookie = (epochs?: SessionStore) => deployment({ store: cookieStore(epochs && { epochs }) })
  t.deepEqual(await bothWays(inCookie(one()), inCookie(one()), 'shared store'), [['ok'], ['ok']])
  t.deepEqual(await bothWays(inCookie(), inCookie(), 'shared store'), [['ok'], ['ok']])
  t.deepEqual(await bothWays(inCookie(one()), inCookie((await directory(t))()), 'shared store'), [
    ['problem'],
    ['problem'],
  ])
  t.deepEqual(await bothWays(inCookie(one()), inCookie(), 'shared store'), [['warning'], ['warning']])
  t.deepEqual(await bothWays(inCookie(one()), deployment({ store: one() }), 'shared store'), [['problem'], ['problem']])
})

test('The memory of a process is shared with nobody.', async t => {
  const one = await directory(t)
  for (const own of [{}, { store: memoryStore() }])
    t.deepEqual(await bothWays(deployment(own), deployment({ store: one() }), 'shared store'), [
      ['problem'],
      ['problem'],
    ])
  const [found] = await compared(deployment(), (await drawn(deployment())).card, 'shared store')
  t.regex(found!.message, /here and there the store is the memory of one process/)
})

test('A store that does not answer is told, and the rest is compared.', async t => {
  const fails = async () => Promise.reject(new Error('redis://me:secret@host is away'))
  const away = deployment({ store: { ...memoryStore(), read: fails, create: fails } })
  const { card, text, findings } = await drawn(away)
  t.deepEqual(findings, [
    {
      check: 'card',
      status: 'problem',
      message: 'The store cannot be told by it: redis://host is away',
      advice: 'Others cannot compare their store with it: mend this, and write it again.',
    },
  ])
  t.false(text.includes('secret'))
  const place = await directory(t)
  const statuses = async (found: ReturnType<typeof compared>) =>
    Object.fromEntries((await found).map(({ check, status }) => [check, status]))
  t.like(await statuses(compared(deployment({ store: place() }), card)), {
    'shared keys': 'ok',
    'shared store': 'skipped',
  })
  const fine = await drawn(deployment({ store: place() }))
  t.like(await statuses(compared(away, fine.card)), { 'shared keys': 'ok', 'shared store': 'skipped' })
})

test('A store that was named stands in the place of the application’s own.', async t => {
  const one = await directory(t)
  const { card } = await drawn(deployment({ store: (await directory(t))() }), one())
  t.deepEqual((await compared(deployment({ store: one() }), card, 'shared store'))[0]?.status, 'ok')
  const unreached = await drawn(deployment({ store: one() }), null)
  t.like(unreached.findings, { length: 1, 0: { status: 'problem' } })
  t.is(unreached.card.logins[0]?.probe, null)
})

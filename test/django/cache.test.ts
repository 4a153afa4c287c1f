import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { type DjangoCache, forgetterOf } from '../../lib/django/cache.ts'
import { databaseRecords } from '../../lib/django/database-records.ts'
import type { DjangoRecords } from '../../lib/django/records.ts'
import { DjangoSessionForm } from '../../lib/django/session-form.ts'
import { sessionKeys } from '../../lib/django/session-key.ts'
import { DjangoKeys, DjangoSigning } from '../../lib/django/signing.ts'
import { OptionInvalid } from '../../lib/errors.ts'
import { Visitor } from '../servers/django/visitor.ts'
import { type Django, startDjango } from '../servers/django.ts'
import { file } from '../servers/file-owner.ts'
import { startMemcached } from '../servers/memcached.ts'
import { sharedServer } from '../servers/shared.ts'
import { openMemcached } from '../sessions/stores/memcached/setup.ts'

const WHERE = 'djangoSessions()'
const HOUR = 3_600_000

for (const [options, expected] of [
  [{}, ':1:django.contrib.sessions.cached_dbabc'],
  [{ keyPrefix: 'site' }, 'site:1:django.contrib.sessions.cached_dbabc'],
  [{ keyPrefix: 'site', version: 3 }, 'site:3:django.contrib.sessions.cached_dbabc'],
] as const) {
  test(`With ${JSON.stringify(options)} the key of a session in the cache is '${expected}'.`, async t => {
    const removed: string[] = []
    await forgetterOf(WHERE, { ...options, delete: async key => removed.push(key) })('abc')
    t.deepEqual(removed, [expected])
  })
}

test('A cache may be an instance of a class.', async t => {
  const removed: string[] = []
  class Cache implements DjangoCache {
    readonly version = 2
    async delete(key: string) {
      removed.push(`${this.version} ${key}`)
    }
  }
  await forgetterOf(WHERE, new Cache())('abc')
  t.deepEqual(removed, ['2 :2:django.contrib.sessions.cached_dbabc'])
})

const remove = async () => {}
for (const [option, what, cache] of [
  ['cache', 'nothing', null],
  ['cache', 'text', 'redis://127.0.0.1'],
  ['cache', 'an object that removes nothing', {}],
  ['cache', 'a client of Redis', { del: remove }],
  ['cache.keyPrefix', 'a prefix that is no text', { delete: remove, keyPrefix: 1 }],
  ['cache.keyPrefix', 'null for a prefix', { delete: remove, keyPrefix: null }],
  ['cache.version', 'a version that is text', { delete: remove, version: '1' }],
  ['cache.version', 'a version that is no whole number', { delete: remove, version: 1.5 }],
  ['cache.prefix', 'an option that is unknown', { delete: remove, prefix: 'site' }],
] as const) {
  test(`forgetterOf() refuses ${what} and names '${option}'.`, t => {
    const error = t.throws(() => forgetterOf(WHERE, cache as unknown as DjangoCache), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.is(error.where, WHERE)
  })
}

test('L9: a failure of the cache is told without the key, whatever the client says.', async t => {
  const key = 'a1b2c3'
  const quoted = Object.assign(new Error(`timeout at DEL :1:django.contrib.sessions.cached_db${key}`), { args: [key] })
  for (const [thrown, told] of [
    [quoted, 'timeout at DEL :1:django.contrib.sessions.cached_db…'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [`no ${key}`, 'no …'],
    [undefined, 'undefined'],
  ]) {
    for (const fail of [
      () => Promise.reject(thrown),
      () => {
        throw thrown
      },
    ]) {
      const error = await t.throwsAsync(() => forgetterOf(WHERE, { delete: fail })(key))
      t.is(error.message, `Django's cache did not let go of a session: ${told}`)
      t.is(error.cause, undefined)
    }
  }
})

test('A key that memcached does not have is let go of, and one of a memcached that is down is not.', async t => {
  const server = await startMemcached(t)
  const memcached = openMemcached(t, server.url)
  const forget = forgetterOf(WHERE, { delete: key => memcached.delete(key) })
  await t.throwsAsync(memcached.delete('nothing'), { message: 'NOT_FOUND' })
  await forget('abc')
  await memcached.set(':1:django.contrib.sessions.cached_dbabc', 'a copy')
  await forget('abc')
  t.falsy(await memcached.get(':1:django.contrib.sessions.cached_dbabc'))
  await server.kill()
  await t.throwsAsync(forget('abc'), { message: /^Django's cache did not let go of a session: / })
})

/** A session of a site that keeps them in SQLite and memcached, in which Django has put `count` 1. */
interface Cached {
  readonly site: Django
  readonly visitor: Visitor
  readonly key: string
  readonly form: DjangoSessionForm
  readonly knowing: DjangoRecords
  /** Without the cache. */
  readonly unaware: DjangoRecords
  /** Puts another `count` into the session's row. */
  count(records: DjangoRecords, count: number): Promise<void>
}

const keyPrefix = `strata-${randomBytes(8).toString('hex')}`
let started: ReturnType<typeof start> | undefined

async function start() {
  const [url] = await sharedServer('memcached')
  const site = await startDjango(file, { sessions: 'cached_db', cache: { url: url!, keyPrefix, version: 7 } })
  return { site, memcached: openMemcached(file, url!) }
}

async function cachedSession(t: ExecutionContext): Promise<Cached> {
  started ??= start()
  const { site, memcached } = await started
  const knex = site.database.open()
  const forget = forgetterOf(WHERE, { keyPrefix, version: 7, delete: key => memcached.delete(key) })
  const keys = new DjangoKeys(WHERE, { secretKey: site.secretKey })
  const form = new DjangoSessionForm(new DjangoSigning(keys, 'django.contrib.sessions.SessionStore'), {
    backend: 'django',
    authenticationBackends: ['django.contrib.auth.backends.ModelBackend'],
  })
  const visitor = new Visitor(site.url)
  await visitor.post('/session', { set: { count: 1 } })
  const key = visitor.cookies.get('sessionid')!
  return {
    site,
    visitor,
    key,
    form,
    knowing: databaseRecords(WHERE, knex, { forget }),
    unaware: databaseRecords(WHERE, knex),
    async count(records, count) {
      const found = (await records.read(key))!
      const text = form.write({ ...form.read(found.text)?.data, count }, Date.now())
      t.is(await records.swap(key, found.text, { ...found, text }), 'swapped')
    },
  }
}

test('cached_db: Django goes on with what is changed here, and without the cache it goes on with its own copy.', async t => {
  const { visitor, count, knowing, unaware } = await cachedSession(t)
  const counted = async () => (await visitor.get('/session')).json.data.count
  t.is(await counted(), 1)
  await count(unaware, 2)
  t.is(await counted(), 1)
  await count(knowing, 3)
  t.is(await counted(), 3)
  await count(knowing, 4)
  t.is(await counted(), 4)
})

test('S3: cached_db: a session that is removed here is gone in Django, and without the cache it lives on there until it is looked for here.', async t => {
  const { visitor, key, knowing, unaware } = await cachedSession(t)
  const known = async () => {
    // Where there is no session Django takes the cookie away.
    visitor.cookies.set('sessionid', key)
    return (await visitor.get('/session')).json.data
  }
  const found = (await unaware.read(key))!
  t.is(await unaware.remove(key, found.text), 'removed')
  t.deepEqual(await known(), { count: 1 })
  t.is(await knowing.read(key), null)
  t.deepEqual(await known(), {})
  t.true(await knowing.add(key, found))
  t.deepEqual(await known(), { count: 1 })
  t.is(await knowing.remove(key, found.text), 'removed')
  t.deepEqual(await known(), {})
})

test('cached_db: what Django has changed, or removed, is so here, and what is begun here is known there.', async t => {
  const { site, visitor, key, form, knowing } = await cachedSession(t)
  await visitor.post('/session', { set: { text: 'é🦊' } })
  t.like(form.read((await knowing.read(key))!.text)?.data, { count: 1, text: 'é🦊' })
  await visitor.post('/session', { flush: true })
  t.is(await knowing.read(key), null)
  const text = form.write({ _created: 0, begun: ['é🦊'] }, Date.now())
  const expiresAt = Date.now() + HOUR
  const begun = sessionKeys.newId()
  t.true(await knowing.add(begun, { text, expiresAt }))
  const other = new Visitor(site.url)
  other.cookies.set('sessionid', begun)
  t.deepEqual((await other.get('/session')).json.data, { begun: ['é🦊'] })
})

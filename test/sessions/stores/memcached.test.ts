import test from 'ava'
import { MemcacheClient } from 'memcache-client'
import { OptionInvalid } from '../../../lib/errors.ts'
import { type MemcachedClient, memcachedStore } from '../../../lib/sessions/stores/memcached.ts'
import { newId } from '../../../lib/testing/store-under-test.ts'
import { logIn, startUsersApp, whoIs } from '../../users/app.ts'
import { altered, HOUR, ownMemcached, recordOf } from './memcached/setup.ts'

test('An item holds the version, the expiry, the user and the data as JSON, under the prefix and the id.', async t => {
  const { client, prefix, store } = await ownMemcached(t)
  const id = newId()
  const { expiresAt } = recordOf()
  const version = await store.create(id, { data: { a: [1] }, user: 'sql:1', expiresAt })
  const { value, tokens } = await client.gets<string>(prefix + id)
  t.deepEqual(JSON.parse(value), { version, expiresAt, user: 'sql:1', data: { a: [1] } })
  t.is(tokens[2], '0', 'no flags')
})

test("Keys begin with 'sess:' unless told otherwise.", async t => {
  const { client } = await ownMemcached(t)
  const store = memcachedStore(client)
  const id = newId()
  await store.create(id, recordOf())
  t.truthy(await client.get(`sess:${id}`))
  await store.destroy(id)
  t.falsy(await client.get(`sess:${id}`))
})

test('T7: memcached: with the longest prefix a key has 250 bytes, which the server takes.', async t => {
  const { client, prefix } = await ownMemcached(t)
  const keys: string[] = []
  const seen = <Args extends [string, ...unknown[]], Answer>(call: (...args: Args) => Answer) => {
    return (...args: Args) => {
      keys.push(args[0])
      return call(...args)
    }
  }
  const { gets, add, cas, delete: remove } = altered(client, {})
  const store = memcachedStore(
    { gets: seen(gets), add: seen(add), cas: seen(cas), delete: seen(remove) },
    { prefix: prefix.padEnd(186, '~') },
  )
  const id = newId()
  const version = await store.create(id, recordOf({ mark: 1 }))
  t.true(await store.touch(id, Date.now() + 2 * HOUR))
  t.not(await store.replace(id, version!, recordOf({ mark: 2 })), 'gone')
  t.deepEqual((await store.read(id))?.data, { mark: 2 })
  await store.destroy(id)
  t.is(await store.read(id), null)
  t.true(keys.length >= 8)
  for (const key of keys) t.regex(key, /^[\x21-\x7e]{250}$/)
})

for (const id of [
  '',
  'x',
  'A'.repeat(64),
  'a'.repeat(63),
  'a'.repeat(65),
  `${'a'.repeat(64)}\n`,
  `a\r\nflush_all\r\nget ${'a'.repeat(64)}`,
  `a ${'b'.repeat(62)}`,
  '__proto__',
]) {
  test(`T7: memcached: ${JSON.stringify(id)} is no id, and reaches no server.`, async t => {
    const refuse = () => t.fail('a call was made') as never
    const store = memcachedStore({ gets: refuse, add: refuse, cas: refuse, delete: refuse })
    const calls = [
      () => store.read(id),
      () => store.create(id, recordOf()),
      () => store.replace(id, 'v', recordOf()),
      () => store.touch(id, Date.now() + HOUR),
      () => store.destroy(id),
    ]
    for (const call of calls) await t.throwsAsync(call(), { instanceOf: TypeError, message: /64 lower-case/ })
  })
}

test('S10: memcached cannot list: ctx.listSessions() says so, and ctx.logoutEverywhere() works all the same.', async t => {
  const { store } = await ownMemcached(t)
  t.deepEqual(Object.keys(store).sort(), ['create', 'destroy', 'read', 'replace', 'touch'])
  const app = await startUsersApp(t, { store, deadline: 30_000 })
  const [laptop, phone] = [app.browser(), app.browser()]
  for (const browser of [laptop, phone]) await logIn(browser, 'alice')
  t.is((await laptop.get('/sessions')).status, 500)
  t.is(app.errors[0]!.code, 'SESSIONS_NOT_LISTABLE')
  t.regex(app.errors[0]!.message, /memcachedStore\(\)/)
  await laptop.get('/everywhere?keep')
  t.deepEqual([await whoIs(laptop), await whoIs(phone)], ['local:alice', ''])
})

for (const [option, options] of [
  ['prefix', { prefix: 'two words' }],
  ['prefix', { prefix: 'line\n' }],
  ['prefix', { prefix: 'tab\t' }],
  ['prefix', { prefix: 'nul\0' }],
  ['prefix', { prefix: 'é' }],
  ['prefix', { prefix: 'x'.repeat(187) }],
  ['prefix', { prefix: 1 }],
  ['prefix', { prefix: null }],
  ['now', { now: 1 }],
  ['now', { now: null }],
  ['lifetime', { lifetime: 60 }],
  ['options', null],
  ['options', []],
] as const) {
  test(`memcachedStore() refuses ${JSON.stringify(options)?.slice(0, 60)} and names '${option}'.`, t => {
    const client = new MemcacheClient({ server: '127.0.0.1:1' })
    const error = t.throws(() => memcachedStore(client, options as object), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.is(error.where, 'memcachedStore()')
  })
}

for (const [what, option, client] of [
  ['nothing', 'client', undefined],
  ['null', 'client', null],
  ['an address', 'client', '127.0.0.1:11211'],
  ['a list of clients', 'client', [new MemcacheClient({ server: '127.0.0.1:1' })]],
  ['no server at all', 'client', {}],
  ['an address by a name', 'client.a', { a: '127.0.0.1:11211' }],
  [
    'a client without cas',
    'client.b',
    { a: new MemcacheClient({ server: '127.0.0.1:1' }), b: { gets() {}, add() {} } },
  ],
  [
    'a client of several servers, of which it takes any',
    'client',
    new MemcacheClient({ server: { servers: [{ server: '127.0.0.1:1' }, { server: '127.0.0.1:2' }] } }),
  ],
] as const) {
  test(`memcachedStore() refuses ${what}.`, t => {
    const error = t.throws(() => memcachedStore(client as unknown as MemcachedClient), { instanceOf: OptionInvalid })
    t.is(error.option, option)
  })
}

test('A client whose list of servers has one is taken.', t => {
  const client = new MemcacheClient({ server: { servers: [{ server: '127.0.0.1:1' }] } })
  t.notThrows(() => memcachedStore(client))
  t.notThrows(() => memcachedStore({ only: client }))
})

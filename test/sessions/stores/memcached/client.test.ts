import test from 'ava'
import { SessionDataInvalid } from '../../../../lib/errors.ts'
import { type MemcachedClient, memcachedStore } from '../../../../lib/sessions/stores/memcached.ts'
import { newId } from '../../../../lib/testing/store-under-test.ts'
import { startMemcached } from '../../../servers/memcached.ts'
import { freePort } from '../../../servers/port.ts'
import { WIDE_DEADLINE } from '../../app.ts'
import { altered, HOUR, openMemcached, ownMemcached, recordOf } from './setup.ts'

const ERRORS = [
  'ERROR',
  'CLIENT_ERROR bad command line format',
  'SERVER_ERROR out of memory storing object',
  'SERVER_ERROR NOT_FOUND',
  'BUSY currently processing crawler request',
  'Command timeout',
  'socket close',
  'NOT_STORED, perhaps',
  'EXISTS ',
]

for (const message of ERRORS) {
  test(`Every call rejects by '${message}': an error is never told as an absence.`, async t => {
    const { client, prefix, store } = await ownMemcached(t)
    const fail = () => Promise.reject(new Error(message))
    const id = newId()
    const version = (await store.create(id, recordOf()))!
    const failing = (calls: Partial<MemcachedClient>) => memcachedStore(altered(client, calls), { prefix })
    const calls = [
      failing({ gets: fail }).read(id),
      failing({ gets: fail }).replace(id, version, recordOf()),
      failing({ gets: fail }).touch(id, Date.now() + HOUR),
      failing({ gets: fail }).create(id, recordOf()),
      failing({ add: fail }).create(newId(), recordOf()),
      failing({ cas: fail }).replace(id, version, recordOf()),
      failing({ cas: fail }).touch(id, Date.now() + HOUR),
      failing({ delete: fail }).destroy(id),
    ]
    for (const call of calls) await t.throwsAsync(call, { message })
    t.is((await store.read(id))?.version, version)
  })
}

test('Refusals that belong to another command reject.', async t => {
  const { client, prefix } = await ownMemcached(t)
  const refuse = (message: string) => () => Promise.reject(new Error(message))
  const failing = (calls: Partial<MemcachedClient>) => memcachedStore(altered(client, calls), { prefix })
  await t.throwsAsync(failing({ gets: refuse('NOT_FOUND') }).read(newId()), { message: 'NOT_FOUND' })
  await t.throwsAsync(failing({ add: refuse('EXISTS') }).create(newId(), recordOf()), { message: 'EXISTS' })
  await t.throwsAsync(failing({ delete: refuse('EXISTS') }).destroy(newId()), { message: 'EXISTS' })
})

for (const answer of [undefined, null, true, 'STORED', [], ['END'], 'ignore NOT_STORED']) {
  test(`A client that answers a change by ${JSON.stringify(answer)} is no memcache-client: nothing counts as stored.`, async t => {
    const { client, prefix, store } = await ownMemcached(t)
    const id = newId()
    const version = (await store.create(id, recordOf()))!
    const answering = async () => answer
    const careless = memcachedStore(altered(client, { add: answering, cas: answering, delete: answering }), { prefix })
    const expected = { instanceOf: TypeError, message: /memcache-client/ }
    await t.throwsAsync(careless.create(newId(), recordOf()), expected)
    await t.throwsAsync(careless.replace(id, version, recordOf()), expected)
    await t.throwsAsync(careless.touch(id, Date.now() + HOUR), expected)
    await t.throwsAsync(careless.destroy(id), expected)
  })
}

test('A client that reads without the token of a change is refused.', async t => {
  const store = memcachedStore({ ...altered({} as MemcachedClient, {}), gets: async () => ({ value: '{}' }) })
  await t.throwsAsync(store.read(newId()), { instanceOf: TypeError, message: /memcache-client/ })
})

test('Every call rejects where nobody listens.', async t => {
  const store = memcachedStore(openMemcached(t, `memcached://127.0.0.1:${await freePort()}`))
  const calls = [
    store.read(newId()),
    store.create(newId(), recordOf()),
    store.replace(newId(), 'v', recordOf()),
    store.touch(newId(), Date.now() + HOUR),
    store.destroy(newId()),
  ]
  for (const call of calls) await t.throwsAsync(call, { message: /ECONNREFUSED/ })
})

test('A memcached that was started without cas is refused by what to do about it.', async t => {
  const server = await startMemcached(t, { args: ['-C'] })
  const store = memcachedStore(openMemcached(t, server.url, WIDE_DEADLINE))
  const id = newId()
  await store.create(id, recordOf())
  await t.throwsAsync(store.read(id), { message: /Start it without -C/ })
})

test('T7: memcached: a value above the item limit is an error that says what to do, and what was stored stays.', async t => {
  const server = await startMemcached(t, { args: ['-I', '64k', '-o', 'slab_chunk_max=32768'] })
  const store = memcachedStore(openMemcached(t, server.url, WIDE_DEADLINE))
  const id = newId()
  const version = (await store.create(id, recordOf({ text: 'x'.repeat(60_000) })))!
  const large = recordOf({ text: 'x'.repeat(70_000) })
  const expected = { instanceOf: SessionDataInvalid, message: /ctx\.session is above the largest item .* -I\./ }
  await t.throwsAsync(store.replace(id, version, large), expected)
  await t.throwsAsync(store.create(newId(), large), expected)
  await store.touch(id, 0)
  await t.throwsAsync(store.create(id, large), expected, 'over an expired one')
  t.truthy(await store.create(id, recordOf()))
})

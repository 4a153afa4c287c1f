import test from 'ava'
import { SessionContended } from '../../../../lib/errors.ts'
import type { SessionStore } from '../../../../lib/sessions/store.ts'
import { type MemcachedClient, memcachedStore } from '../../../../lib/sessions/stores/memcached.ts'
import { newId } from '../../../../lib/testing/store-under-test.ts'
import { altered, HOUR, ownMemcached, recordOf } from './setup.ts'

/** A client that runs `between` before each of its first `times` cas. */
function interrupted(client: MemcachedClient, between: () => Promise<unknown>, times: number): MemcachedClient {
  let left = times
  return altered(client, {
    async cas(...args) {
      if (left-- > 0) await between()
      return client.cas(...args)
    },
  })
}

test('A touch that comes between does not make a replace fail.', async t => {
  const { client, prefix, store } = await ownMemcached(t)
  const id = newId()
  const version = (await store.create(id, recordOf()))!
  let touches = 0
  const touch = () => store.touch(id, Date.now() + HOUR + ++touches)
  const between = memcachedStore(interrupted(client, touch, 5), { prefix })
  const next = await between.replace(id, version, recordOf({ mark: 'second' }))
  t.is(touches, 5)
  t.like(await store.read(id), { data: { mark: 'second' }, version: next })
})

test('A touch that others always come before is answered, since the last of them is what stays.', async t => {
  const { client, prefix, store } = await ownMemcached(t)
  const id = newId()
  await store.create(id, recordOf())
  let touches = 0
  const touch = () => store.touch(id, Date.now() + HOUR + ++touches)
  t.true(await memcachedStore(interrupted(client, touch, 1000), { prefix }).touch(id, Date.now() + 2 * HOUR))
  t.is(touches, 1)
})

test('Of two hundred touches of one session at once none gives up, and one of them is what stays.', async t => {
  const { store } = await ownMemcached(t)
  const id = newId()
  const version = (await store.create(id, recordOf()))!
  const moments = Array.from({ length: 200 }, (_, index) => Date.now() + 2 * HOUR + index)
  const answers = await Promise.all(moments.map(moment => store.touch(id, moment)))
  t.deepEqual(new Set(answers), new Set([true]))
  const found = await store.read(id)
  t.is(found?.version, version)
  t.true(moments.includes(found!.expiresAt))
})

test("A replace that comes between makes another one 'changed', and is what a touch leaves.", async t => {
  const { client, prefix, store } = await ownMemcached(t)
  for (const call of ['replace', 'touch'] as const) {
    const id = newId()
    const version = (await store.create(id, recordOf({ mark: 'first' })))!
    let second: string | undefined
    const replace = async () => {
      second = await store.replace(id, version, recordOf({ mark: 'second' }))
    }
    const between = memcachedStore(interrupted(client, replace, 1), { prefix })
    if (call === 'replace') t.is(await between.replace(id, version, recordOf({ mark: 'late' })), 'changed')
    else t.true(await between.touch(id, Date.now() + 2 * HOUR))
    t.like(await store.read(id), { data: { mark: 'second' }, version: second })
  }
})

test("A destroy that comes between makes a replace 'gone' and a touch false, and the session stays away.", async t => {
  const { client, prefix, store } = await ownMemcached(t)
  const id = newId()
  const version = (await store.create(id, recordOf()))!
  const between = memcachedStore(
    interrupted(client, () => store.destroy(id), 1),
    { prefix },
  )
  t.is(await between.replace(id, version, recordOf()), 'gone')
  t.is(await store.read(id), null)
  await store.create(id, recordOf())
  const again = memcachedStore(
    interrupted(client, () => store.destroy(id), 1),
    { prefix },
  )
  t.false(await again.touch(id, Date.now() + HOUR))
  t.is(await store.read(id), null)
})

test('A session destroyed while a create finds it taken leaves its id to the create.', async t => {
  const { client, prefix, store } = await ownMemcached(t)
  const id = newId()
  await store.create(id, recordOf({ mark: 'first' }))
  let destroyed = false
  const between = altered(client, {
    async gets(key) {
      if (!destroyed) await store.destroy(id)
      destroyed = true
      return client.gets(key)
    },
  })
  const version = await memcachedStore(between, { prefix }).create(id, recordOf({ mark: 'second' }))
  t.like(await store.read(id), { data: { mark: 'second' }, version })
})

test('Changes that others get ahead of again and again are an error after a bounded number of tries.', async t => {
  const { client, prefix, store } = await ownMemcached(t)
  const id = newId()
  const version = (await store.create(id, recordOf()))!
  let touches = 0
  const touch = () => store.touch(id, Date.now() + HOUR + ++touches)
  const between = memcachedStore(interrupted(client, touch, 1000), { prefix })
  await t.throwsAsync(between.replace(id, version, recordOf({ mark: 'late' })), { instanceOf: SessionContended })
  t.true(touches > 5 && touches < 100, `${touches} tries`)
  t.is((await store.read(id))?.version, version)
})

/** Many who have all read the session then all replace it, and read again where another was first. How many counts there are in the end. */
async function countsOf(stores: readonly SessionStore[], racers: number): Promise<number> {
  const id = newId()
  await stores[0]!.create(id, recordOf({ count: 0 }))
  let waiting = racers
  const allHaveRead = Promise.withResolvers<void>()
  const count = async (store: SessionStore) => {
    for (let first = true; ; first = false) {
      const found = (await store.read(id))!
      if (first && --waiting === 0) allHaveRead.resolve()
      await allHaveRead.promise
      const answer = await store.replace(id, found.version, recordOf({ count: found.data.count + 1 }))
      if (answer !== 'changed') return
    }
  }
  await Promise.all(Array.from({ length: racers }, (_, index) => count(stores[index % stores.length]!)))
  return (await stores[0]!.read(id))!.data.count
}

test('S6: memcached: of forty who count at once through two clients, none is lost.', async t => {
  const [one, other] = [await ownMemcached(t), await ownMemcached(t)]
  const { prefix } = one
  t.is(await countsOf([one.store, memcachedStore(other.client, { prefix })], 40), 40)
})

test('S6: memcached: the control of the race: where a set stands in place of the cas, counts are lost.', async t => {
  const { client, prefix } = await ownMemcached(t)
  const blind = altered(client, { cas: (key, text, { lifetime }) => client.set(key, text, { lifetime }) })
  const counted = await countsOf([memcachedStore(blind, { prefix })], 40)
  t.true(counted < 40, `${counted} counted`)
})

import test from 'ava'
import { OptionInvalid } from '../../../lib/errors.ts'
import { memoryStore } from '../../../lib/sessions/stores/memory.ts'
import { handedClock } from './setups.ts'

const record = (expiresAt: number) => ({ data: { expiresAt }, user: null, expiresAt })

test('A memory store keeps no more than maxSessions.', async t => {
  const { now } = handedClock()
  const store = memoryStore({ maxSessions: 10, now })
  for (let index = 0; index < 100; index++) await store.create(`id ${index}`, record(now() + 1000 + index))
  const there = await Promise.all(Array.from({ length: 100 }, (_, index) => store.read(`id ${index}`)))
  t.is(there.filter(found => found !== null).length, 10)
})

test('A full memory store lets go of the sessions that expire first, whenever they were made.', async t => {
  const { now } = handedClock()
  const store = memoryStore({ maxSessions: 3, now })
  await store.create('late', record(now() + 3000))
  await store.create('soonest', record(now() + 1000))
  await store.create('middle', record(now() + 2000))
  await store.create('new', record(now() + 1500))
  t.is(await store.read('soonest'), null)
  for (const id of ['late', 'middle', 'new']) t.truthy(await store.read(id), id)
})

test('A full memory store goes by the expiry that touch and replace have set.', async t => {
  const { now } = handedClock()
  const store = memoryStore({ maxSessions: 3, now })
  await store.create('touched', record(now() + 1000))
  const version = await store.create('replaced', record(now() + 1100))
  await store.create('plain', record(now() + 2000))
  await store.touch('touched', now() + 5000)
  await store.replace('replaced', version!, record(now() + 5000))
  await store.create('new', record(now() + 5000))
  t.is(await store.read('plain'), null)
  for (const id of ['touched', 'replaced', 'new']) t.truthy(await store.read(id), id)
})

test('A full memory store removes what has expired before anything that lives.', async t => {
  const { now, advance } = handedClock()
  const store = memoryStore({ maxSessions: 3, now })
  await store.create('one', record(now() + 1000))
  await store.create('two', record(now() + 5000))
  await store.create('three', record(now() + 6000))
  advance(1000)
  await store.create('four', record(now() + 7000))
  for (const id of ['two', 'three', 'four']) t.truthy(await store.read(id), id)
  t.is(await store.read('one'), null)
})

test('A full memory store answers null for an id that is taken, and lets nothing go for it.', async t => {
  const { now } = handedClock()
  const store = memoryStore({ maxSessions: 2, now })
  await store.create('one', record(now() + 1000))
  await store.create('two', record(now() + 2000))
  t.is(await store.create('two', record(now() + 3000)), null)
  t.truthy(await store.read('one'))
})

test('A session created in a full memory store is there, even if it is the one that expires first.', async t => {
  const { now } = handedClock()
  const store = memoryStore({ maxSessions: 1, now })
  await store.create('long', record(now() + 9000))
  await store.create('short', record(now() + 10))
  t.truthy(await store.read('short'))
})

test('A memory store of many sessions makes room for a hundredth at once, so that filling it stays cheap.', async t => {
  const { now } = handedClock()
  const store = memoryStore({ maxSessions: 1000, now })
  for (let index = 0; index < 1001; index++) await store.create(`id ${index}`, record(now() + 1000 + index))
  for (let index = 0; index < 10; index++) t.is(await store.read(`id ${index}`), null)
  t.truthy(await store.read('id 10'))
})

test('The versions of two memory stores do not fit each other, as those from before and after a restart.', async t => {
  const { now } = handedClock()
  const stores = [memoryStore({ now }), memoryStore({ now })] as const
  const [before, after] = await Promise.all(stores.map(store => store.create('id', record(now() + 1000))))
  t.not(before, after)
  t.is(await stores[1].replace('id', before!, record(now() + 1000)), 'changed')
})

for (const [option, value] of [
  ['maxSessions', 0],
  ['maxSessions', -1],
  ['maxSessions', 1.5],
  ['maxSessions', '10'],
  ['maxSessions', null],
  ['maxSessions', Number.NaN],
  ['maxSessions', Number.POSITIVE_INFINITY],
  ['now', 0],
  ['now', null],
  ['max', 10],
] as const) {
  test(`memoryStore() refuses ${option} = ${String(value)} (${typeof value}) and names it.`, t => {
    const error = t.throws(() => memoryStore({ [option]: value } as object), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.is(error.where, 'memoryStore()')
  })
}

test('memoryStore() refuses options that are no object.', t => {
  for (const options of [null, 'text', 1, []]) {
    t.throws(() => memoryStore(options as object), { instanceOf: OptionInvalid })
  }
})

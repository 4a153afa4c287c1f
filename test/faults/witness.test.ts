import test from 'ava'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { Witness } from './witness.ts'

test('A witness of a store without faults has nothing to tell.', async t => {
  const witness = await Witness.start(t, { store: memoryStore(), people: 5 })
  await witness.untilChanges(300)
  const { statuses, publicStatuses, acknowledged, slowest, slowestPublic, ...faults } = await witness.testify()
  t.deepEqual(Object.keys(statuses), ['200'])
  t.deepEqual(Object.keys(publicStatuses), ['200'])
  t.true(acknowledged >= 300)
  t.true(slowest > 0 && slowestPublic > 0)
  t.deepEqual(faults, { withoutRetryAfter: 0, loggedOut: [], lostChanges: [], uncalledFor: [], revived: [] })
})

test('A witness tells of a store that fails, and of when it is back.', async t => {
  const store = memoryStore()
  let down = false
  const read = store.read
  store.read = async id => (down ? Promise.reject(new Error('down')) : read(id))
  const witness = await Witness.start(t, { store, people: 5 })
  down = true
  await witness.untilStatus(503)
  down = false
  t.true((await witness.untilServed()) < 10_000)
  const { statuses, publicStatuses, lostChanges, loggedOut } = await witness.testify()
  t.true(statuses[503]! > 0)
  t.is(publicStatuses[503], undefined)
  t.deepEqual({ lostChanges, loggedOut }, { lostChanges: [], loggedOut: [] })
})

test('A witness tells of a store that forgets everybody, and of one that keeps who has logged out.', async t => {
  const first = memoryStore()
  let store: SessionStore = first
  const switched = new Proxy({} as SessionStore, { get: (_, name: keyof SessionStore) => store[name] })
  const witness = await Witness.start(t, { store: switched, people: 5 })
  await witness.untilChanges(100)
  store = memoryStore()
  await witness.untilStatus(401)
  await witness.untilServed()
  t.true((await witness.testify()).loggedOut.length >= 3)

  const forgetful = memoryStore()
  forgetful.replace = async (id, version, record) =>
    record.data._ended ? version : memory.replace(id, version, record)
  const memory = { ...memoryStore() }
  const keeping = { ...memory, replace: forgetful.replace }
  const another = await Witness.start(t, { store: keeping, people: 2 })
  await another.untilChanges(100)
  t.true((await another.testify()).revived.length > 0)
})

test('A witness tells of a store that says it has stored what it has not.', async t => {
  const store = memoryStore()
  const { replace } = store
  let lying = false
  store.replace = async (id, version, record) => (lying ? version : replace(id, version, record))
  const witness = await Witness.start(t, { store, people: 3 })
  await witness.untilChanges(10)
  lying = true
  await witness.untilChanges(20)
  const { lostChanges, uncalledFor } = await witness.testify()
  t.deepEqual({ lostChanges: lostChanges.length > 0, uncalledFor }, { lostChanges: true, uncalledFor: [] })
})

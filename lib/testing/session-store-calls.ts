import assert from 'node:assert/strict'
import { checksOf, newId } from './store-under-test.ts'

/** read, create, replace, touch and destroy, one at a time. */
export const callChecks = checksOf(null, {
  async 'An id that was never created reads as null.'(on) {
    await on.assertAbsent(newId())
  },

  async 'A created record reads back as it was, with the version that create answered.'(on) {
    const record = on.record({ cart: [1, 2], name: 'Ada' }, 'sql:1')
    const { id, version } = await on.add(record)
    await on.assertStored(id, { ...record, version })
  },

  async 'A version is text that is not empty.'(on) {
    const { id, version } = await on.add()
    assert.equal(typeof version, 'string')
    assert.notEqual(version, '')
    const next = await on.store.replace(id, version, on.record())
    assert.equal(typeof next, 'string')
    assert.notEqual(next, '')
  },

  async 'Reading changes neither the record nor its version.'(on) {
    const { id } = await on.add()
    const before = await on.store.read(id)
    await on.store.read(id)
    assert.deepEqual(await on.store.read(id), before)
  },

  async 'Ids that differ in one digit are different sessions.'(on) {
    const id = newId()
    const twin = (id.startsWith('0') ? '1' : '0') + id.slice(1)
    await on.store.create(id, on.record({ whose: 'one' }))
    await on.assertAbsent(twin)
    assert.ok(await on.store.create(twin, on.record({ whose: 'two' })))
    assert.deepEqual((await on.store.read(id))?.data, { whose: 'one' })
  },

  async 'Creating an id that is taken answers null and leaves the stored record alone.'(on) {
    const record = on.record({ mark: 'first' }, 'sql:1')
    const { id, version } = await on.add(record)
    for (const store of [on.store, on.other])
      assert.equal(await store.create(id, on.record({ mark: 'second' }, 'sql:2', on.later(9e6))), null)
    await on.assertStored(id, { ...record, version })
  },

  async 'Creating an id that is taken leaves its version good for a replace.'(on) {
    const { id, version } = await on.add()
    await on.store.create(id, on.record({ mark: 'second' }))
    assert.notEqual(await on.store.replace(id, version, on.record()), 'changed')
  },

  async 'Replacing with the current version stores data, user and expiry under the version it answers.'(on) {
    const { id, version } = await on.add(on.record({ old: 1 }, 'sql:1'))
    const record = on.record({ new: 2 }, 'sql:2', on.later(7_200_000))
    const next = await on.store.replace(id, version, record)
    assert.notEqual(next, version)
    await on.assertStored(id, { ...record, version: next })
  },

  async 'Replacing works from a version that another handle answered or read.'(on) {
    const { id, version } = await on.add()
    const second = await on.other.replace(id, version, on.record({ mark: 'second' }))
    assert.equal((await on.store.read(id))?.version, second)
    const third = await on.store.replace(id, second, on.record({ mark: 'third' }))
    await on.other.read(id).then(found => assert.deepEqual([found?.version, found?.data], [third, { mark: 'third' }]))
  },

  async 'Replacing drops the keys that the new data lacks.'(on) {
    const { id, version } = await on.add(on.record({ one: 1, two: { three: 3 } }))
    await on.store.replace(id, version, on.record({ two: {} }))
    assert.deepEqual((await on.store.read(id))?.data, { two: {} })
  },

  async 'Replacing takes the user away and gives one.'(on) {
    const { id, version } = await on.add(on.record({}, 'sql:1'))
    const next = await on.store.replace(id, version, on.record({}, null))
    assert.equal((await on.store.read(id))?.user, null)
    await on.store.replace(id, next, on.record({}, 'sql:2'))
    assert.equal((await on.store.read(id))?.user, 'sql:2')
  },

  async "Replacing with an outdated version answers 'changed' and stores nothing."(on) {
    const { id, version } = await on.add()
    const record = on.record({ mark: 'second' }, 'sql:2')
    const next = await on.store.replace(id, version, record)
    for (const store of [on.store, on.other])
      assert.equal(await store.replace(id, version, on.record({ mark: 'late' })), 'changed')
    await on.assertStored(id, { ...record, version: next })
  },

  async "Replacing with a version that never was answers 'changed' and stores nothing."(on) {
    const record = on.record({ mark: 'first' })
    const { id, version } = await on.add(record)
    const wrong = ['', '0', '-1', 'x', '*', '%', '__proto__', `${version} `, ` ${version}`, `${version}0`]
    for (const made of [...wrong, "' or '1'='1", 'null', version.repeat(2), version.slice(1)])
      assert.equal(await on.store.replace(id, made, on.record({ mark: 'forged' })), 'changed', made)
    await on.assertStored(id, { ...record, version })
  },

  async 'Replacing with the version of another session stores nothing.'(on) {
    const record = on.record({ mark: 'first' })
    const { id, version } = await on.add(record)
    const another = await on.add()
    assert.equal(await on.store.replace(id, another.version, on.record()), 'changed')
    await on.assertStored(id, { ...record, version })
  },

  async 'Replacing with the very same data answers another version.'(on) {
    const record = on.record({ same: true })
    const { id, version } = await on.add(record)
    const next = await on.store.replace(id, version, record)
    assert.notEqual(next, version)
    assert.equal(await on.store.replace(id, version, record), 'changed')
  },

  async "Replacing an id that was never created answers 'gone' and creates nothing."(on) {
    const id = newId()
    const { version } = await on.add()
    for (const any of [version, '', '1']) assert.equal(await on.store.replace(id, any, on.record()), 'gone')
    await on.assertAbsent(id)
  },

  async "Replacing a destroyed session answers 'gone' and does not bring it back."(on) {
    const { id, version } = await on.add()
    await on.store.destroy(id)
    for (const store of [on.store, on.other]) assert.equal(await store.replace(id, version, on.record()), 'gone')
    await on.assertAbsent(id)
  },

  async 'No version comes twice in a hundred changes of one session.'(on) {
    const { id, version } = await on.add()
    const versions = [version]
    for (let change = 0; change < 50; change++) {
      versions.push(await on.each(change).replace(id, versions.at(-1)!, on.record({ change: change % 2 })))
    }
    for (let change = 0; change < 50; change++) {
      await on.store.destroy(id)
      versions.push((await on.each(change).create(id, on.record({ change: change % 2 })))!)
    }
    assert.equal(new Set(versions).size, 101)
  },

  async 'Touching answers true and moves the expiry on.'(on) {
    const { id } = await on.add()
    const expiresAt = on.later(7_200_000)
    assert.equal(await on.store.touch(id, expiresAt), true)
    for (const store of [on.store, on.other]) assert.equal((await store.read(id))?.expiresAt, expiresAt)
  },

  async 'Touching can bring the expiry nearer.'(on) {
    const { id } = await on.add()
    const expiresAt = on.later(1_800_000)
    assert.equal(await on.store.touch(id, expiresAt), true)
    assert.equal((await on.store.read(id))?.expiresAt, expiresAt)
  },

  async 'Touching with the expiry that is there already answers true.'(on) {
    const record = on.record()
    const { id } = await on.add(record)
    assert.equal(await on.store.touch(id, record.expiresAt), true)
  },

  async 'Touching leaves data, user and version.'(on) {
    const record = on.record({ cart: [1] }, 'sql:1')
    const { id, version } = await on.add(record)
    const expiresAt = on.later(7_200_000)
    await on.other.touch(id, expiresAt)
    await on.assertStored(id, { ...record, expiresAt, version })
  },

  async 'A version from before a touch is good for a replace.'(on) {
    const { id, version } = await on.add()
    await on.store.touch(id, on.later(7_200_000))
    const next = await on.store.replace(id, version, on.record({ mark: 'second' }))
    assert.ok(next !== 'changed' && next !== 'gone', next)
  },

  async 'Touching an id that was never created answers false and creates nothing.'(on) {
    const id = newId()
    assert.equal(await on.store.touch(id, on.later()), false)
    await on.assertAbsent(id)
  },

  async 'Touching a destroyed session answers false and does not bring it back.'(on) {
    const { id } = await on.add()
    await on.store.destroy(id)
    for (const store of [on.store, on.other]) assert.equal(await store.touch(id, on.later()), false)
    await on.assertAbsent(id)
  },

  async 'A destroyed session is absent for every handle.'(on) {
    const { id } = await on.add()
    await on.other.read(id)
    await on.store.destroy(id)
    await on.assertAbsent(id)
  },

  async 'Destroying what is absent is no error.'(on) {
    const { id } = await on.add()
    await on.store.destroy(id)
    await assert.doesNotReject(on.store.destroy(id))
    await assert.doesNotReject(on.other.destroy(id))
    await assert.doesNotReject(on.store.destroy(newId()))
  },

  async 'Destroying a session leaves the others.'(on) {
    const record = on.record({ mark: 'kept' }, 'sql:1')
    const kept = await on.add(record)
    const { id } = await on.add(record)
    await on.store.destroy(id)
    await on.assertStored(kept.id, { ...record, version: kept.version })
  },

  async 'A destroyed id can be created again, and holds the new record alone.'(on) {
    const { id, version } = await on.add(on.record({ old: true }, 'sql:1'))
    await on.store.destroy(id)
    const record = on.record({ new: true })
    const next = await on.other.create(id, record)
    assert.ok(next)
    assert.notEqual(next, version)
    await on.assertStored(id, { ...record, version: next })
  },

  async 'A version from before destroy and create replaces nothing.'(on) {
    const { id, version } = await on.add()
    await on.store.destroy(id)
    const record = on.record({ mark: 'new' })
    const next = await on.store.create(id, record)
    assert.equal(await on.store.replace(id, version, on.record({ mark: 'late' })), 'changed')
    await on.assertStored(id, { ...record, version: next! })
  },

  async 'A thousand sessions are kept apart.'(on) {
    const ids: string[] = []
    for (let index = 0; index < 1000; index++) ids.push((await on.add(on.record({ index }, `sql:${index}`))).id)
    for (const [index, id] of ids.entries()) {
      const found = await on.other.read(id)
      assert.deepEqual([found?.data, found?.user], [{ index }, `sql:${index}`])
    }
  },
})

/** What a store lets go of. */
export const closeChecks = checksOf('close', {
  async 'Closing a store leaves its sessions to be opened again.'(on) {
    const { id } = await on.add()
    await on.store.close!()
    const again = await on.setup.open()
    assert.deepEqual((await again.read(id))?.data, { mark: 'first' })
  },
})

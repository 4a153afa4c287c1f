import assert from 'node:assert/strict'
import { checksOf, newId } from './store-under-test.ts'

/** Sessions that have expired, on any clock. */
export const expiryChecks = checksOf(null, {
  async 'An expired session is absent.'(on) {
    const { id } = await on.addExpired()
    await on.assertAbsent(id)
  },

  async 'A record created with an expiry that has passed is absent, and its id free.'(on) {
    const id = newId()
    await on.store.create(id, on.record({ mark: 'late' }, 'sql:1', on.past()))
    await on.assertAbsent(id)
    assert.ok(await on.store.create(id, on.record()))
  },

  async 'Replacing with an expiry that has passed ends the session.'(on) {
    const { id, version } = await on.add()
    const next = await on.store.replace(id, version, on.record({}, null, on.past()))
    await on.assertAbsent(id)
    assert.equal(await on.store.replace(id, next, on.record()), 'gone')
  },

  async "Replacing an expired session answers 'gone' and does not bring it back."(on) {
    const { id, version } = await on.addExpired()
    for (const store of [on.store, on.other]) assert.equal(await store.replace(id, version, on.record()), 'gone')
    await on.assertAbsent(id)
  },

  async 'Touching an expired session answers false and does not bring it back.'(on) {
    const { id } = await on.addExpired()
    for (const store of [on.store, on.other]) assert.equal(await store.touch(id, on.later()), false)
    await on.assertAbsent(id)
  },

  async 'Destroying an expired session is no error.'(on) {
    const { id } = await on.addExpired()
    await on.store.destroy(id)
    await on.assertAbsent(id)
  },

  async 'An expired id can be created again, and holds the new record alone.'(on) {
    const { id, version } = await on.addExpired({ old: true })
    const record = on.record({ new: true }, 'sql:2')
    const next = await on.store.create(id, record)
    assert.ok(next)
    assert.notEqual(next, version)
    await on.assertStored(id, { ...record, version: next })
  },

  async 'A version from before the expiry replaces nothing in a record created since.'(on) {
    const { id, version } = await on.addExpired()
    const record = on.record({ mark: 'new' })
    const next = await on.store.create(id, record)
    assert.equal(await on.store.replace(id, version, on.record({ mark: 'late' })), 'changed')
    await on.assertStored(id, { ...record, version: next! })
  },

  async 'An expiry is kept to the millisecond.'(on) {
    for (const odd of [on.later(3_600_001), on.later(3_600_999)]) {
      const { id, version } = await on.add(on.record({}, null, odd))
      assert.equal((await on.store.read(id))?.expiresAt, odd)
      await on.store.replace(id, version, on.record({}, null, odd + 7))
      assert.equal((await on.store.read(id))?.expiresAt, odd + 7)
      await on.store.touch(id, odd + 13)
      assert.equal((await on.store.read(id))?.expiresAt, odd + 13)
    }
  },

  async 'A session may last longer than 30 days, and longer than 2 ** 31 milliseconds.'(on) {
    for (const lasts of [30 * 86_400_000 + 1, 2 ** 31, 2 ** 32, 400 * 86_400_000]) {
      const record = on.record({ lasts }, null, on.later(lasts))
      const { id, version } = await on.add(record)
      await on.assertStored(id, { ...record, version })
      const expiresAt = on.later(2 * lasts)
      assert.equal(await on.store.touch(id, expiresAt), true)
      await on.assertStored(id, { ...record, expiresAt, version })
    }
  },

  async 'An expiry beyond the year 2038 is kept.'(on) {
    const record = on.record({ far: true }, null, Date.UTC(2090, 0))
    const { id, version } = await on.add(record)
    await on.assertStored(id, { ...record, version })
  },
})

/** Sessions that expire while the clock moves on. */
export const clockChecks = checksOf('clock', {
  async 'A session lives until the millisecond of its expiry and no longer.'(on) {
    const { id, version } = await on.add(on.record({}, null, on.later(5000)))
    on.setup.advance!(4999)
    assert.ok(await on.store.read(id))
    on.setup.advance!(1)
    await on.assertAbsent(id)
    assert.equal(await on.store.replace(id, version, on.record()), 'gone')
  },

  async 'A touched session outlives its first expiry.'(on) {
    const { id, version } = await on.add(on.record({ mark: 'kept' }, null, on.later(5000)))
    await on.store.touch(id, on.later(10_000))
    on.setup.advance!(9999)
    assert.equal((await on.other.read(id))?.version, version)
    on.setup.advance!(1)
    await on.assertAbsent(id)
  },

  async 'A session that was touched nearer ends at the nearer expiry.'(on) {
    const { id } = await on.add(on.record({}, null, on.later(10_000)))
    await on.store.touch(id, on.later(5000))
    on.setup.advance!(5000)
    await on.assertAbsent(id)
  },

  async 'A replaced session lives by its new expiry.'(on) {
    const { id, version } = await on.add(on.record({}, null, on.later(5000)))
    const next = await on.store.replace(id, version, on.record({ mark: 'second' }, null, on.later(10_000)))
    on.setup.advance!(9999)
    assert.equal((await on.store.read(id))?.version, next)
    on.setup.advance!(1)
    await on.assertAbsent(id)
  },

  async 'The id of an expired session is free at once.'(on) {
    const { id } = await on.add(on.record({ old: true }, null, on.later(5000)))
    on.setup.advance!(4999)
    assert.equal(await on.store.create(id, on.record({ new: true })), null)
    on.setup.advance!(1)
    assert.ok(await on.store.create(id, on.record({ new: true })))
    assert.deepEqual((await on.store.read(id))?.data, { new: true })
  },
})

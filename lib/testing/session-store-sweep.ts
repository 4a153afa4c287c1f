import assert from 'node:assert/strict'
import { atOnce, checksOf } from './store-under-test.ts'

/** sweep. */
export const sweepChecks = checksOf('sweep', {
  async 'A sweep with nothing expired removes nothing and answers 0.'(on) {
    const id = await on.addFor(null)
    assert.equal(await on.store.sweep!(100), 0)
    assert.ok(await on.store.read(id))
  },

  async 'A sweep removes what has expired, answers how many, and leaves what lives.'(on) {
    const kept = await atOnce(5, () => on.add())
    for (let count = 0; count < 7; count++) await on.addExpired()
    assert.equal(await on.store.sweep!(100), 7)
    assert.equal(await on.other.sweep!(100), 0)
    for (const { id, version } of kept) assert.equal((await on.store.read(id))?.version, version)
  },

  async 'A sweep removes no more than its limit, and the next goes on.'(on) {
    for (let count = 0; count < 10; count++) await on.addExpired()
    assert.equal(await on.store.sweep!(4), 4)
    assert.equal(await on.store.sweep!(4), 4)
    assert.equal(await on.store.sweep!(4), 2)
    assert.equal(await on.store.sweep!(4), 0)
  },

  async 'A sweep with a limit of 0 removes nothing.'(on) {
    await on.addExpired()
    assert.equal(await on.store.sweep!(0), 0)
    assert.equal(await on.store.sweep!(1), 1)
  },

  async 'A sweep removes a thousand expired sessions at once.'(on) {
    await atOnce(1000, () => on.addExpired())
    assert.equal(await on.store.sweep!(5000), 1000)
  },

  async 'Two sweeps at once count each session once.'(on) {
    for (let count = 0; count < 60; count++) await on.addExpired()
    const [one, two] = await Promise.all([on.store.sweep!(100), on.other.sweep!(100)])
    assert.equal(one + two, 60)
  },

  async 'A sweep beside writers leaves what they write.'(on) {
    for (let round = 0; round < 10; round++) {
      const expired = await atOnce(10, () => on.addExpired())
      const added = await atOnce(10, () => on.add())
      const [, created, replaced] = await Promise.all([
        on.other.sweep!(100),
        atOnce(10, index => on.store.create(expired[index]!.id, on.record({ mark: 'new' }))),
        atOnce(10, index => on.store.replace(added[index]!.id, added[index]!.version, on.record({ mark: 'second' }))),
      ])
      for (const [index, { id }] of expired.entries()) assert.equal((await on.store.read(id))?.version, created[index])
      for (const [index, { id }] of added.entries()) assert.equal((await on.store.read(id))?.version, replaced[index])
    }
  },
})

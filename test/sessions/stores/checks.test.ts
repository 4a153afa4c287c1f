import test from 'ava'
import { type SessionStoreSetup, sessionStoreChecks } from '../../../lib/testing/index.ts'
import { brokenStore, MISTAKES } from './broken-stores.ts'
import { handedClock } from './setups.ts'

for (const [which, { found, mistake }] of Object.entries(MISTAKES)) {
  test(`T1: The checks find a store ${which}.`, async t => {
    const check = sessionStoreChecks[found]
    t.truthy(check, `there is no check '${found}'`)
    const clock = handedClock()
    const store = brokenStore(mistake, clock.now)
    const setup: SessionStoreSetup = { ...clock, open: async () => store }
    const error = await t.throwsAsync(check!(setup))
    t.is(error?.name, 'AssertionError')
  })
}

test('T1: The checks pass the store that the broken ones are made from.', async t => {
  for (const { found } of Object.values(MISTAKES)) {
    const clock = handedClock()
    const store = brokenStore(() => ({}), clock.now)
    await t.notThrowsAsync(sessionStoreChecks[found]!({ ...clock, open: async () => store }), found)
  }
})

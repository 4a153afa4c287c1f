import test from 'ava'
import {
  type SessionStoreCheck,
  type SessionStoreNeed,
  type SessionStoreSetup,
  sessionStoreChecks,
} from '../../../lib/testing/index.ts'
import { OPTIONAL_CALLS, STORES, type StoreCase } from '../stores.ts'
import { memorySetup } from './setups.ts'

const CHECKS = Object.entries(sessionStoreChecks)

const conforms = test.macro({
  title: (title, name: string) => `T1: ${name}: ${title}`,
  exec: async (t, _name: string, { setup }: StoreCase, check: SessionStoreCheck) => {
    await t.notThrowsAsync(check(await setup(t)))
  },
})

for (const [name, store] of Object.entries(STORES)) {
  const has = (need: SessionStoreNeed | null) => need === null || need === 'clock' || store.can.includes(need)
  for (const [title, check] of CHECKS) {
    if (has(check.needs)) test(title, conforms, name, store, check)
  }

  const lacking = OPTIONAL_CALLS.filter(call => !has(call))
  test(`T1: ${name}: of the optional calls it lacks ${lacking.join(', ') || 'none'}, and no check of any other was left out.`, async t => {
    const setup = await store.setup(t)
    const opened = await setup.open()
    t.deepEqual(
      OPTIONAL_CALLS.filter(call => opened[call] === undefined),
      lacking,
    )
    t.is(typeof setup.advance, 'function')
    for (const [title, check] of CHECKS) {
      if (!has(check.needs)) await t.throwsAsync(check(setup), { message: /^this check is for stores with / }, title)
    }
  })
}

test('T1: The suite has more than a hundred checks, each titled by a sentence.', t => {
  const titles = CHECKS.map(([title]) => title)
  t.true(titles.length > 100, `${titles.length} checks`)
  for (const title of titles) t.regex(title, /^[A-Za-z].{15,}\.$/u)
  const needs = new Set(CHECKS.map(([, check]) => check.needs))
  t.deepEqual(needs, new Set([null, 'clock', ...OPTIONAL_CALLS]))
})

for (const need of [...OPTIONAL_CALLS, 'clock'] as const) {
  test(`T1: A check that needs ${need} rejects for a store without it, so that nothing is passed over in silence.`, async t => {
    const { open, now, advance } = await memorySetup()
    const { list, destroyAll, sweep, ...store } = await open()
    const lacking = { ...store, ...(need !== 'list' && { list }), ...(need !== 'sweep' && { sweep }) }
    const setup = { open: async () => lacking, now, ...(need !== 'clock' && { advance }) } as SessionStoreSetup
    for (const [, check] of CHECKS) {
      if (check.needs === need) {
        await t.throwsAsync(check(setup), { message: `this check is for stores with ${need}` })
      }
    }
  })
}

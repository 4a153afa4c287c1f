import test, { type ExecutionContext } from 'ava'
import { type SessionStoreCheck, type SessionStoreSetup, sessionStoreChecks } from '../../../lib/testing/index.ts'
import { memorySetup, sqliteSetup } from './setups.ts'

const SETUPS: Record<string, (t: ExecutionContext) => Promise<SessionStoreSetup>> = {
  memory: memorySetup,
  sqlite: sqliteSetup,
}

const conforms = test.macro({
  title: (title, name: string) => `T1: ${name}: ${title}`,
  exec: async (t, name: string, check: SessionStoreCheck) => {
    const setup = await SETUPS[name]!(t)
    await t.notThrowsAsync(check(setup))
  },
})

for (const name of Object.keys(SETUPS)) {
  for (const [title, check] of Object.entries(sessionStoreChecks)) {
    // Neither store opens anything that it could let go of.
    if (check.needs !== 'close') test(title, conforms, name, check)
  }
}

test('T1: The suite has more than a hundred checks, each titled by a sentence.', t => {
  const titles = Object.keys(sessionStoreChecks)
  t.true(titles.length > 100, `${titles.length} checks`)
  for (const title of titles) t.regex(title, /^[A-Za-z].{15,}\.$/u)
  const needs = new Set(Object.values(sessionStoreChecks).map(check => check.needs))
  t.deepEqual(needs, new Set([null, 'clock', 'list', 'destroyAll', 'sweep', 'close'] as const))
})

for (const need of ['list', 'destroyAll', 'sweep', 'close', 'clock'] as const) {
  test(`T1: A check that needs ${need} rejects for a store without it, so that nothing is passed over in silence.`, async t => {
    const { open, now, advance } = await memorySetup()
    const { list, destroyAll, sweep, ...store } = await open()
    const lacking = { ...store, ...(need !== 'list' && { list }), ...(need !== 'sweep' && { sweep }) }
    const setup = { open: async () => lacking, now, ...(need !== 'clock' && { advance }) } as SessionStoreSetup
    for (const check of Object.values(sessionStoreChecks)) {
      if (check.needs === need) {
        await t.throwsAsync(check(setup), { message: `this check is for stores with ${need}` })
      }
    }
  })
}

import test from 'ava'
import { LONG, scaled } from '../scale.ts'
import { causes, startApp, type TestApp, WIDE_DEADLINE } from './app.ts'
import { bareSessions } from './bare.ts'
import { BARE_RACING, BATCH, batches, newGate, RACING } from './racing.ts'
import { STORES } from './stores.ts'

const CHANGES = scaled(10_000)

for (const [name, { setup }] of Object.entries(STORES)) {
  test.serial(
    `S6: ${name}: of ${CHANGES} concurrent changes of different keys none is lost, in two processes' worth of apps.`,
    async t => {
      t.timeout(LONG)
      const { open, now } = await setup(t)
      const options = { now, deadline: WIDE_DEADLINE, handlers: RACING }
      const apps = [
        await startApp(t, { store: await open(), ...options }),
        await startApp(t, { store: await open(), ...options }),
      ]
      let lost = 0
      for (let round = 0; round < CHANGES / 50; round++) {
        const browser = apps[0]!.browser()
        await browser.get('/start')
        const { cookie } = browser
        const keys = Array.from({ length: 50 }, (_, index) => `k${index}`)
        const answers = await Promise.all(
          keys.map((key, index) => apps[index % 2]!.browser().get(`/set?key=${key}`, { cookie })),
        )
        for (const one of apps) t.deepEqual(causes(one), [])
        t.true(answers.every(({ status }) => status === 200))
        const values = (await browser.get('/values')).json
        lost += keys.filter(key => values[key] !== key).length
      }
      t.is(lost, 0)
      for (const one of apps) t.deepEqual(causes(one), [])
    },
  )

  test.serial(
    `S6: ${name}: updateSession() counts to exactly N under N concurrent calls, in two processes' worth of apps.`,
    async t => {
      const { open, now } = await setup(t)
      const options = { now, deadline: WIDE_DEADLINE, handlers: RACING }
      const apps = [
        await startApp(t, { store: await open(), ...options }),
        await startApp(t, { store: await open(), ...options }),
      ]
      const browser = apps[0]!.browser()
      await browser.get('/start')
      const { cookie } = browser
      const calls = scaled(1000)
      await batches(calls / BATCH, async () => {
        const answers = await Promise.all(
          Array.from({ length: BATCH }, (_, index) => apps[index % 2]!.browser().get('/count', { cookie })),
        )
        for (const one of apps) t.deepEqual(causes(one), [])
        t.true(answers.every(({ status }) => status === 200))
      })
      t.deepEqual((await browser.get('/values')).json, { mark: 'old', count: calls })
    },
  )

  test.serial(`S6: ${name}: requests that all hold the session when they write keep each other's changes.`, async t => {
    const { open, now } = await setup(t)
    const app = await startApp(t, { store: await open(), now, deadline: WIDE_DEADLINE, handlers: RACING })
    t.is(await keysAfterWritesAtOnce(app), 31)
  })
}

/** Thirty requests hold the session, then all write a key of their own. Answers how many keys there are, with the one from before. */
async function keysAfterWritesAtOnce(app: TestApp): Promise<number> {
  const browser = app.browser()
  await browser.get('/start')
  const held = Array.from({ length: 30 }, newGate)
  const running = held.map(({ name: at }, index) => browser.get(`/set-slowly?key=k${index}&gate=${at}`))
  await Promise.all(held.map(({ reached }) => reached))
  for (const one of held) one.open()
  await Promise.all(running)
  return Object.keys((await browser.get('/values')).json).length
}

test('S6: the control of the merge: koa-session alone loses changes.', async t => {
  const app = await startApp(t, { layers: [bareSessions()], handlers: BARE_RACING })
  const kept = await keysAfterWritesAtOnce(app)
  t.true(kept < 31, `${kept} kept`)
  t.log(`${31 - kept} of 30 lost`)
})

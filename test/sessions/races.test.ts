import test from 'ava'
import { LONG, scaled } from '../scale.ts'
import { type Browser, causes, startApp, type TestApp, WIDE_DEADLINE } from './app.ts'
import { bareSessions } from './bare.ts'
import { BARE_RACING, batches, newGate, RACING } from './racing.ts'
import { STORES } from './stores.ts'

const RACES = scaled(1000)
const SLOW = Object.keys(RACING).filter(path => path.startsWith('/slow/'))
const ENDS = ['/logout', '/null']

/**
 * One race of a request with a session against its end. The slow request has loaded the session before the end comes, or comes at the same
 * time, and writes after it or beside it. What it leaves behind is for the test to judge.
 */
async function race(app: TestApp, index: number, user: string) {
  const browser = app.browser()
  await browser.get(`/login?user=${user}`)
  await browser.get('/start')
  const old = browser.copy()
  const slowPath = SLOW[index % SLOW.length]!
  const end = ENDS[(index >> 1) % ENDS.length]!
  const free = index % 5 === 4
  const held = newGate()
  if (free) held.open()
  const slow = browser.get(`${slowPath}?gate=${held.name}`)
  if (!free) await held.reached
  const ending = browser.get(end)
  if (index % 5 === 3) held.open()
  await ending
  const again = index % 2 === 0
  if (again) await browser.get(`/login?user=${user}-again`)
  held.open()
  const answer = await slow
  const late = again ? await browser.get('/slow/replace', { cookie: old.cookie }) : null
  return { answer, late, browser, old, again, what: `race ${index} of ${slowPath} and ${end}` }
}

for (const [name, { setup }] of Object.entries(STORES)) {
  test.serial(
    `S2: ${name}: of ${RACES} logout races none brings the session back, and no cookie undoes a newer login.`,
    async t => {
      t.timeout(LONG)
      const { open, now } = await setup(t)
      const app = await startApp(t, { store: await open(), now, deadline: WIDE_DEADLINE, handlers: RACING })
      let revived = 0
      let undone = 0
      let cookies = 0
      await batches(RACES, async index => {
        const { answer, late, browser, old, again, what } = await race(app, index, `user${index}`)
        t.deepEqual(causes(app), [], what)
        t.is(answer.status, 200, what)
        if ((await old.get('/me')).text !== '{}') revived++
        if (!again && (await browser.get('/me')).text !== '{}') revived++
        // A regenerate() beside the end may have sent its cookie before the end came; it leads nowhere then.
        const renewed = what.includes('/slow/regenerate') && index % 5 >= 3
        if (answer.setCookies.length > 0 && !renewed) cookies++
        if (late && late.setCookies.length > 0) cookies++
        if (again && !renewed && (await browser.get('/me')).json.user !== `user${index}-again`) undone++
      })
      t.deepEqual({ revived, undone, cookies }, { revived: 0, undone: 0, cookies: 0 })
      t.deepEqual(causes(app), [])
    },
  )

  test.serial(
    `S2: ${name}: a request that lost its session to a regenerate() writes nothing, and sends no cookie over the new one.`,
    async t => {
      const { open, now } = await setup(t)
      const app = await startApp(t, { store: await open(), now, deadline: WIDE_DEADLINE, handlers: RACING })
      await batches(scaled(200), async index => {
        const browser = app.browser()
        await browser.get('/start')
        const old = browser.copy()
        const held = newGate()
        const slow = old.get(`${SLOW[index % SLOW.length]}?gate=${held.name}`)
        await held.reached
        await browser.get('/regenerate')
        t.not(browser.cookie, old.cookie)
        held.open()
        t.deepEqual((await slow).setCookies, [])
        t.deepEqual((await browser.get('/me')).json, { mark: 'old' })
        t.is((await app.browser().get('/me', { cookie: old.cookie })).text, '{}')
      })
    },
  )

  test.serial(
    `S2: ${name}: of many regenerate() at once one wins, and the browser ends up with its cookie.`,
    async t => {
      const { open, now } = await setup(t)
      const app = await startApp(t, { store: await open(), now, deadline: WIDE_DEADLINE, handlers: RACING })
      await batches(scaled(100), async () => {
        const browser = app.browser()
        await browser.get('/start')
        const answers = await Promise.all(Array.from({ length: 5 }, () => browser.get('/regenerate')))
        t.deepEqual(causes(app), [])
        t.is(answers.flatMap(({ setCookies }) => setCookies).length, 1)
        t.deepEqual((await browser.get('/me')).json, { mark: 'old' })
      })
    },
  )

  test.serial(
    `S2: ${name}: a login beside writes of the same session keeps what they stored before, and they store nothing after.`,
    async t => {
      const { open, now } = await setup(t)
      const app = await startApp(t, { store: await open(), now, deadline: WIDE_DEADLINE, handlers: RACING })
      await batches(scaled(100), async index => {
        const browser = app.browser()
        await browser.get('/start')
        const old = browser.copy()
        const writes = Promise.all(Array.from({ length: 5 }, (_, key) => old.copy().get(`/set?key=k${key}`)))
        await browser.get(`/login?user=u${index}`)
        for (const { setCookies } of await writes) t.deepEqual(setCookies, [])
        t.deepEqual(causes(app), [])
        const { mark, user } = (await browser.get('/me')).json
        t.deepEqual({ mark, user }, { mark: 'old', user: `u${index}` })
        t.is((await old.get('/me')).text, '{}')
      })
    },
  )
}

async function bareRace(app: TestApp): Promise<{ old: Browser; browser: Browser }> {
  const browser = app.browser()
  await browser.get('/start')
  const old = browser.copy()
  const held = newGate()
  const slow = browser.get(`/slow?gate=${held.name}`)
  await held.reached
  await browser.get('/null')
  held.open()
  await slow
  return { old, browser }
}

test('S2: the control of the races: koa-session alone brings sessions back.', async t => {
  const app = await startApp(t, { layers: [bareSessions()], handlers: BARE_RACING })
  let revived = 0
  await batches(scaled(1000), async () => {
    const { old } = await bareRace(app)
    if ((await old.get('/values')).text !== '{}') revived++
  })
  t.true(revived > 0, `${revived} revived`)
  t.log(`${revived} of ${scaled(1000)} revived`)
})

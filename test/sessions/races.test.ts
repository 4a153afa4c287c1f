import test from 'ava'
import { scaled } from '../scale.ts'
import { type Browser, type Gate, gate, type Handler, LOGINS, live, startApp, type TestApp } from './app.ts'
import { bareSessions } from './bare.ts'
import { STORES } from './stores.ts'

/** How many races run at once. */
const BATCH = 20

const gates = new Map<string, Gate>()

/** Stops the request that names a gate, once it has got so far. */
async function stop(ctx: Parameters<Handler>[0]): Promise<void> {
  await gates.get(String(ctx.query.gate))?.pass()
}

function newGate(): { name: string } & Gate {
  const name = String(gates.size)
  const made = gate()
  gates.set(name, made)
  return { name, ...made }
}

const RACES = scaled(1000)
const CHANGES = scaled(10_000)

const handlers: Record<string, Handler> = {
  ...LOGINS,
  '/start': ctx => {
    ctx.session.mark = 'old'
    return ''
  },
  '/slow/property': async ctx => {
    const { mark } = ctx.session
    await stop(ctx)
    ctx.session.mark = `${mark}, written`
    return ''
  },
  '/slow/replace': async ctx => {
    await stop(ctx)
    ctx.session = { mark: 'written' }
    return ''
  },
  '/slow/save': async ctx => {
    ctx.session.before = 1
    await stop(ctx)
    ctx.session.mark = 'written'
    await ctx.session.save()
    return ''
  },
  '/slow/update': async ctx => {
    await stop(ctx)
    await ctx.updateSession(draft => {
      draft.mark = 'written'
    })
    return ''
  },
  '/slow/regenerate': async ctx => {
    ctx.session.mark = 'written'
    await stop(ctx)
    await ctx.session.regenerate()
    return ''
  },
  '/slow/read': async ctx => {
    await stop(ctx)
    return String(ctx.session.mark)
  },
  '/set': ctx => {
    ctx.session[String(ctx.query.key)] = ctx.query.key
    return ''
  },
  '/set-slowly': async ctx => {
    ctx.session[String(ctx.query.key)] = ctx.query.key
    await stop(ctx)
    return ''
  },
  '/count': async ctx => {
    await ctx.updateSession(draft => {
      draft.count = (draft.count ?? 0) + 1
    })
    return ''
  },
  '/me': ctx => ({ ...ctx.session.toJSON(), user: live(ctx).login?.id }),
  '/values': ctx => ctx.session.toJSON(),
}

const SLOW = Object.keys(handlers).filter(path => path.startsWith('/slow/'))
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

async function batches(count: number, run: (index: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => run(first + index)))
  }
}

for (const [name, setup] of Object.entries(STORES)) {
  test(`S2: ${name}: of ${RACES} logout races none brings the session back, and no cookie undoes a newer login.`, async t => {
    const { open, now } = await setup(t)
    const app = await startApp(t, { store: await open(), now, deadline: 30_000, handlers })
    let revived = 0
    let undone = 0
    let cookies = 0
    await batches(RACES, async index => {
      const { answer, late, browser, old, again, what } = await race(app, index, `user${index}`)
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
    t.deepEqual(app.errors, [])
  })

  test(`S2: ${name}: a request that lost its session to a regenerate() writes nothing, and sends no cookie over the new one.`, async t => {
    const { open, now } = await setup(t)
    const app = await startApp(t, { store: await open(), now, deadline: 30_000, handlers })
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
  })

  test(`S2: ${name}: of many regenerate() at once one wins, and the browser ends up with its cookie.`, async t => {
    const { open, now } = await setup(t)
    const app = await startApp(t, { store: await open(), now, deadline: 30_000, handlers })
    await batches(scaled(100), async () => {
      const browser = app.browser()
      await browser.get('/start')
      const answers = await Promise.all(Array.from({ length: 5 }, () => browser.get('/regenerate')))
      t.is(answers.flatMap(({ setCookies }) => setCookies).length, 1)
      t.deepEqual((await browser.get('/me')).json, { mark: 'old' })
    })
  })

  test(`S2: ${name}: a login beside writes of the same session keeps what they stored before, and they store nothing after.`, async t => {
    const { open, now } = await setup(t)
    const app = await startApp(t, { store: await open(), now, deadline: 30_000, handlers })
    await batches(scaled(100), async index => {
      const browser = app.browser()
      await browser.get('/start')
      const old = browser.copy()
      const writes = Promise.all(Array.from({ length: 5 }, (_, key) => old.copy().get(`/set?key=k${key}`)))
      await browser.get(`/login?user=u${index}`)
      for (const { setCookies } of await writes) t.deepEqual(setCookies, [])
      const { mark, user } = (await browser.get('/me')).json
      t.deepEqual({ mark, user }, { mark: 'old', user: `u${index}` })
      t.is((await old.get('/me')).text, '{}')
    })
  })

  test(`S6: ${name}: of ${CHANGES} concurrent changes of different keys none is lost, in two processes' worth of apps.`, async t => {
    const { open, now } = await setup(t)
    const options = { now, deadline: 30_000, handlers }
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
      t.true(answers.every(({ status }) => status === 200))
      const values = (await browser.get('/values')).json
      lost += keys.filter(key => values[key] !== key).length
    }
    t.is(lost, 0)
    for (const { errors } of apps) t.deepEqual(errors, [])
  })

  test(`S6: ${name}: updateSession() counts to exactly N under N concurrent calls, in two processes' worth of apps.`, async t => {
    const { open, now } = await setup(t)
    const options = { now, deadline: 30_000, handlers }
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
      t.true(answers.every(({ status }) => status === 200))
    })
    t.deepEqual((await browser.get('/values')).json, { mark: 'old', count: calls })
  })

  test(`S6: ${name}: requests that all hold the session when they write keep each other's changes.`, async t => {
    const { open, now } = await setup(t)
    const app = await startApp(t, { store: await open(), now, deadline: 30_000, handlers })
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

/** The same handlers without what koa-session does not have. */
const bareHandlers: Record<string, Handler> = {
  '/start': handlers['/start']!,
  '/null': handlers['/null']!,
  '/slow': handlers['/slow/property']!,
  '/set-slowly': handlers['/set-slowly']!,
  '/values': handlers['/values']!,
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
  const app = await startApp(t, { layers: [bareSessions()], handlers: bareHandlers })
  let revived = 0
  await batches(scaled(200), async () => {
    const { old } = await bareRace(app)
    if ((await old.get('/values')).text !== '{}') revived++
  })
  t.true(revived > 0, `${revived} revived`)
})

test('S6: the control of the merge: koa-session alone loses changes.', async t => {
  const app = await startApp(t, { layers: [bareSessions()], handlers: bareHandlers })
  const kept = await keysAfterWritesAtOnce(app)
  t.true(kept < 31, `${kept} kept`)
})

import { subscribe } from 'node:diagnostics_channel'
import test, { type ExecutionContext } from 'ava'
import { OptionInvalid } from '../../lib/errors.ts'
import { Signer } from '../../lib/sessions/signature.ts'
import { cookieStore } from '../../lib/sessions/stores/cookie.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { type Handler, KEY, LOGINS, live, startApp } from './app.ts'
import { CORRUPT } from './corrupt.ts'

const DAY = 86_400_000
const START = 1_800_000_000_000

const handlers: Record<string, Handler> = {
  ...LOGINS,
  '/nothing': () => 'nothing',
  '/read': ctx => ({ ...ctx.session.toJSON(), user: live(ctx).login?.id }),
  '/write': ctx => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    return ''
  },
  '/big': ctx => {
    ctx.session.big = 'x'.repeat(Number(ctx.query.size))
    return ''
  },
  '/update': async ctx => ({
    done: await ctx.updateSession(draft => {
      draft.views = (draft.views ?? 0) + 1
    }),
  }),
  '/expel': async ctx => {
    await live(ctx).expel()
    ctx.session.after = 1
    return ctx.session.toJSON()
  },
  '/save-throw': async ctx => {
    ctx.session.saved = 1
    await ctx.session.save()
    ctx.session.lost = 1
    throw new Error('after')
  },
  '/throw': ctx => {
    ctx.session.lost = 1
    throw new Error('before')
  },
}

async function start(t: ExecutionContext, more: object = {}) {
  let time = START
  const app = await startApp(t, { store: cookieStore(), now: () => time, handlers, ...more })
  return {
    app,
    browser: app.browser(),
    advance: (by: number) => {
      time += by
    },
  }
}

/** A cookie that is signed as the layer signs it, whatever it says. */
function signed(payload: string): string {
  return `sid=${payload}.${new Signer('test()', [KEY]).sign(`koa-strata data sid=${payload}`)}`
}

function encoded(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

test('The data travels in the signed cookie, and only a change of it is sent.', async t => {
  const { browser } = await start(t)
  t.deepEqual((await browser.get('/read')).setCookies, [])
  t.is((await browser.get('/write')).setCookies.length, 1)
  const [payload = ''] = browser.cookies.get('sid')!.split('.')
  t.deepEqual(JSON.parse(Buffer.from(payload, 'base64url').toString()), {
    data: { _created: START, views: 1 },
    seen: START,
  })
  t.deepEqual((await browser.get('/read')).setCookies, [])
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
})

test('updateSession(), regenerate() and save() work as with a store.', async t => {
  const { browser } = await start(t)
  t.deepEqual((await browser.get('/update')).json, { done: true })
  await browser.get('/update')
  await browser.get('/regenerate')
  t.deepEqual((await browser.get('/read')).json, { views: 2 })
})

test('C3: a payload that was changed, signed by another key or for another purpose is dropped.', async t => {
  const { browser } = await start(t)
  await browser.get('/write')
  const [payload = '', mac = ''] = browser.cookies.get('sid')!.split('.')
  const raised = encoded({ data: { _created: START, views: 100 }, seen: START })
  for (const value of [
    payload,
    `${payload}.`,
    `.${mac}`,
    `${raised}.${mac}`,
    `${payload}A.${mac}`,
    `${payload}.${mac.slice(1)}`,
    `${payload}.${new Signer('x()', ['another key, of enough bytes, of someone']).sign(`koa-strata data sid=${payload}`)}`,
    `${payload}.${new Signer('x()', [KEY]).sign(`koa-strata id sid=${payload}`)}`,
    `${payload}.${new Signer('x()', [KEY]).sign(`koa-strata data other=${payload}`)}`,
  ]) {
    const answer = await browser.get('/read', { cookie: `sid=${value}` })
    t.is(answer.status, 200)
    t.deepEqual(answer.json, {})
  }
  t.deepEqual((await browser.get('/read', { cookie: signed(raised) })).json, { views: 100 }, 'the control')
})

test('C3: the cookie of a stored session is none here, and the other way round.', async t => {
  const { browser } = await start(t)
  const stored = (await startApp(t, { store: memoryStore(), handlers })).browser()
  await browser.get('/write')
  await stored.get('/write')
  t.deepEqual((await browser.get('/read', { cookie: stored.cookie })).json, {})
  t.deepEqual((await stored.get('/read', { cookie: browser.cookie })).json, {})
})

test('C8: data that makes the cookie larger than 4,096 bytes is an error that says so; the session stays as it was.', async t => {
  const { app, browser } = await start(t)
  await browser.get('/write')
  const before = browser.cookie
  const answer = await browser.get('/big?size=3000')
  t.is(answer.status, 500)
  t.deepEqual(answer.setCookies, [])
  t.is(app.errors[0]?.code, 'SESSION_COOKIE_TOO_LARGE')
  t.regex(app.errors[0]!.message, /would be 4\d{3} bytes; browsers keep 4,096/)
  t.is(browser.cookie, before)
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
})

test('C8: the largest cookie that is sent is 4,096 bytes, attributes and all, and is taken back.', async t => {
  const { browser } = await start(t)
  let largest = 0
  for (let size = 2800; size < 2950; size++) {
    const { status, setCookies } = await browser.get(`/big?size=${size}`, { cookie: '' })
    if (status !== 200) break
    largest = setCookies[0]!.length
    t.is((await browser.get('/read')).json.big.length, size)
  }
  t.true(largest > 4090 && largest <= 4096, `${largest} bytes`)
})

test('S1: a login keeps what the anonymous session held, and another user’s login flushes it.', async t => {
  const { browser } = await start(t)
  await browser.get('/write')
  await browser.get('/login?user=ada')
  t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' })
  await browser.get('/login?user=bob')
  t.deepEqual((await browser.get('/read')).json, { user: 'bob' })
})

for (const end of ['/logout', '/null']) {
  test(`S3: ${end} clears the cookie; where there is none there is nothing to clear.`, async t => {
    const { browser } = await start(t)
    t.deepEqual((await browser.get(end)).setCookies, [])
    await browser.get('/login?user=ada')
    t.regex((await browser.get(end)).setCookies[0]!, /^sid=; Max-Age=0/)
    t.deepEqual((await browser.get('/read')).json, {})
  })
}

test('S4: a session whose login is void is cleared, and what this request writes is not kept.', async t => {
  const { browser } = await start(t)
  await browser.get('/write')
  await browser.get('/login?user=ada')
  const answer = await browser.get('/expel')
  t.deepEqual(answer.json, { after: 1 })
  t.regex(answer.setCookies[0]!, /^sid=; Max-Age=0/)
  t.is(answer.setCookies.length, 1)
  t.deepEqual((await browser.get('/read')).json, {})
})

test('S5: idle and absolute timeouts are kept by the signed times, and the cookie is sent anew once a minute at most.', async t => {
  const { browser, advance } = await start(t, { idleTimeout: DAY, absoluteTimeout: 3 * DAY })
  await browser.get('/write')
  advance(60_000)
  t.deepEqual((await browser.get('/nothing')).setCookies, [])
  advance(1)
  t.is((await browser.get('/nothing')).setCookies.length, 1)
  t.deepEqual((await browser.get('/nothing')).setCookies, [])
  const old = browser.copy()
  advance(DAY - 1)
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
  advance(1)
  t.deepEqual((await old.get('/read')).json, {}, 'an earlier copy has its own time')
  advance(DAY - 2)
  await browser.get('/regenerate')
  t.is((await browser.get('/read')).json.views, 1)
  advance(DAY - 60_000)
  t.is((await browser.get('/read')).json.views, 1)
  advance(1)
  t.deepEqual((await browser.get('/read')).json, {}, 'three days have passed')
})

test('S7: what was saved expressly survives a throw with its cookie, and nothing else does.', async t => {
  const { browser } = await start(t)
  t.deepEqual((await browser.get('/throw')).setCookies, [])
  const answer = await browser.get('/save-throw')
  t.is(answer.status, 500)
  t.is(answer.setCookies.length, 1)
  t.deepEqual((await browser.get('/read')).json, { saved: 1 })
})

test('T2: a payload that is signed and corrupt is dropped, and the page answers.', async t => {
  const gone: string[] = []
  subscribe('koa-strata:session-gone', message => gone.push((message as { reason: string }).reason))
  const { app } = await start(t)
  const payloads = [
    ...CORRUPT.flatMap(([, data]) => {
      try {
        const payload = encoded({ data, seen: START })
        return payload.length < 12_000 ? [payload] : []
      } catch {
        return []
      }
    }),
    ...['', '{', 'null', '[]', '"x"', '{}', '{"data":{"_created":1}}', '{"seen":1}'].map(encoded),
    encoded({ data: { _created: START }, seen: '1' }),
    encoded({ data: { _created: START }, seen: null }),
    encoded('{"data":{"__proto__":{"_created":1}},"seen":1}'),
    Buffer.from([0xff, 0xfe, 0x00]).toString('base64url'),
    'not base64!',
    '_'.repeat(1000),
  ]
  // What JSON makes of NaN, undefined, a function or a Date in it is a good payload.
  const good = new Set([
    encoded({ data: { _created: 1 }, seen: START }),
    encoded({ data: { _created: 1, value: null }, seen: START }),
    encoded({ data: { _created: 1, value: new Date(0) }, seen: START }),
    encoded({ data: { _created: 1, inner: {} }, seen: START }),
  ])
  let tried = 0
  for (const payload of payloads) {
    if (payload === '' || good.has(payload)) continue
    tried++
    gone.length = 0
    const answer = await app.browser().get('/read', { cookie: signed(payload) })
    t.is(answer.status, 200, payload.slice(0, 80))
    t.deepEqual(answer.json, {}, payload.slice(0, 80))
    t.true(gone.includes('corrupt'), payload.slice(0, 80))
  }
  t.true(tried > 25, `${tried} tried`)
  t.deepEqual(app.errors, [])
})

for (const [options, option] of [
  [{ epoch: memoryStore() }, 'epoch'],
  [{ epochs: {} }, 'epochs'],
  [{ epochs: null }, 'epochs'],
  [null, 'options'],
] as const) {
  test(`cookieStore(${option === 'options' ? 'null' : `{ ${option} }: ${JSON.stringify(options)}`}) is an error that names '${option}'.`, t => {
    t.is(t.throws(() => cookieStore(options as never), { instanceOf: OptionInvalid }).option, option)
  })
}

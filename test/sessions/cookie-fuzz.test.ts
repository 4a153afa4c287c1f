import test from 'ava'
import fc from 'fast-check'
import { isSessionId, newSessionId } from '../../lib/sessions/id.ts'
import { sessions } from '../../lib/sessions/layer.ts'
import { Signer } from '../../lib/sessions/signature.ts'
import { cookieStore } from '../../lib/sessions/stores/cookie.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { LONG, scaled } from '../scale.ts'
import { type Handler, KEY, recorded, startApp, type TestContext } from './app.ts'
import { direct } from './direct.ts'

const signer = new Signer('test()', [KEY])
const sign = (purpose: string, payload: string) => `${payload}.${signer.sign(`koa-strata ${purpose} sid=${payload}`)}`

const goodId = sign('id', newSessionId())
const goodData = sign(
  'data',
  Buffer.from(JSON.stringify({ data: { _created: Date.now(), seen: 'here' }, seen: Date.now() })).toString('base64url'),
)

/** Any text that an HTTP header may hold. */
const headerText = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map(code => String.fromCharCode(code)) })

/** A good value with one thing wrong. */
const spoilt = fc
  .tuple(
    fc.constantFrom(goodId, goodData),
    fc.nat(),
    fc.constantFrom('cut', 'drop', 'swap', 'insert', 'twice'),
    fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom(...'AZaz09-_.=; ') }),
  )
  .map(([value, at, how, text]) => {
    const place = at % value.length
    if (how === 'cut') return value.slice(0, place)
    if (how === 'drop') return value.slice(0, place) + value.slice(place + 1)
    if (how === 'swap') return value.slice(0, place) + text + value.slice(place + text.length)
    if (how === 'insert') return value.slice(0, place) + text + value.slice(place)
    return value + value
  })

const value = fc.oneof(
  headerText,
  spoilt,
  fc.base64String(),
  fc.string({ minLength: 43, maxLength: 43, unit: fc.constantFrom('a', 'Z', '0', '-', '_') }),
  fc.tuple(headerText, headerText).map(parts => parts.join('.')),
  fc.constantFrom('', '.', '..', '__proto__', 'lock:x', '../../etc/passwd', '%00', '"', 'undefined'),
)
const name = fc.oneof({ weight: 4, arbitrary: fc.constant('sid') }, { weight: 1, arbitrary: headerText })
const pair = fc.oneof(
  fc.tuple(name, value).map(parts => parts.join('=')),
  headerText,
)

/** Cookie headers of all kinds, none of which holds a good session cookie. */
const header = fc
  .tuple(fc.array(pair, { minLength: 1, maxLength: 5 }), fc.constantFrom('; ', ';', ' ; ', ', ', ';;'))
  .map(([pairs, separator]) => pairs.join(separator))
  .filter(text => !text.includes(goodId) && !text.includes(goodData))

const look = ((ctx: TestContext) => ({ isNew: ctx.session.isNew, values: ctx.session.toJSON() })) satisfies Handler

// With the Basic headers of test/feeds/basic.fuzz.test.ts these are more than 100,000 even in a tenth.
const RUNS = scaled(320_000)

test(`C3: of ${RUNS} generated Cookie headers none brings the layer down, is a session, or reaches the store.`, async t => {
  t.timeout(LONG)
  const store = recorded(memoryStore())
  const layers = {
    stored: direct(sessions({ keys: [KEY], store })),
    inCookie: direct(sessions({ keys: [KEY], store: cookieStore() })),
  }
  t.deepEqual(
    (await layers.inCookie(`sid=${goodData}`, look)).body,
    { isNew: false, values: { seen: 'here' } },
    'the control: the good cookie is one',
  )
  t.true(isSessionId(goodId.split('.')[0]!))
  await layers.stored(`sid=${goodId}`, look)
  t.deepEqual(store.calls.splice(0), ['read'], 'the control: the good id is asked for')
  await fc.assert(
    fc.asyncProperty(header, async cookie => {
      for (const layer of Object.values(layers)) {
        const { body, status } = await layer(cookie, look)
        const { isNew, values } = body as ReturnType<typeof look>
        if (!isNew || Object.keys(values).length > 0 || status !== 200) throw new Error('a session')
      }
      if (store.calls.length > 0) throw new Error('the store was asked')
    }),
    { numRuns: RUNS },
  )
  t.pass()
})

/** DEL is the one of them that Node's client does not send. */
const sendable = header.filter(text => !text.includes('\x7f'))

test('C3: of 2,000 generated Cookie headers over HTTP none is answered otherwise than without one.', async t => {
  const store = recorded(memoryStore())
  const app = await startApp(t, {
    store,
    handlers: { '/': look },
  })
  const browser = app.browser()
  await fc.assert(
    fc.asyncProperty(sendable, async cookie => {
      const { status, text, setCookies } = await browser.get('/', { cookie })
      if (status !== 200 || text !== '{"isNew":true,"values":{}}' || setCookies.length > 0) {
        throw new Error(`${status} ${text}`)
      }
    }),
    { numRuns: 2000 },
  )
  t.deepEqual(store.calls, [])
  t.deepEqual(app.errors, [])
})

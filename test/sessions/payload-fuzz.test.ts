import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { parseContent } from '../../lib/sessions/content.ts'
import { newSessionId, storeId } from '../../lib/sessions/id.ts'
import { sessions } from '../../lib/sessions/layer.ts'
import { Signer } from '../../lib/sessions/signature.ts'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { cookieStore } from '../../lib/sessions/stores/cookie.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { LONG, scaled } from '../scale.ts'
import { type Handler, KEY, live, login, startApp, type TestContext } from './app.ts'
import { type DirectAnswer, direct } from './direct.ts'
import { anyKey, anyValue, storedText } from './payloads.ts'

const NOW = Date.UTC(2026, 10, 1)
const IDLE = 14 * 86_400_000
const ABSOLUTE = 30 * 86_400_000
const ID = newSessionId()
const signer = new Signer('test()', [KEY])
const COOKIE = `sid=${ID}.${signer.sign(`koa-strata id sid=${ID}`)}`

// With the 320,000 Cookie headers of cookie-fuzz.test.ts and the values below these are more than 500,000.
const STORED = scaled(150_000)
const IN_COOKIES = scaled(30_000)
const VALUES = scaled(100_000)
const OVER_HTTP = scaled(1000)

/** What a request asks of its session. */
const REQUESTS: Record<string, Handler> = {
  read: ctx => ctx.session.toJSON(),
  write: ctx => {
    ctx.session.added = 1
    return ''
  },
  update: async ctx => String(await ctx.updateSession(draft => Object.assign(draft, { added: 1 }))),
  login: async ctx => {
    await live(ctx).logIn(login('bob'))
    return ''
  },
  regenerate: async ctx => {
    await ctx.session.regenerate()
    return ''
  },
  logout: async ctx => {
    await live(ctx).end()
    return ''
  },
}

/** A store that holds one text, which was written around it, and answers it as stores do: as JSON, or as it stands. */
function holding(): SessionStore & { put(text: string): void } {
  const empty = () => memoryStore({ now: () => NOW })
  const key = storeId(ID)
  let others = empty()
  let standing: string | null = null
  let isJson = false
  return {
    put(text) {
      if (standing !== text) isJson = dataOf(text) !== text
      standing = text
      others = empty()
    },
    async read(id) {
      if (id !== key || standing === null) return others.read(id)
      const data = isJson ? dataOf(standing) : standing
      return { data, user: null, expiresAt: NOW + IDLE, version: 'standing' }
    },
    create: (id, record) => others.create(id, record),
    async replace(id, version, record) {
      if (id !== key || standing === null) return others.replace(id, version, record)
      if (version !== 'standing') return 'changed'
      standing = null
      return (await others.create(id, record)) ?? 'gone'
    },
    touch: async () => true,
    destroy: id => others.destroy(id),
  }
}

function dataOf(text: string) {
  try {
    return JSON.parse(text) ?? text
  } catch {
    return text
  }
}

/** What the layer makes of a text, or why nothing: it is no session, or one that has ended or outlived its absolute timeout. */
function contentOf(text: string) {
  const content = parseContent(dataOf(text))
  return typeof content !== 'string' && content.created + ABSOLUTE <= NOW ? 'over' : content
}

/** What every object has, and what it is. */
function inherited(): unknown[] {
  return [Object, Array, Function, String, Number, Boolean, Map, Error, Promise].flatMap(({ prototype }) =>
    Reflect.ownKeys(prototype).flatMap(key => {
      const { value, get, set } = Object.getOwnPropertyDescriptor(prototype, key)!
      return [key, value, get, set]
    }),
  )
}

const CLEAN = inherited()
const OWN_KEYS = Reflect.ownKeys(Object.prototype).length

function isClean(): boolean {
  const now = inherited()
  return now.length === CLEAN.length && now.every((one, index) => Object.is(one, CLEAN[index]))
}

function assertClean(): void {
  if (Reflect.ownKeys(Object.prototype).length !== OWN_KEYS) throw new Error('Object.prototype was changed')
}

function isTooLarge(error: unknown): boolean {
  return /is the largest part of a session of more than 256 KiB/.test((error as Error)?.message)
}

test(`T2: of ${STORED} generated stored payloads each is read or dropped: no request fails by it, and no prototype is changed.`, async t => {
  t.timeout(LONG)
  const store = holding()
  const request = direct(sessions({ keys: [KEY], store, now: () => NOW, idleTimeout: IDLE }))
  const count = { read: 0, corrupt: 0, ended: 0, over: 0, tooLarge: 0 }
  await fc.assert(
    fc.asyncProperty(storedText(NOW), async text => {
      const content = contentOf(text)
      count[typeof content === 'string' ? content : 'read']++
      for (const [what, handler] of Object.entries(REQUESTS)) {
        store.put(text)
        const { status, body, error } = await request(COOKIE, handler)
        const refused = what !== 'read' && what !== 'logout' && isTooLarge(error)
        if (refused) count.tooLarge++
        else if (status !== 200) throw new Error(`${what}: ${status}`, { cause: error })
        if (what !== 'read') continue
        const shown = typeof content === 'string' ? {} : content.values
        if (!isDeepStrictEqual(body, shown)) throw new Error(`${what}: ${JSON.stringify(body)}`)
      }
      assertClean()
    }),
    { numRuns: STORED },
  )
  t.true(isClean())
  t.true(count.read > STORED / 10 && count.corrupt > STORED / 10 && count.ended > 0, JSON.stringify(count))
  t.log(`${STORED} payloads, ${STORED * Object.keys(REQUESTS).length} requests:`, JSON.stringify(count))
})

test(`T2: of ${IN_COOKIES} generated payloads that are signed in a cookie each is read or dropped.`, async t => {
  t.timeout(LONG)
  const request = direct(sessions({ keys: [KEY], store: cookieStore(), now: () => NOW, idleTimeout: IDLE }))
  const seen = fc.constantFrom(NOW, NOW, NOW, 0, -1, 1e300, '"1"', 'null', '{}')
  let read = 0
  await fc.assert(
    fc.asyncProperty(storedText(NOW), seen, async (text, at) => {
      const payload = Buffer.from(`{"data":${text},"seen":${at}}`).toString('base64url')
      const cookie = `sid=${payload}.${signer.sign(`koa-strata data sid=${payload}`)}`
      for (const [what, handler] of Object.entries(REQUESTS)) {
        const { status, body, error } = await request(cookie, handler)
        const refused = what !== 'read' && (error as { code?: string })?.code === 'SESSION_COOKIE_TOO_LARGE'
        if (!refused && !isTooLarge(error) && status !== 200) throw new Error(`${what}: ${status}`, { cause: error })
        if (what === 'read' && Object.keys(body as object).length > 0) read++
      }
      assertClean()
    }),
    { numRuns: IN_COOKIES },
  )
  t.true(isClean())
  t.true(read > IN_COOKIES / 20, `${read} read`)
  t.log(`${IN_COOKIES} payloads in cookies, ${read} read`)
})

test(`T2: of ${OVER_HTTP} generated stored payloads over HTTP each page is answered.`, async t => {
  t.timeout(LONG)
  const store = holding()
  const handlers = Object.fromEntries(Object.entries(REQUESTS).map(([what, handler]) => [`/${what}`, handler]))
  const app = await startApp(t, { store, now: () => NOW, idleTimeout: IDLE, handlers })
  await fc.assert(
    fc.asyncProperty(storedText(NOW), fc.constantFrom(...Object.keys(handlers)), async (text, path) => {
      store.put(text)
      app.errors.length = 0
      const { status } = await app.browser().get(path, { cookie: COOKIE })
      if (status !== 200 && !isTooLarge(app.errors[0])) throw new Error(`${path}: ${status}`, { cause: app.errors[0] })
      assertClean()
    }),
    { numRuns: OVER_HTTP },
  )
  t.true(isClean())
})

/** Every way in which an application stores a value. */
const WAYS: Record<string, (ctx: TestContext, key: string, value: unknown) => unknown> = {
  property: (ctx, _key, value) => {
    ctx.session.value = value
  },
  whole: (ctx, key, value) => {
    ctx.session = Object.fromEntries([[key, value]])
  },
  save: async (ctx, _key, value) => {
    ctx.session.value = { list: [value] }
    await ctx.session.save()
  },
  update: async (ctx, key, value) => {
    await ctx.updateSession(draft => {
      Object.defineProperty(draft, key, { value, enumerable: true, configurable: true, writable: true })
    })
  },
}

/** What is to be found afterwards, with one prototype for all objects and one zero, which is all that JSON changes unseen. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value === 0) return 0
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

test(`S9: of ${VALUES} generated values that an application sets each is stored exactly, or refused by an error that says so.`, async t => {
  t.timeout(LONG)
  const request = direct(sessions({ keys: [KEY], store: memoryStore() }))
  const count = { kept: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(anyKey, anyValue, fc.constantFrom(...Object.keys(WAYS)), async (key, value, way) => {
      const answer = await request('', async ctx => {
        await WAYS[way]!(ctx, key, value)
      })
      if (answer.error !== undefined) {
        count.refused++
        const { code, status } = answer.error as { code?: string; status?: number }
        if (code !== 'SESSION_DATA_INVALID' || status !== 500) throw answer.error
        if (answer.setCookies.length > 0) throw new Error('a session was begun')
        return
      }
      count.kept++
      const expected =
        way === 'property'
          ? { value }
          : way === 'save'
            ? { value: { list: [value] } }
            : Object.fromEntries([[key, value]])
      const stored = cookieOf(answer) ? (await request(cookieOf(answer), REQUESTS.read!)).body : {}
      const shown = Object.fromEntries(Object.entries(expected).filter(([, one]) => one !== undefined))
      if (!isDeepStrictEqual(plain(stored), plain(shown))) throw new Error(JSON.stringify(stored))
      assertClean()
    }),
    { numRuns: VALUES },
  )
  t.true(isClean())
  t.true(count.kept > VALUES / 10 && count.refused > VALUES / 10, JSON.stringify(count))
  t.log(`${VALUES} values:`, JSON.stringify(count))
})

function cookieOf({ setCookies: [line] }: DirectAnswer): string {
  return line?.split(';')[0] ?? ''
}

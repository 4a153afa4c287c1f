import { connect } from 'node:net'
import test from 'ava'
import { LayerMissing } from '../../lib/errors.ts'
import { newSessionId } from '../../lib/sessions/id.ts'
import { sessionOf, sessions } from '../../lib/sessions/layer.ts'
import { Signer } from '../../lib/sessions/signature.ts'
import { cookieStore } from '../../lib/sessions/stores/cookie.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { heard } from '../heard.ts'
import { type AppOptions, type Handler, KEY, live, login, OTHER_KEY, recorded, startApp } from './app.ts'

const handlers: Record<string, Handler> = {
  '/read': ctx => ({ ...ctx.session.toJSON(), isNew: ctx.session.isNew }),
  '/write': ctx => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    return { views: ctx.session.views }
  },
  '/nothing': () => 'nothing',
  '/login': async ctx => {
    await live(ctx).logIn(login('ada'))
    return 'in'
  },
}

/** The lines of an answer to a request written byte by byte, which no client would send. */
function raw(port: number, cookie: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', part => parts.push(part))
  socket.on('error', reject)
  socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')))
  socket.end(Buffer.from(`GET /read HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: ${cookie}\r\n\r\n`))
  return promise
}

test('A session is begun by the first change, found again by its cookie, and read by the next request.', async t => {
  const browser = (await startApp(t, { handlers })).browser()
  t.deepEqual((await browser.get('/read')).json, { isNew: true })
  const first = await browser.get('/write')
  t.regex(first.setCookies[0]!, /^sid=[\w-]{43}\.[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/)
  const second = await browser.get('/write')
  t.deepEqual(second.json, { views: 2 })
  t.deepEqual(second.setCookies, [], 'the cookie is sent once')
  t.deepEqual((await browser.get('/read')).json, { views: 2, isNew: false })
})

const id = newSessionId()
const signature = new Signer('test()', [KEY]).sign(`koa-strata id sid=${id}`)
const nasty: [string, string][] = [
  ['empty', ''],
  ['a dot', '.'],
  ['only dots', '....'],
  ['an id without a signature', id],
  ['an id with an empty signature', `${id}.`],
  ['a signature without an id', `.${signature}`],
  ['an id that is a character short', `${id.slice(1)}.${signature}`],
  ['an id that is a character long', `${id}A.${signature}`],
  ['a path', '../../etc/passwd'],
  ['a path that ends in a signature', `../../etc/passwd.${signature}`],
  ['an encoded path', '..%2f..%2fetc%2fpasswd'],
  ['a key of another kind in the store', 'lock:x'],
  ['a key with a wildcard', '*'],
  ['an SQL quote', "' OR 1=1 --"],
  ['the name of a prototype', '__proto__'],
  ['an object', '[object Object]'],
  ['undefined', 'undefined'],
  ['JSON', '{"_created":1}'],
  ['an encoded NUL', `${id}%00.${signature}`],
  ['10 kB', `${'a'.repeat(10_000)}.${signature}`],
  ['10 kB of dots', '.'.repeat(10_000)],
  ['a quoted value', `"${id}.${signature}"`],
  ['bytes beyond ASCII', `${'é'.repeat(21)}.${signature}`],
  ['a tab in it', `${id}\t.${signature}`],
  ['the value of another signer', `${id}.${new Signer('x()', [OTHER_KEY]).sign(`koa-strata id sid=${id}`)}`],
  ['a signature for another cookie', `${id}.${new Signer('x()', [KEY]).sign(`koa-strata id other=${id}`)}`],
  ['a signature for data in the cookie', `${id}.${new Signer('x()', [KEY]).sign(`koa-strata data sid=${id}`)}`],
  ['a signature of the bare id', `${id}.${new Signer('x()', [KEY]).sign(id)}`],
]

test('C2: cookies of a bad shape, and C3: with a wrong signature, are dropped: the page answers, the store is not asked.', async t => {
  const store = recorded(memoryStore())
  const app = await startApp(t, { store, handlers })
  for (const [what, value] of nasty) {
    const answer = await raw(app.port, `sid=${value}`)
    t.true(answer.startsWith('HTTP/1.1 200 '), `${what}: ${answer.slice(0, 40)}`)
    t.true(answer.endsWith('{"isNew":true}'), what)
    t.false(/set-cookie/i.test(answer), what)
  }
  // The HTTP parser itself refuses a NUL and the like; it has to be no error of ours either.
  t.true((await raw(app.port, `sid=${id}\0.${signature}`)).startsWith('HTTP/1.1 400 '))
  t.deepEqual(store.calls, [])
  t.deepEqual(app.errors, [])
})

test('C2: the control of the table above: a good cookie does ask the store.', async t => {
  const store = recorded(memoryStore())
  const app = await startApp(t, { store, handlers })
  t.true((await raw(app.port, `sid=${id}.${signature}`)).startsWith('HTTP/1.1 200 '))
  t.deepEqual(store.calls, ['read'])
})

test('C3: an event tells of a cookie that was dropped, without its value.', async t => {
  const events = heard(t, 'koa-strata:session-gone')
  const app = await startApp(t, { handlers })
  await app.browser().get('/read', { cookie: 'sid=secret-value' })
  await app.browser().get('/read', { cookie: 'sid=secret-value; sid=other' })
  t.true(events.some(event => event.reason === 'bad-cookie' && event.user === null))
  t.true(events.some(event => event.reason === 'duplicate-cookie'))
  t.false(JSON.stringify(events).includes('secret-value'))
})

test('C3: after a change of keys old cookies hold while the old key is listed, and new ones are signed by the first.', async t => {
  const store = memoryStore()
  const before = (await startApp(t, { store, keys: [OTHER_KEY], handlers })).browser()
  await before.get('/write')
  const rotated = (await startApp(t, { store, keys: [KEY, OTHER_KEY], handlers })).browser()
  const after = (await startApp(t, { store, keys: [KEY], handlers })).browser()
  t.deepEqual((await rotated.get('/read', { cookie: before.cookie })).json, { views: 1, isNew: false })
  t.deepEqual((await after.get('/read', { cookie: before.cookie })).json, { isNew: true })
  await rotated.get('/write')
  t.deepEqual((await after.get('/read', { cookie: rotated.cookie })).json, { views: 1, isNew: false })
})

test('C3: without the option the keys are the application’s, and a change of them needs no restart.', async t => {
  const app = await startApp(t, { layers: [sessions()], handlers })
  const browser = app.browser()
  app.koa.keys = [OTHER_KEY]
  await browser.get('/write')
  t.is((await browser.get('/read')).json.views, 1)
  app.koa.keys.unshift(KEY)
  t.is((await browser.get('/read')).json.views, 1)
  app.koa.keys = [KEY]
  t.is((await browser.get('/read')).json.views, undefined)
})

for (const [what, keys] of Object.entries({
  'no keys': undefined,
  'a short key': ['short'],
  'an empty list': [],
  'a Keygrip object': { sign() {}, verify() {}, index() {} },
})) {
  test(`C3: an application with ${what} answers 500 at the first request, and the error says what to do.`, async t => {
    const app = await startApp(t, { layers: [sessions()], handlers })
    Object.assign(app.koa, { keys })
    t.is((await app.browser().get('/nothing')).status, 500)
    t.is(app.errors[0]?.code, 'OPTION_INVALID')
    t.regex(app.errors[0]!.message, /^app: option 'keys/)
  })
}

test('C6: two cookies of the session’s name are dropped, even when both are good, and the store is not asked.', async t => {
  const store = recorded(memoryStore())
  const app = await startApp(t, { store, handlers })
  const [one, other] = [app.browser(), app.browser()]
  await one.get('/write')
  await other.get('/write')
  store.calls.length = 0
  for (const cookie of [
    `${one.cookie}; ${other.cookie}`,
    `${one.cookie}; ${one.cookie}`,
    `${one.cookie}; sid=`,
    `a=b;${one.cookie};c=d;sid=x`,
  ]) {
    t.deepEqual((await app.browser().get('/read', { cookie })).json, { isNew: true })
  }
  t.deepEqual(store.calls, [])
  t.is((await app.browser().get('/read', { cookie: `a=b; ${one.cookie}; xsid=1` })).json.views, 1)
})

test('C6: two Cookie fields count as one with both.', async t => {
  const app = await startApp(t, { handlers })
  const browser = app.browser()
  await browser.get('/write')
  const answer = await raw(app.port, `${browser.cookie}\r\nCookie: ${browser.cookie}`)
  t.true(answer.endsWith('{"isNew":true}'))
})

test('C4: in production the cookie is Secure and carries __Host-, from sessions() with no options for it.', async t => {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  const layer = sessions({ keys: [KEY], store: memoryStore() })
  process.env.NODE_ENV = before
  const browser = (await startApp(t, { layers: [layer], handlers })).browser()
  const { setCookies } = await browser.get('/write')
  t.regex(setCookies[0]!, /^__Host-sid=[\w-]{43}\.[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  t.is((await browser.get('/read')).json.views, 1)
})

test('C4: a cookie signed for one name is none under another.', async t => {
  const store = memoryStore()
  const one = (await startApp(t, { store, cookie: { name: 'one' }, handlers })).browser()
  const other = (await startApp(t, { store, cookie: { name: 'other' }, handlers })).browser()
  await one.get('/write')
  t.is((await other.get('/read', { cookie: one.cookie.replace('one=', 'other=') })).json.views, undefined)
})

for (const store of [() => memoryStore(), () => cookieStore()]) {
  test(`C5: over ${store().constructor.name === 'CookieStore' ? 'cookieStore()' : 'a store'} a cookie is cleared with the attributes that it was set with.`, async t => {
    const cookie = {
      domain: 'example.com',
      path: '/',
      secure: true,
      sameSite: 'none',
      partitioned: true,
    } as const
    const app = await startApp(t, {
      store: store(),
      cookie,
      handlers: {
        ...handlers,
        '/end': ctx => {
          ctx.session = null
        },
      },
    })
    const browser = app.browser()
    const set = (await browser.get('/write')).setCookies[0]!
    const renewed = (await browser.get('/login')).setCookies[0]!
    const cleared = (await browser.get('/end')).setCookies[0]!
    const attributes = 'Path=/; Domain=example.com; HttpOnly; Secure; SameSite=None; Partitioned'
    for (const line of [set, renewed, cleared]) t.true(line.endsWith(attributes), line)
    t.true(cleared.startsWith('__Secure-sid=; Max-Age=0; '))
    t.is(browser.cookie, '')
  })
}

test('C9: a host that the cookie’s domain does not cover is told by an event.', async t => {
  const events = heard(t, 'koa-strata:cookie-domain')
  const app = await startApp(t, { cookie: { domain: 'shop.example' }, handlers })
  await app.browser().get('/nothing', { host: 'www.shop.example' })
  t.false(events.some(event => event.host === 'www.shop.example'))
  await app.browser().get('/nothing', { host: 'other.test:80' })
  t.deepEqual(
    events.find(event => event.host === 'other.test'),
    { domain: 'shop.example', host: 'other.test' },
  )
})

test('requests without the cookie never ask the store for one.', async t => {
  const store = recorded(memoryStore())
  const browser = (await startApp(t, { store, handlers })).browser()
  t.is((await browser.get('/read', { cookie: 'a=b; c=d' })).status, 200)
  t.is((await browser.get('/nothing')).status, 200)
  t.deepEqual(store.calls, [])
})

test('Several sessions() in one app are independent: one behind another, and on paths of their own.', async t => {
  const layers = [
    sessions({ keys: [KEY], cookie: { name: 'outer' } }),
    async (ctx: { path: string; outer?: unknown; session?: unknown }, next: () => Promise<void>) => {
      ctx.outer = ctx.session
      if (!ctx.path.startsWith('/inner')) return next()
      await inner(ctx as never, next)
      t.is(ctx.session, ctx.outer, 'behind the inner one the outer one is back')
    },
  ]
  const inner = sessions({ keys: [KEY], cookie: { name: 'inner' } })
  const app = await startApp(t, {
    layers,
    handlers: {
      '/outer': ctx => {
        ctx.session.who = 'outer'
      },
      '/inner': ctx => {
        ctx.session.who = 'inner'
      },
      '/inner/both': ctx => {
        t.not(ctx.session, ctx.outer)
        return { inner: ctx.session.who, outer: ctx.outer.who }
      },
      '/inner/update': async ctx => {
        await ctx.updateSession(draft => {
          draft.updated = true
        })
        return { inner: ctx.session.updated ?? null, outer: ctx.outer.updated ?? null }
      },
      '/inner/end': ctx => {
        ctx.session = null
      },
    },
  })
  const browser = app.browser()
  await browser.get('/outer')
  await browser.get('/inner')
  t.deepEqual([...browser.cookies.keys()].sort(), ['inner', 'outer'])
  t.deepEqual((await browser.get('/inner/both')).json, { inner: 'inner', outer: 'outer' })
  t.deepEqual((await browser.get('/inner/update')).json, { inner: true, outer: null })
  await browser.get('/inner/end')
  t.deepEqual([...browser.cookies.keys()], ['outer'])
  t.deepEqual((await browser.get('/inner/both')).json, { outer: 'outer' })
})

test('The sessions of two apps in one process do not mix.', async t => {
  const [one, other] = [await startApp(t, { handlers }), await startApp(t, { handlers })]
  const browser = one.browser()
  await browser.get('/write')
  t.is((await other.browser().get('/read', { cookie: browser.cookie })).json.views, undefined)
})

test('What needs a session says which line is missing where there is none.', async t => {
  const error = t.throws(() => sessionOf({}, 'users()'), { instanceOf: LayerMissing })
  t.is(error.code, 'LAYER_MISSING')
  t.regex(error.message, /^users\(\) needs ctx\.session\. Add app\.use\(sessions\(…\)\) before it/)
})

test('ctx.session stays what it was for middleware around the layer, when the request is answered.', async t => {
  let seen: unknown
  const outside: AppOptions['outside'] = [
    async (ctx, next) => {
      await next()
      seen = ctx.session.views
    },
  ]
  const app = await startApp(t, { outside, handlers })
  await app.browser().get('/write')
  t.is(seen, 1)
})

test('Expired records are swept while sessions begin, at most every five minutes.', async t => {
  let time = 1_800_000_000_000
  const now = () => time
  const store = recorded(memoryStore({ now }))
  const app = await startApp(t, { store, now, handlers })
  const sweeps = () => store.calls.filter(call => call === 'sweep').length
  await app.browser().get('/write')
  t.is(sweeps(), 0)
  time += 300_000
  await app.browser().get('/read')
  t.is(sweeps(), 0, 'reading sweeps nothing')
  await app.browser().get('/write')
  await app.browser().get('/write')
  t.is(sweeps(), 1)
  time += 300_000
  await app.browser().get('/write')
  t.is(sweeps(), 2)
})

test('While a sweep is under way no other begins, however long it takes.', async t => {
  let time = 1_800_000_000_000
  const now = () => time
  let sweeps = 0
  let swept = Promise.withResolvers<number>()
  const sweep = () => {
    sweeps++
    return swept.promise
  }
  const app = await startApp(t, { store: { ...memoryStore({ now }), sweep }, now, handlers })
  const writeLater = () => {
    time += 300_000
    return app.browser().get('/write')
  }
  await writeLater()
  await writeLater()
  t.is(sweeps, 1)
  swept.resolve(0)
  swept = Promise.withResolvers()
  await writeLater()
  t.is(sweeps, 2)
})

test('A sweep that fails disturbs nobody.', async t => {
  let time = 1_800_000_000_000
  const now = () => time
  const store = { ...memoryStore({ now }), sweep: () => Promise.reject(new Error('locked')) }
  const app = await startApp(t, { store, now, handlers })
  time += 300_000
  t.is((await app.browser().get('/write')).status, 200)
})

test('Without options a clock that is handed in is the default store’s too.', async t => {
  const browser = (await startApp(t, { now: () => 1_000_000, handlers })).browser()
  await browser.get('/write')
  t.is((await browser.get('/read')).json.views, 1)
})

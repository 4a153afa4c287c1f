import { createContext, runInContext } from 'node:vm'
import test from 'ava'
import type { Middleware } from 'koa'
import { asPrivate } from '../../lib/sessions/answer.ts'
import { sessions } from '../../lib/sessions/layer.ts'
import { cookieStore } from '../../lib/sessions/stores/cookie.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { type Handler, KEY, live, login, startApp, type TestContext } from './app.ts'

const privacy: [string, string][] = [
  ['', 'private'],
  ['public', 'private'],
  ['PUBLIC', 'private'],
  ['public, max-age=60', 'private, max-age=60'],
  ['max-age=60', 'private, max-age=60'],
  ['s-maxage=60', 'private'],
  ['public, S-MaxAge = 60, max-age=5, must-revalidate', 'private, max-age=5, must-revalidate'],
  ['private', 'private'],
  ['Private, max-age=5', 'Private, max-age=5'],
  ['private, public, s-maxage=9', 'private'],
  ['no-store', 'no-store'],
  ['No-Store, public', 'No-Store'],
  ['no-cache', 'private, no-cache'],
  ['no-cache="Set-Cookie, X", max-age=1', 'private, no-cache="Set-Cookie, X", max-age=1'],
  ['private="Set-Cookie"', 'private'],
  ['private="Set-Cookie, public", max-age=1', 'private, max-age=1'],
  ['x="public", immutable', 'private, x="public", immutable'],
  ['x="a\\"b, public"', 'private, x="a\\"b, public"'],
  ['x="unclosed, public', 'private, x="unclosed, public'],
  [',, ,', 'private'],
  ['publicity=1', 'private, publicity=1'],
]

for (const [given, wanted] of privacy) {
  test(`C7: the Cache-Control '${given}' made private is '${wanted}'.`, t => {
    t.is(asPrivate(given), wanted)
    t.is(asPrivate(wanted), wanted, 'and stays so')
  })
}

test('C7: making any Cache-Control private takes time in proportion to it.', t => {
  const start = performance.now()
  asPrivate('"'.repeat(50_000))
  asPrivate('"a'.repeat(50_000))
  asPrivate(`"${'\\'.repeat(50_000)}`)
  asPrivate(`s-maxage${' '.repeat(50_000)}`)
  t.true(performance.now() - start < 5000)
})

const cacheable = 'public, max-age=60, s-maxage=600'
const shared = Object.assign(new Error('kept by the application'), { status: 404, expose: true })

const writes: Record<string, Handler> = {
  '/plain': () => 'plain',
  '/read': ctx => `${ctx.session.views}`,
  '/read-null': ctx => {
    ctx.session.views
    ctx.set('Vary', 'Accept')
    return 'read'
  },
  '/set-only': ctx => {
    ctx.session = { views: 1 }
    return 'set'
  },
  '/update': async ctx => {
    let views = 0
    await ctx.updateSession(draft => {
      views = draft.views = (draft.views ?? 0) + 1
    })
    return `${views}`
  },
  '/public': ctx => {
    ctx.set('Cache-Control', cacheable)
    ctx.session.views = 1
    return 'public'
  },
  '/public-read': ctx => {
    ctx.set('Cache-Control', cacheable)
    return `${ctx.session.views}`
  },
  '/no-store': ctx => {
    ctx.set('Cache-Control', 'no-store')
    ctx.session.views = 1
  },
  '/redirect': ctx => {
    ctx.session.views = 1
    ctx.redirect('/elsewhere')
  },
  '/end': ctx => {
    ctx.session = null
    return 'over'
  },
  '/read-throw': ctx => {
    ctx.session.views
    ctx.throw(404, 'nothing here', { headers: { vary: 'Accept-Language' } })
  },
  '/own-cookies': ctx => {
    ctx.cookies.set('one', '1', { signed: false })
    ctx.session.views = 1
    ctx.cookies.set('two', '2', { signed: false })
    return 'cookies'
  },
}

test('C7: a response that read the session varies by the cookie; one that did not says nothing of it.', async t => {
  const browser = (await startApp(t, { handlers: writes })).browser()
  t.is((await browser.get('/plain')).headers.vary, undefined)
  t.is((await browser.get('/plain')).headers['cache-control'], undefined)
  t.is((await browser.get('/read')).headers.vary, 'Cookie')
  t.is((await browser.get('/read-null')).headers.vary, 'Accept, Cookie')
  t.is((await browser.get('/update')).headers.vary, 'Cookie', 'updateSession() reads')
  t.is((await browser.get('/update')).headers.vary, 'Cookie')
  t.is((await browser.get('/plain')).headers.vary, undefined, 'the cookie alone makes no difference')
})

test('C7: reading alone leaves Cache-Control to the handler.', async t => {
  const browser = (await startApp(t, { handlers: writes })).browser()
  const { headers } = await browser.get('/public-read')
  t.is(headers['cache-control'], cacheable)
  t.is(headers.vary, 'Cookie')
})

test('C7: a page that reads the session when the layer has answered, as one for an error does, varies by the cookie.', async t => {
  const errorPages: Middleware = async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      ctx.status = (error as { status: number }).status
    }
    ctx.vary('Accept')
    ctx.body = `${(ctx as unknown as TestContext).session.views} in ${ctx.status}`
  }
  const handlers: Record<string, Handler> = { '/thrown': ctx => ctx.throw(404) }
  const browser = (await startApp(t, { outside: [errorPages], handlers })).browser()
  for (const path of ['/thrown', '/nowhere']) {
    const { text, headers } = await browser.get(path)
    t.is(text, 'undefined in 404')
    t.is(headers.vary?.split(', ').sort().join(), 'Accept,Cookie')
  }
})

test('C7: the response of a handler that reads the session and then sends the head itself varies by the cookie.', async t => {
  const handlers: Record<string, Handler> = {
    '/own': ctx => {
      const { views } = ctx.session
      ctx.respond = false
      ctx.res.end(`${views}`)
    },
    '/early': ctx => {
      const { views } = ctx.session
      ctx.status = 200
      ctx.flushHeaders()
      return `${views}`
    },
  }
  const browser = (await startApp(t, { handlers })).browser()
  for (const path of Object.keys(handlers)) t.is((await browser.get(path)).headers.vary, 'Cookie')
})

for (const path of ['/set-only', '/update', '/public', '/no-store', '/redirect', '/own-cookies']) {
  test(`C7: the response of ${path}, which sets the session cookie, is kept from shared caches.`, async t => {
    const browser = (await startApp(t, { handlers: writes })).browser()
    const { headers, setCookies } = await browser.get(path)
    t.is(setCookies.filter(line => line.startsWith('sid=')).length, 1)
    t.regex(headers['cache-control']!, /^(private\b|no-store$)/)
    t.notRegex(headers['cache-control']!, /public|s-maxage/)
    if (path === '/public') t.is(headers['cache-control'], 'private, max-age=60')
    if (path === '/own-cookies') t.is(setCookies.length, 3)
  })
}

test('C7: the response that clears the cookie is kept from shared caches too.', async t => {
  const browser = (await startApp(t, { handlers: writes })).browser()
  await browser.get('/set-only')
  const { headers, setCookies } = await browser.get('/end')
  t.regex(setCookies[0]!, /^sid=; Max-Age=0/)
  t.is(headers['cache-control'], 'private')
})

test('C7: a cookie of cookieStore() that is sent anew makes its response private, read or not.', async t => {
  let time = 1_800_000_000_000
  const browser = (await startApp(t, { store: cookieStore(), now: () => time, handlers: writes })).browser()
  await browser.get('/set-only')
  t.deepEqual((await browser.get('/plain')).setCookies, [])
  time += 61_000
  const { headers, setCookies } = await browser.get('/plain')
  t.is(setCookies.length, 1)
  t.is(headers['cache-control'], 'private')
})

test('C7: an error page of a handler that read the session varies by the cookie, beside what the error itself says.', async t => {
  const browser = (await startApp(t, { handlers: writes })).browser()
  const { status, headers } = await browser.get('/read-throw')
  t.is(status, 404)
  t.is(headers.vary, 'Accept-Language, Cookie')
  t.is(headers['cache-control'], undefined)
})

const frozen = Object.freeze(Object.assign(new Error('frozen'), { status: 403, expose: true }))

class WithGetter extends Error {
  status = 418
  expose = true
  get headers() {
    return { 'X-Own': 'yes', 'cache-control': cacheable, 'Set-Cookie': 'own=1' }
  }
}

const foreign = runInContext('new Error("of another realm")', createContext())

/** What handlers throw after they have stored something, with the status and the body that Koa makes of it. */
const thrown: [what: string, thrown: () => unknown, status: number, text: string | RegExp][] = [
  ['an Error', () => new Error('secret'), 500, 'Internal Server Error'],
  ['an error with a status', () => Object.assign(new Error('gone'), { status: 410, expose: true }), 410, 'gone'],
  ['an error that the application keeps', () => shared, 404, 'kept by the application'],
  ['a frozen error', () => frozen, 403, 'frozen'],
  ['a frozen error without a status', () => Object.freeze(new Error('x')), 500, 'Internal Server Error'],
  ['an error whose headers are a getter', () => new WithGetter('teapot'), 418, 'teapot'],
  [
    'an error whose headers are null',
    () => Object.assign(new Error('x'), { headers: null }),
    500,
    'Internal Server Error',
  ],
  ['an error of another realm', () => Object.assign(foreign, { status: 409, expose: true }), 409, 'of another realm'],
  ['text', () => 'just text', 500, 'Internal Server Error'],
  ['a number', () => 42, 500, 'Internal Server Error'],
  ['an object', () => ({ status: 404 }), 500, 'Internal Server Error'],
  ['null', () => null, 500, 'Internal Server Error'],
  ['undefined', () => undefined, 500, 'Internal Server Error'],
]

const stored: Record<string, Handler> = {
  'session.save()': async ctx => {
    ctx.session.kept = true
    await ctx.session.save()
  },
  'updateSession()': async ctx => {
    await ctx.updateSession(draft => {
      draft.kept = true
    })
  },
  'a login': async ctx => {
    ctx.session.kept = true
    await live(ctx).logIn(login('ada'))
  },
}

for (const [what, make, status, text] of thrown) {
  for (const [how, store] of Object.entries(stored)) {
    test(`S7: what ${how} stored survives with its cookie when the handler then throws ${what}.`, async t => {
      const app = await startApp(t, {
        handlers: {
          '/': async ctx => {
            await store(ctx)
            ctx.session.lost = true
            ctx.set('X-Lost', 'yes')
            throw make()
          },
          '/read': ctx => ctx.session.toJSON(),
        },
      })
      const browser = app.browser()
      const answer = await browser.get('/')
      t.is(answer.status, status)
      t.is(answer.text, text as string)
      t.is(answer.setCookies.filter(line => line.startsWith('sid=')).length, 1)
      t.regex(answer.headers['cache-control']!, /^private/)
      t.notRegex(answer.headers['cache-control']!, /public|s-maxage/)
      t.is(answer.headers.vary, 'Cookie')
      t.is(app.errors.length, 1)
      t.deepEqual((await browser.get('/read')).json, { kept: true })
      if (what.includes('getter')) {
        t.is(answer.headers['x-own'], 'yes')
        t.is(answer.headers['cache-control'], 'private, max-age=60')
        t.true(answer.setCookies.includes('own=1'))
      }
    })
  }

  test(`S7: nothing that was not stored expressly is left when a handler throws ${what}.`, async t => {
    const records: string[] = []
    const base = memoryStore()
    const store: typeof base = {
      ...base,
      create: (id, record) => {
        records.push(id)
        return base.create(id, record)
      },
    }
    const app = await startApp(t, {
      store,
      handlers: {
        '/': ctx => {
          ctx.session.lost = true
          throw make()
        },
      },
    })
    const answer = await app.browser().get('/')
    t.is(answer.status, status)
    t.false(answer.setCookies.some(line => line.startsWith('sid=')))
    t.deepEqual(records, [])
  })
}

test('S7: an error that the application keeps and throws again carries no one’s cookie to anybody else.', async t => {
  const kept = Object.assign(new Error('kept'), { status: 404, expose: true })
  const app = await startApp(t, {
    handlers: {
      '/store': async ctx => {
        ctx.session.mine = 1
        await ctx.session.save()
        throw kept
      },
      '/throw': () => {
        throw kept
      },
      '/read-throw': ctx => {
        ctx.session.views
        throw kept
      },
    },
  })
  const browser = app.browser()
  t.is((await browser.get('/store')).setCookies.length, 1)
  for (let again = 0; again < 3; again++) {
    const other = await app.browser().get('/throw')
    t.deepEqual(other.setCookies, [])
    t.is(other.status, 404)
    t.is((await app.browser().get('/read-throw')).headers.vary, 'Cookie', 'and nothing piles up in it')
  }
})

test('S7: an error reaches middleware around the session as the one that was thrown, or one that inherits from it.', async t => {
  class NotHere extends Error {
    readonly code = 'NOT_HERE'
  }
  const caught: Error[] = []
  const app = await startApp(t, {
    outside: [
      async (ctx, next) => {
        try {
          await next()
        } catch (error) {
          caught.push(error as Error)
          ctx.status = 404
          ctx.set('Cache-Control', ctx.response.get('Cache-Control') || cacheable)
          ctx.body = 'an error page of the application'
        }
      },
    ],
    handlers: {
      '/store': async ctx => {
        ctx.session.mine = 1
        await ctx.session.save()
        throw new NotHere('not here')
      },
      '/throw': () => {
        throw new NotHere('not here')
      },
    },
  })
  const answer = await app.browser().get('/store')
  t.is(answer.text, 'an error page of the application')
  t.is(answer.setCookies.length, 1)
  t.is(answer.headers['cache-control'], 'private')
  t.is(answer.headers.vary, 'Cookie')
  await app.browser().get('/throw')
  for (const error of caught) {
    t.true(error instanceof NotHere)
    t.is((error as NotHere).code, 'NOT_HERE')
    t.is(error.message, 'not here')
    t.regex(error.stack!, /answer\.test\.ts/)
  }
})

test('S7: with two sessions an error page carries the cookies of both.', async t => {
  const app = await startApp(t, {
    layers: [
      sessions({ keys: [KEY], cookie: { name: 'outer' } }),
      async (ctx: { session: { a: number; save(): Promise<void> } }, next: () => Promise<void>) => {
        ctx.session.a = 1
        await ctx.session.save()
        await next()
      },
      sessions({ keys: [KEY], cookie: { name: 'inner' } }),
    ],
    handlers: {
      '/': async ctx => {
        ctx.session.b = 1
        await ctx.session.save()
        ctx.throw(400)
      },
    },
  })
  const browser = app.browser()
  const answer = await browser.get('/')
  t.is(answer.status, 400)
  t.deepEqual([...browser.cookies.keys()].sort(), ['inner', 'outer'])
  t.is(answer.headers.vary, 'Cookie')
})

test('S7: a handler that answers 5xx saves nothing, and one that answers 4xx does.', async t => {
  const app = await startApp(t, {
    handlers: {
      '/500': ctx => {
        ctx.session.views = 1
        ctx.status = 500
      },
      '/503': ctx => {
        ctx.session = null
        ctx.status = 503
      },
      '/422': ctx => {
        ctx.session.views = 1
        ctx.status = 422
        return 'fix the form'
      },
      '/read': ctx => ctx.session.toJSON(),
    },
  })
  const browser = app.browser()
  t.deepEqual((await browser.get('/500')).setCookies, [])
  t.is((await browser.get('/422')).setCookies.length, 1)
  t.deepEqual((await browser.get('/503')).setCookies, [])
  t.deepEqual((await browser.get('/read')).json, { views: 1 })
})

test('Once the head is sent a session cannot begin, and the error says so; one that is there is changed as ever.', async t => {
  const store = memoryStore()
  let created = 0
  const app = await startApp(t, {
    store: {
      ...store,
      create: (id, record) => {
        created++
        return store.create(id, record)
      },
    },
    handlers: {
      '/late': ctx => {
        ctx.respond = false
        ctx.res.write('begun')
        ctx.session.views = (ctx.session.views ?? 0) + 1
        ctx.res.end()
      },
      '/late-end': async ctx => {
        ctx.respond = false
        ctx.res.write('begun')
        await live(ctx).end()
        ctx.res.end()
      },
      '/write': ctx => {
        ctx.session.views = 1
      },
      '/read': ctx => ctx.session.toJSON(),
    },
  })
  const browser = app.browser()
  t.is((await browser.get('/late')).text, 'begun')
  t.is(app.errors[0]?.code, 'SESSION_TOO_LATE')
  t.is(created, 0)
  await browser.get('/write')
  await browser.get('/late')
  t.deepEqual((await browser.get('/read')).json, { views: 2 })
  await browser.get('/late-end')
  t.deepEqual((await browser.get('/read')).json, {}, 'S3: it has ended on the server, though its cookie could not go')
  t.is(app.errors.length, 1)
})

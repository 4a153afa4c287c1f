import { once } from 'node:events'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import test from 'ava'
import { permissionOrBasicAuth, sessionOrBasicAuth } from 'koa-strata'
import type { TestContext } from '../sessions/app.ts'
import { basic, fieldsOf, jobsFeed, RIGHT } from './people.ts'

/** Makes a guard as it is made in production. */
function inProduction<Made>(make: () => Made): Made {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    return make()
  } finally {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  }
}

test('B5: plain http in production is 403, without a challenge or a redirect, and asks no backend', async t => {
  const guard = inProduction(() => sessionOrBasicAuth({ realm: 'Jobs' }))
  const { browser, asked } = await jobsFeed(t, { guard })
  for (const headers of [{}, { authorization: RIGHT }, { authorization: RIGHT, 'x-forwarded-proto': 'https' }]) {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await browser().get('/feed', headers, method)
      t.is(answer.status, 403)
      t.is(answer.headers['www-authenticate'], undefined)
      t.is(answer.headers.location, undefined)
      t.is(answer.headers['cache-control'], 'private')
    }
  }
  t.deepEqual(asked, [])
})

test('B5: outside production, and with requireHttps: false in it, plain http is served', async t => {
  for (const guard of [
    sessionOrBasicAuth({ realm: 'Jobs' }),
    inProduction(() => sessionOrBasicAuth({ realm: 'Jobs', requireHttps: false })),
  ]) {
    const { browser } = await jobsFeed(t, { guard })
    t.is((await browser().get('/feed', { authorization: RIGHT })).status, 200)
  }
})

test('B5: behind a proxy that ends TLS, app.proxy makes the feed pass for X-Forwarded-Proto: https and for nothing else', async t => {
  const guard = inProduction(() => permissionOrBasicAuth('reports.read', { realm: 'Jobs' }))
  const { browser, koa } = await jobsFeed(t, { guard })
  koa.proxy = true
  const authorization = basic('chief', 'chief pw')
  const ask = async (proto?: string) =>
    (await browser().get('/feed', { authorization, ...(proto !== undefined && { 'x-forwarded-proto': proto }) })).status
  t.is(await ask('https'), 200)
  t.is(await ask('https, http'), 200)
  t.is(await ask(), 403)
  t.is(await ask('http'), 403)
  t.is(await ask('http, https'), 403)
  t.is(await ask('https2'), 403)
  t.is(await ask(''), 403)
})

test('B5: over TLS of its own the feed is served and challenges', async t => {
  const guard = sessionOrBasicAuth({ realm: 'Jobs', requireHttps: true })
  const { koa } = await jobsFeed(t, { guard })
  // A shared key in place of a certificate, so that the test needs none.
  const key = Buffer.alloc(32, 7)
  const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' } as const
  const server = https.createServer({ ...tls, pskCallback: () => key }, koa.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const status = async (headers: object) => {
    const connection = {
      ...tls,
      host: '127.0.0.1',
      port,
      path: '/feed',
      agent: false,
      headers: { ...headers },
      pskCallback: () => ({ psk: key, identity: 'test' }),
      checkServerIdentity: () => undefined,
    } as const
    const request = https.get(connection)
    const [response] = await once(request, 'response')
    response.resume()
    return response.statusCode
  }
  t.is(await status({ authorization: RIGHT }), 200)
  t.is(await status({}), 401)
})

for (const [set, sent] of Object.entries({
  '': 'private',
  private: 'private',
  public: 'private',
  'public, max-age=60': 'private, max-age=60',
  'PUBLIC,S-MaxAge=600,max-age=60': 'private, max-age=60',
  's-maxage=600': 'private',
  'private, public, s-maxage=1': 'private',
  'no-store': 'no-store',
  'public, no-store': 'no-store',
  'no-cache': 'private, no-cache',
  'private="set-cookie, x", must-revalidate': 'private, must-revalidate',
  'no-cache="a, public", max-age=1': 'private, no-cache="a, public", max-age=1',
})) {
  test(`C7: where a handler sets Cache-Control to '${set}', '${sent}' is sent, with Basic and with a session`, async t => {
    const handler = (ctx: TestContext) => {
      if (set) ctx.set('Cache-Control', set)
      ctx.vary('Accept-Encoding')
      return 'feed'
    }
    const { browser } = await jobsFeed(t, { handler })
    const somebody = browser()
    await somebody.get('/login/plain')
    for (const answer of [await browser().get('/feed', { authorization: RIGHT }), await somebody.get('/feed')]) {
      t.is(answer.status, 200)
      t.is(answer.headers['cache-control'], sent)
      t.deepEqual(fieldsOf(answer.headers.vary), ['accept-encoding', 'authorization', 'cookie'])
    }
  })
}

test('C7: 401, 403 and 503 vary by Cookie and Authorization and are private too', async t => {
  const { browser } = await jobsFeed(t, { guard: permissionOrBasicAuth('reports.read', { realm: 'Jobs' }) })
  const somebody = browser()
  await somebody.get('/login/plain')
  const answers = [
    [401, await browser().get('/feed')],
    [401, await browser().get('/feed', { authorization: 'Basic x' })],
    [403, await browser().get('/feed', { authorization: basic('plain', 'plain pw') })],
    [403, await somebody.get('/feed')],
    [503, await browser().get('/feed', { authorization: basic('broken', 'x') })],
  ] as const
  for (const [status, answer] of answers) {
    t.is(answer.status, status)
    t.is(answer.headers['cache-control'], 'private')
    t.deepEqual(fieldsOf(answer.headers.vary), ['authorization', 'cookie'])
  }
})

const again = Object.assign(new Error('again'), { status: 404, headers: { Vary: 'Accept' } })
const gone = Object.freeze(Object.assign(new Error('gone'), { status: 410, expose: true }))
const THROWERS: Record<string, { handler: (ctx: TestContext) => unknown; status: number; cacheControl?: string }> = {
  'an error with 404, which caches may keep': { handler: ctx => ctx.throw(404), status: 404 },
  'an error that says public': {
    handler: ctx => ctx.throw(404, 'x', { headers: { 'cache-control': 'public, max-age=9', vary: 'Accept' } }),
    status: 404,
    cacheControl: 'private, max-age=9',
  },
  'an error that says no-store': {
    handler: ctx => ctx.throw(404, 'x', { headers: { 'Cache-Control': 'no-store' } }),
    status: 404,
    cacheControl: 'no-store',
  },
  'one error for all': {
    handler: () => {
      throw again
    },
    status: 404,
  },
  'a frozen error': {
    handler: () => {
      throw gone
    },
    status: 410,
  },
  'a plain error': {
    handler: () => {
      throw new Error('secret')
    },
    status: 500,
  },
  text: {
    handler: () => {
      throw 'text'
    },
    status: 500,
  },
  null: {
    handler: () => {
      throw null
    },
    status: 500,
  },
}

for (const [what, { handler, status, cacheControl = 'private' }] of Object.entries(THROWERS)) {
  test(`C7: where a handler throws ${what}, the answer keeps its status and is private`, async t => {
    const { browser } = await jobsFeed(t, { handler })
    for (let poll = 0; poll < 3; poll++) {
      const answer = await browser().get('/feed', { authorization: RIGHT })
      t.is(answer.status, status)
      t.is(answer.headers['cache-control'], cacheControl)
      t.deepEqual(
        fieldsOf(answer.headers.vary).filter(field => field !== 'accept'),
        ['authorization', 'cookie'],
      )
      t.is(answer.headers['www-authenticate'], undefined)
      t.notRegex(answer.text, /secret/)
    }
  })
}

test('C7: a handler that streams its body, and one that writes the head itself, are private too', async t => {
  const chunks = ['<feed>', '☃'.repeat(50_000), '</feed>']
  const handlers: ((ctx: TestContext) => unknown)[] = [
    ctx => {
      ctx.set('Cache-Control', 'public')
      ctx.body = Readable.from(chunks)
    },
    ctx => {
      ctx.respond = false
      ctx.res.writeHead(200)
      ctx.res.write(chunks[0]!)
      ctx.res.write(chunks[1]!)
      ctx.res.end(chunks[2]!)
    },
  ]
  for (const handler of handlers) {
    const { browser, errors } = await jobsFeed(t, { handler })
    const answer = await browser().get('/feed', { authorization: RIGHT })
    t.is(answer.text, chunks.join(''))
    t.is(answer.headers['cache-control'], 'private')
    t.true(fieldsOf(answer.headers.vary).includes('authorization'))
    t.deepEqual(errors, [])
  }
})

test('C7: a route beside the feed is not made private by it', async t => {
  const { browser } = await jobsFeed(t, {
    routes: router => {
      router.get('/open', ctx => {
        ctx.set('Cache-Control', 'public, max-age=60')
        ctx.body = 'open'
      })
    },
  })
  const answer = await browser().get('/open', { authorization: RIGHT })
  t.is(answer.headers['cache-control'], 'public, max-age=60')
  t.is(answer.headers.vary, undefined)
})

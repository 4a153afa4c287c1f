import { channel, tracingChannel } from 'node:diagnostics_channel'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { Context, Middleware } from 'koa'
import type { StrataEvents } from 'koa-strata'
import { newFeedToken } from '../../lib/feeds/tokens.ts'
import type { StrataTraces } from '../../lib/traces.ts'
import type { UsersHandler } from '../users/app.ts'
import { basic } from './people.ts'
import { conditional, type TokenSite, type TokenSiteOptions, tokenSite } from './token-site.ts'

const EVENTS: Record<keyof StrataEvents, true> = {
  'koa-strata:login': true,
  'koa-strata:logout': true,
  'koa-strata:login-failed': true,
  'koa-strata:throttled': true,
  'koa-strata:throttle-error': true,
  'koa-strata:session-gone': true,
  'koa-strata:store-error': true,
  'koa-strata:backend-error': true,
  'koa-strata:cookie-domain': true,
}
const TRACES: Record<keyof StrataTraces, true> = { 'koa-strata:authenticate': true, 'koa-strata:store': true }

/** Everything that is told on any channel until the test ends, as a log would write it, by whatever runs beside it too. */
function everythingTold(t: ExecutionContext): string[] {
  const told: string[] = []
  const traced = Object.keys(TRACES).flatMap(name => {
    const { start, end, asyncStart, asyncEnd, error } = tracingChannel(name)
    return [start, end, asyncStart, asyncEnd, error]
  })
  for (const one of [...Object.keys(EVENTS).map(name => channel(name)), ...traced]) {
    const listener = (message: unknown) =>
      told.push(`${String(one.name)} ${inspect(message, { depth: 9, showHidden: true })}`)
    one.subscribe(listener)
    t.teardown(() => one.unsubscribe(listener))
  }
  return told
}

/** A page of every status that an application answers with, behind the guard. */
const PAGES: Record<string, UsersHandler> = {
  '/feed': conditional,
  '/missing': () => undefined,
  '/thrown-404': ctx => ctx.throw(404),
  '/moved': ctx => ctx.redirect('/elsewhere'),
  '/broken': () => {
    throw new Error('broken')
  },
  '/busy': ctx => ctx.throw(503, 'busy', { headers: { 'Referrer-Policy': 'unsafe-url' } }),
  '/own-policy': ctx => {
    ctx.set('Referrer-Policy', 'unsafe-url')
    return 'own'
  },
  '/own-head': ctx => {
    ctx.respond = false
    ctx.res.writeHead(200).end('own')
  },
}
const FEEDS = Object.fromEntries(Object.keys(PAGES).map(path => [path, {}]))

function pages(t: ExecutionContext, options: TokenSiteOptions = {}): Promise<TokenSite> {
  return tokenSite(t, {
    feeds: { ...FEEDS, '/limited': { feed: 'limited' }, '/https': { requireHttps: true } },
    reports: { '/reports': {} },
    handlers: PAGES,
    ...options,
  })
}

/** What is asked for with a token that is right, and what it is answered with. */
const STATUSES: [path: string, status: number, headers?: Record<string, string>][] = [
  ['/feed', 200],
  ['/feed', 304, { 'if-none-match': '"v1"' }],
  ['/own-policy', 200],
  ['/own-head', 200],
  ['/moved', 302],
  ['/reports', 403],
  ['/https', 403],
  ['/missing', 404],
  ['/thrown-404', 404],
  ['/broken', 500],
  ['/busy', 503],
]

/** An application's page for errors, which keeps nothing of the error's header. */
const ownErrorPage: Middleware = async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    ctx.status = (error as { status?: number }).status ?? 500
    ctx.body = 'our own page'
  }
}

for (const [page, outside] of Object.entries({
  'Koa’s own error page': [],
  'an error page of the application': [ownErrorPage],
})) {
  test(`B6: whatever the answer to an address with a token is, no browser tells others where it was, with ${page}.`, async t => {
    const site = await pages(t, { outside })
    const [token, other] = [await site.token(), await site.token(['other'])]
    const asked: [url: string, status: number, headers?: Record<string, string>][] = [
      ...STATUSES.map(([path, status, headers]): [string, number, Record<string, string>?] => [
        `${path}?token=${token}`,
        status,
        headers,
      ]),
      [`/limited?token=${other}`, 403],
      [`/feed?token=${newFeedToken()}`, 401],
      ['/feed?token', 401],
      [`/feed?token=${token}&token=${token}`, 401],
    ]
    for (const [url, status, headers] of asked) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await site.browser().get(url, headers, method)
        t.is(answer.status, status, url)
        t.is(answer.headers['referrer-policy'], 'no-referrer', url)
      }
    }
  })

  test(`B6: while tokens cannot be looked up, the answer to an address with one keeps it to itself too, with ${page}.`, async t => {
    const site = await pages(t, { outside, place: () => ({ find: () => Promise.reject(new Error('down')) }) })
    const answer = await site.browser().get(`/feed?token=${newFeedToken()}`)
    t.is(answer.status, 503)
    t.is(answer.headers['referrer-policy'], 'no-referrer')
  })
}

test('Without a token in the address the guard says nothing of referrers.', async t => {
  const site = await pages(t)
  const authorization = basic('Ada', await site.token())
  t.is((await site.browser().get('/feed', { authorization })).headers['referrer-policy'], undefined)
  t.is((await site.browser().get('/own-policy', { authorization })).headers['referrer-policy'], 'unsafe-url')
  t.is((await site.browser().get('/feed')).headers['referrer-policy'], undefined)
})

/** A log that looks at the address before the guard does, and writes it down when all is over, twice. */
function accessLog(lines: string[]): Middleware {
  const write = (ctx: Context) => {
    const { url, originalUrl, href, querystring, query, path } = ctx
    const { referer, referrer, ':path': http2Path } = ctx.headers
    lines.push(
      inspect({ url, originalUrl, href, whole: ctx.URL.href, querystring, query, path, referer, referrer, http2Path }),
    )
    lines.push(inspect(ctx.request.toJSON(), { depth: 9 }).replace(/(authorization|cookie): .*/g, '$1'))
    lines.push(`${ctx.req.url} ${ctx.ip} ${ctx.status}`)
  }
  return async (ctx, next) => {
    ctx.res.on('finish', () => write(ctx))
    // Koa remembers what it has read of the address.
    inspect([ctx.query, ctx.URL, ctx.href, ctx.path])
    try {
      await next()
    } catch (error) {
      lines.push(inspect(error, { depth: 9, showHidden: true }))
      throw error
    } finally {
      write(ctx)
    }
  }
}

/** Polls with tokens in every state, and answers all that was written down and told; in none of it may a token be. */
async function pollsOf(t: ExecutionContext, options: TokenSiteOptions = {}) {
  const lines: string[] = []
  const told = everythingTold(t)
  const site = await pages(t, { outside: [accessLog(lines)], ...options })
  const tokens = [await site.token(), await site.token(['other']), await site.token(), newFeedToken()]
  const [, , revoked] = tokens
  await site.tokens.revoke(site.ada, (await site.tokens.find(revoked!))!.id)
  const statuses = new Set<number>()
  for (const token of tokens) {
    for (const path of [...Object.keys(PAGES), '/limited', '/https', '/reports']) {
      for (const query of [`token=${token}`, `a=1&%74oken=${token}`, `token=${token}&token=${token}`]) {
        const referer = `http://127.0.0.1${path}?${query}`
        statuses.add((await site.browser().get(`${path}?${query}`, { referer })).status)
      }
      statuses.add((await site.browser().get(path, { authorization: basic('Ada', token) })).status)
    }
  }
  const errors = site.errors.map(error => `${error.stack} ${inspect(error, { depth: 9, showHidden: true })}`)
  const everything = [...lines, ...told, ...errors]
  return {
    statuses,
    everything,
    leaks: tokens.flatMap(token => everything.filter(line => line.includes(token.slice(5)))),
  }
}

test('B6: nothing of a token is in a log that is written behind the guard, in an event, a trace or an error.', async t => {
  const { statuses, everything, leaks } = await pollsOf(t)
  t.deepEqual([...statuses].sort(), [200, 302, 401, 403, 404, 500, 503])
  t.true(everything.some(line => line.startsWith('koa-strata:login-failed')))
  t.true(everything.some(line => line.includes('originalUrl')))
  t.deepEqual(leaks, [])
})

test('B6: nor is it where tokens cannot be looked up, or their use cannot be noted.', async t => {
  const failing = { find: () => Promise.reject(new Error('the table is away')) }
  const { statuses, everything, leaks } = await pollsOf(t, { place: () => failing })
  t.true(statuses.has(503))
  t.true(everything.some(line => line.startsWith('koa-strata:backend-error')))
  t.deepEqual(leaks, [])
  const unnoted = await pollsOf(t, {
    place: ({ find }) => ({ find, noteUse: () => Promise.reject(new Error('read only')) }),
  })
  t.true(unnoted.statuses.has(200))
  t.deepEqual(unnoted.leaks, [])
})

test('The control: where the guard takes no tokens, the same log is full of them.', async t => {
  const given = { feeds: { '/feed': { tokens: undefined } }, reports: {} }
  const { leaks } = await pollsOf(t, given)
  t.true(leaks.length > 10)
})

test('B6: over HTTP/2 nothing of a token is in a log that is written behind the guard.', async t => {
  const lines: string[] = []
  const site = await pages(t, { outside: [accessLog(lines)] })
  const server = http2.createServer(site.koa.callback()).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  const token = await site.token()
  const request = client.request({ ':path': `/feed?token=${token}` })
  const [headers] = await Promise.all([
    new Promise<http2.IncomingHttpHeaders>(resolve => request.once('response', resolve)),
    request.resume().toArray(),
  ])
  t.is(headers[':status'] as unknown, 200)
  t.is(headers['referrer-policy'], 'no-referrer')
  t.true(lines.some(line => line.includes("http2Path: '/feed'")))
  t.deepEqual(
    lines.filter(line => line.includes(token.slice(5))),
    [],
  )
})

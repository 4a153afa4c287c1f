import { randomInt } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import { LONG, scaled } from '../scale.ts'
import { type CachedSiteOptions, startCachedSite } from './cached-site.ts'
import { mixedRequests, type Tally } from './mixed-requests.ts'
import { basic } from './people.ts'

async function mix(t: ExecutionContext, count: number, options: CachedSiteOptions = {}): Promise<Tally> {
  const seed = randomInt(2 ** 31)
  const tally = await mixedRequests(await startCachedSite(t, options), count, seed)
  const { requests, cache, notModified, leaks, wrong } = tally
  t.log({ seed, requests, cache, public: tally.public, notModified, leaks: leaks.length, wrong: wrong.length })
  return tally
}

test('C7: in a mix of requests through a shared cache, nobody gets a byte, a cookie or a 304 of somebody else.', async t => {
  t.timeout(LONG)
  const { leaks, wrong, notModified, public: shared } = await mix(t, scaled(10_000))
  t.deepEqual(leaks, [])
  t.deepEqual(wrong, [])
  t.true(notModified > 0, 'those who have it already are told so')
  t.true(shared.hits > shared.requests / 2, 'the cache does keep what it may')
})

/** Takes away what the library says to caches. */
const withoutHeaders: Middleware = async (ctx, next) => {
  await next()
  ctx.remove('Vary')
  ctx.remove('Cache-Control')
}

const CONTROLS: Readonly<Record<string, CachedSiteOptions>> = {
  'a cache that is told to ignore what the site says': {
    nginx: 'proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;',
  },
  'a site that says nothing to caches': { outside: [withoutHeaders] },
  'feeds that check the password by hand and call their answer public': { byHand: true },
}

for (const [what, options] of Object.entries(CONTROLS)) {
  test(`C7: the control: the same mix leaks with ${what}.`, async t => {
    const { leaks } = await mix(t, 500, options)
    t.log(leaks.slice(0, 3))
    t.true(leaks.length > 0)
  })
}

test('C7: a shared cache serves what is public, 304 included, to whoever asks, and keeps no private feed that says that it is.', async t => {
  const site = await startCachedSite(t)
  const [{ user, password }] = site.readers as [(typeof site.readers)[0]]
  const reader = site.browser()
  await reader.get('/login/0')
  const authorization = basic(user.username, password)
  const ways = [[reader, {}] as const, [site.browser(), { authorization }] as const, [site.browser(), {}] as const]
  await site.browser().get('/public-feed')
  for (const [browser, headers] of ways) {
    const answer = await browser.get('/public-feed', headers)
    t.like(answer, { status: 200, text: '<feed>public</feed>' })
    t.like(answer.headers, { 'x-cache-status': 'HIT', 'cache-control': 'public, max-age=60' })
    const again = await browser.get('/public-feed', { ...headers, 'if-none-match': answer.headers.etag })
    t.is(again.status, 304)
    t.is(again.headers['x-cache-status'], 'HIT')
  }
  for (const [browser, headers] of [...ways, ...ways]) {
    t.is((await browser.get('/feed', headers)).headers['x-cache-status'], 'MISS')
  }
})

test('B3: through a shared cache too, a conditional GET or HEAD of a feed is looked at after the login, and no poll gets a cookie.', async t => {
  const site = await startCachedSite(t)
  const [{ user, password, marker }, { user: other }] = site.readers as [
    (typeof site.readers)[0],
    (typeof site.readers)[0],
  ]
  const reader = site.browser()
  await reader.get('/login/0')
  const right = basic(user.username, password)
  for (const path of ['/feed', '/conditional/feed', '/conditional/reports']) {
    for (const method of ['GET', 'HEAD']) {
      for (const condition of [
        { 'if-none-match': `"${marker}"` },
        { 'if-none-match': '*' },
        { 'if-modified-since': 'Sat, 07 Nov 2026 10:00:00 GMT' },
      ]) {
        // Where nginx may keep an answer it asks for all of it, and where it then may not, it hands on all of it.
        const fresh = path === '/feed' ? 200 : 304
        const bySession = await reader.get(path, condition, method)
        const byBasic = await site.browser().get(path, { ...condition, authorization: right }, method)
        for (const { status, headers, setCookies } of [bySession, byBasic]) {
          t.is(status, fresh)
          t.is(headers.etag, `"${marker}"`)
          t.deepEqual(setCookies, [])
        }
        for (const authorization of ['', basic(user.username, 'wrong'), basic(other.username, password)]) {
          const refused = await site
            .browser()
            .get(path, { ...condition, ...(authorization && { authorization }) }, method)
          t.is(refused.status, 401)
          t.regex(refused.headers['www-authenticate']!, /^Basic realm=/)
          t.is(refused.headers.etag, undefined)
          t.is(refused.headers['last-modified'], undefined)
          t.deepEqual(refused.setCookies, [])
        }
      }
    }
  }
})

import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import Koa from 'koa'
import { newFeedToken } from '../../lib/feeds/tokens.ts'
import { takeUrlToken } from '../../lib/feeds/url-token.ts'
import { scaled } from '../scale.ts'

/** How many addresses each property reads. */
const RUNS = scaled(100_000)
const T = newFeedToken()
const app = new Koa()

/** The context of a request for this address. */
function contextOf(url: string, headers: Record<string, string> = {}) {
  const request = new IncomingMessage(new Socket())
  request.url = url
  request.headers = { host: 'jobs.example', ...headers }
  return app.createContext(request, new ServerResponse(request))
}

/** The token that is taken out of an address, and the address that is left. */
function taken(url: string): [token: string | undefined, left: string] {
  const ctx = contextOf(url)
  return [takeUrlToken(ctx), ctx.url]
}

const ADDRESSES: [url: string, token: string | undefined, left: string][] = [
  [`/feed?token=${T}`, T, '/feed'],
  [`/?token=${T}`, T, '/'],
  [`/feed?token=${T}&a=1`, T, '/feed?a=1'],
  [`/feed?a=1&token=${T}`, T, '/feed?a=1'],
  [`/feed?a=1&token=${T}&b=2`, T, '/feed?a=1&b=2'],
  [`/feed?&token=${T}`, T, '/feed?'],
  [`/feed?token=${T}&`, T, '/feed?'],
  [`/feed?&&token=${T}&&`, T, '/feed?&&&'],
  [`/feed?a=&=b&=&c&token=${T}&&d==`, T, '/feed?a=&=b&=&c&&d=='],
  [`/feed?a=%zz&%=%E0%A4%A&token=${T}&b=%00%ff`, T, '/feed?a=%zz&%=%E0%A4%A&b=%00%ff'],
  [`/feed?a+b=c+d&token=${T}&e=%2B%20`, T, '/feed?a+b=c+d&e=%2B%20'],
  [`/feed?a=?&token=${T}&b=/:@;,`, T, '/feed?a=?&b=/:@;,'],
  [`/feed?%74oken=${T}&a=1`, T, '/feed?a=1'],
  [`/feed?%74%6f%6B%65%6e=${T}`, T, '/feed'],
  [`/feed?token=%66eed_${T.slice(5)}`, T, '/feed'],
  [`/feed?token=a=b`, 'a=b', '/feed'],
  [`/feed?token=%zz`, '%zz', '/feed'],
  ['/feed?token=a+b', 'a+b', '/feed'],
  ['/feed?token=', '', '/feed'],
  ['/feed?token', '', '/feed'],
  ['/feed?a=1&token&b=2', '', '/feed?a=1&b=2'],
  [`/feed?token=${T}&token=${T}`, '', '/feed'],
  [`/feed?token=${T}&a=1&%74oken=x&token`, '', '/feed?a=1'],
  [`/feed??token=${T}`, T, '/feed'],
  [`/feed??a=1&token=${T}`, T, '/feed??a=1'],
  [`/feed?token=${T}#part`, T, '/feed#part'],
  [`/feed?a=1&token=${T}#token=x`, T, '/feed?a=1#token=x'],
  [`/feed#?token=${T}`, undefined, `/feed#?token=${T}`],
  [`http://jobs.example/feed?token=${T}&a=%2f`, T, 'http://jobs.example/feed?a=%2f'],
  [`//feed//?token=${T}`, T, '//feed//'],
  [`/token=x/feed?token=${T}`, T, '/token=x/feed'],
  ...[
    '/feed',
    '/feed?',
    '/feed?a=1',
    '/feed?tokens=x&xtoken=y&token2=z',
    '/feed?Token=x&TOKEN=y&%54oken=z',
    '/feed?token%20=x&%20token=x&token+=x&+token=x&to+ken=x',
    '/feed?token[]=x&token[0]=x&token.a=x&token%00=x&token;=x',
    '/feed?a=token=x&b=%26token=x&c%26token=x',
    '/feed?%2574oken=x&tok%zzen=x&%EF%BB%BFtoken=x&%EF%BD%94oken=x',
    '/feed?;token=x&a;token=x',
    '/token=x',
    '*',
    '',
  ].map((url): [string, undefined, string] => [url, undefined, url]),
]

for (const [url, token, left] of ADDRESSES) {
  const shown = (text: string) => text.replaceAll(T, 'T')
  const what = token === undefined ? 'holds no token and stays' : `holds '${shown(token)}' and leaves '${shown(left)}'`
  test(`B6: the address '${shown(url)}' ${what}.`, t => t.deepEqual(taken(url), [token, left]))
}

test('B6: the token is gone from everywhere that Koa keeps the address, what it has read of it before included.', t => {
  const ctx = contextOf(`/feed?a=1&token=${T}&b=%2f`)
  const read = () => [ctx.path, ctx.query, ctx.search, ctx.href, ctx.URL.href, ctx.querystring]
  t.true(inspect(read()).includes(T), 'it was there before')
  t.is(takeUrlToken(ctx), T)
  const { request, req } = ctx
  const whole = { depth: 12, showHidden: true }
  for (const place of [ctx, { ...ctx }, request, { ...request }, req, ctx.toJSON()]) {
    t.false(inspect(place, whole).includes(T.slice(5)))
  }
  t.false(inspect(read()).includes(T.slice(5)))
  for (const url of [ctx.url, ctx.originalUrl, request.url, request.originalUrl, req.url]) t.is(url, '/feed?a=1&b=%2f')
  for (const url of [ctx.href, request.href, ctx.URL.href]) t.is(url, 'http://jobs.example/feed?a=1&b=%2f')
  t.deepEqual({ ...ctx.query }, { a: '1', b: '/' })
  t.is(ctx.querystring, 'a=1&b=%2f')
  t.is(ctx.search, '?a=1&b=%2f')
  t.is(ctx.URL.searchParams.get('token'), null)
})

test('B6: where an app is mounted below a path, the token is gone from the address as it was asked for too.', t => {
  const ctx = contextOf(`/jobs/feed?token=${T}&a=1`)
  ctx.path = '/feed'
  t.is(takeUrlToken(ctx), T)
  t.deepEqual(
    [ctx.url, ctx.originalUrl, ctx.href],
    ['/feed?a=1', '/jobs/feed?a=1', 'http://jobs.example/jobs/feed?a=1'],
  )
  ctx.path = '/jobs/feed'
  t.is(ctx.url, '/jobs/feed?a=1', 'nor does it come back when the mount is left')
})

test('B6: a page that named its own address as the referrer has the token taken out of that too.', t => {
  for (const url of ['/feed', `/feed?token=${T}`]) {
    const ctx = contextOf(url, { referer: `https://jobs.example/feed?a=1&token=${T}` })
    takeUrlToken(ctx)
    t.is(ctx.headers.referer, 'https://jobs.example/feed?a=1')
    t.is(ctx.get('Referrer'), 'https://jobs.example/feed?a=1')
  }
})

test('B6: over HTTP/2 the token is taken out of the field in which the address stands once more.', t => {
  const ctx = contextOf(`/feed?token=${T}`, { ':path': `/feed?token=${T}` })
  t.is(takeUrlToken(ctx), T)
  t.is(ctx.headers[':path'], '/feed')
})

test('A further guard on the same route is told the same token, and other requests are not.', t => {
  const ctx = contextOf(`/feed?token=${T}`)
  t.deepEqual([takeUrlToken(ctx), takeUrlToken(ctx), takeUrlToken(contextOf('/feed'))], [T, T, undefined])
  const several = contextOf(`/feed?token=${T}&token=${T}`)
  t.deepEqual([takeUrlToken(several), takeUrlToken(several)], ['', ''])
})

test('B6: addresses of any length are read in time in proportion to it.', t => {
  const many = [
    '&'.repeat(1e6),
    'a&'.repeat(1e6),
    'token&'.repeat(2e5),
    '%'.repeat(1e6),
    '?'.repeat(1e6),
    '='.repeat(1e6),
  ]
  const start = performance.now()
  for (const query of many) taken(`/feed?${query}`)
  for (const query of many) taken(`/feed?token=${query}`)
  t.true(performance.now() - start < 20_000)
})

/** Takes the tokens out of an address: the library's way, or a control's. */
type Taker = (url: string) => [token: string | undefined, left: string]

const characters = fc.constantFrom(
  ..."abtoken01-._~!$'()*+,;:@/?%=",
  '%74',
  '%6F',
  '%zz',
  '%00',
  '%',
  '%E2%98%83',
  '%ff',
)
const texts = fc.array(characters, { maxLength: 12 }).map(parts => parts.join(''))
const paths = fc
  .array(fc.constantFrom('/', 'a', '%2f', 'token=', '&', ';', '%3f', '//'), { maxLength: 6 })
  .map(one => `/${one.join('')}`)
/** The name and the value of a parameter, as Koa and browsers read it, by which Koa overlooks a '?' before the first. */
const read = (parameter: string) => [...new URLSearchParams(`x=1&${parameter.replace(/^\?/, '')}`)][1]
const isToken = (parameter: string) => read(parameter)?.[0] === 'token'
const others = texts.filter(one => !isToken(one))
const name = fc
  .array(fc.constantFrom('as it is', 'upper', 'lower'), { minLength: 5, maxLength: 5 })
  .map(kinds =>
    [...'token']
      .map((letter, index) => (kinds[index] === 'as it is' ? letter : escaped(letter, kinds[index]!)))
      .join(''),
  )
const values = fc.oneof(
  fc.constant(''),
  texts.map(text => `=${text}`),
  fc.constant(`=${T}`),
)
const tokens = fc.tuple(name, values).map(parts => parts.join(''))

function escaped(letter: string, how: string): string {
  const hex = letter.charCodeAt(0).toString(16)
  return `%${how === 'upper' ? hex.toUpperCase() : hex}`
}

const made = fc.tuple(
  paths,
  fc.array(fc.oneof({ weight: 3, arbitrary: others }, { weight: 1, arbitrary: tokens }), {
    minLength: 1,
    maxLength: 8,
  }),
)

/** What is left is what was beside the tokens, byte for byte. */
function keepsTheRest(take: Taker, [path, parameters]: [string, string[]]): boolean {
  const beside = parameters.filter(one => !isToken(one))
  const [, left] = take(`${path}?${parameters.join('&')}`)
  return left === (beside.length === 0 ? path : `${path}?${beside.join('&')}`)
}

/** One token is told as it stood there, several as none. */
function tellsTheToken(take: Taker, [path, parameters]: [string, string[]]): boolean {
  const [token] = take(`${path}?${parameters.join('&')}`)
  const [there, another] = parameters.filter(isToken)
  if (there === undefined || another !== undefined) return token === (another === undefined ? undefined : '')
  // Koa reads '+' as a space, which no token has.
  return token!.includes('+') || token === read(there)![1]
}

function findsNothingMore(take: Taker, url: string): boolean {
  const [, left] = take(url)
  const again = take(left)
  return again[0] === undefined && again[1] === left && tokenForKoa(left) === undefined
}

function tokenForKoa(url: string): unknown {
  try {
    return contextOf(url).query.token
  } catch {
    // Some texts are no address to Koa.
    return undefined
  }
}

test('B6: whatever stands beside a token stays byte for byte, and no token stays, in generated addresses.', t => {
  fc.assert(
    fc.property(made, given => keepsTheRest(taken, given)),
    { numRuns: RUNS },
  )
  t.pass()
})

test('B6: the token that is told is the one that Koa would read, in generated addresses.', t => {
  fc.assert(
    fc.property(made, given => tellsTheToken(taken, given)),
    { numRuns: RUNS },
  )
  t.pass()
})

test('B6: in any text at all nothing is left that Koa would read as a token.', t => {
  const any = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .array(fc.oneof(characters, tokens, fc.constantFrom('&', '?', '#', '&token=')), { maxLength: 20 })
      .map(one => `/${one.join('')}`),
  )
  fc.assert(
    fc.property(any, url => findsNothingMore(taken, url)),
    { numRuns: RUNS },
  )
  t.pass()
})

test('The control: takers that are careless fail each of these properties.', t => {
  const byPattern: Taker = url => [
    /[?&]token=([^&]*)/.exec(url)?.[1],
    url.replace(/([?&])token=[^&]*&?/g, '$1').replace(/[?&]$/, ''),
  ]
  const byParsing: Taker = url => {
    const [path, query = ''] = url.split('?')
    const parsed = new URLSearchParams(query)
    const token = parsed.get('token') ?? undefined
    parsed.delete('token')
    return [token, parsed.size === 0 ? path! : `${path}?${parsed}`]
  }
  const fails = <Given>(from: fc.Arbitrary<Given>, holds: (take: Taker, given: Given) => boolean, take: Taker) =>
    fc.check(
      fc.property(from, given => holds(take, given)),
      { numRuns: 10_000 },
    ).failed
  for (const careless of [byPattern, byParsing]) {
    t.true(fails(made, keepsTheRest, careless))
    t.true(fails(made, tellsTheToken, careless))
  }
  t.true(
    fails(
      made.map(([path, parameters]) => `${path}?${parameters.join('&')}`),
      findsNothingMore,
      byPattern,
    ),
  )
})

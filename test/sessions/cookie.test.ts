import type { IncomingMessage } from 'node:http'
import test from 'ava'
import { OptionInvalid, SessionCookieTooLarge } from '../../lib/errors.ts'
import { type CookieOptions, SessionCookie } from '../../lib/sessions/cookie.ts'

const make = (options?: CookieOptions) => new SessionCookie('test()', options)
const attributes = (line: string) => line.split('; ').slice(1).sort()

function inProduction<Answer>(run: () => Answer): Answer {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    return run()
  } finally {
    process.env.NODE_ENV = before
  }
}

test('C4: a cookie is HttpOnly, SameSite=Lax and of Path=/ by default.', t => {
  t.is(make().set('v', 60_000), 'sid=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax')
})

test('C4: in production it is Secure and carries __Host- too.', t => {
  const cookie = inProduction(() => make())
  t.is(cookie.name, '__Host-sid')
  t.is(cookie.set('v', 60_000), '__Host-sid=v; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax')
})

const named: [CookieOptions, string][] = [
  [{ secure: true }, '__Host-sid'],
  [{ secure: true, domain: 'example.com' }, '__Secure-sid'],
  [{ secure: true, path: '/app' }, '__Secure-sid'],
  [{ secure: true, name: 'id' }, '__Host-id'],
  [{ secure: false, domain: 'example.com' }, 'sid'],
  [{ secure: false, name: 'koa.sess' }, 'koa.sess'],
]

for (const [options, name] of named) {
  test(`C4: the cookie of ${JSON.stringify(options)} is named ${name}.`, t => t.is(make(options).name, name))
}

test('C4: every attribute that is asked for is sent.', t => {
  const line = make({
    name: 'id',
    domain: 'Shop.Example.com',
    path: '/app',
    secure: true,
    sameSite: 'none',
    partitioned: true,
  }).set('v', 1500)
  t.deepEqual(attributes(line), [
    'Domain=Shop.Example.com',
    'HttpOnly',
    'Max-Age=2',
    'Partitioned',
    'Path=/app',
    'SameSite=None',
    'Secure',
  ])
})

const contradictory: [CookieOptions, string][] = [
  [{ sameSite: 'none' }, 'cookie.sameSite'],
  [{ sameSite: 'none', secure: false }, 'cookie.sameSite'],
  [{ partitioned: true }, 'cookie.partitioned'],
  [{ partitioned: true, secure: false }, 'cookie.partitioned'],
  [{ name: '__Host-sid' }, 'cookie.name'],
  [{ name: '__host-sid', secure: true }, 'cookie.name'],
  [{ name: '__Secure-sid' }, 'cookie.name'],
  [{ name: '' }, 'cookie.name'],
  [{ name: 'a b' }, 'cookie.name'],
  [{ name: 'a=b' }, 'cookie.name'],
  [{ name: 'a;b' }, 'cookie.name'],
  [{ name: 'sid\r\nX: y' }, 'cookie.name'],
  [{ name: 'sïd' }, 'cookie.name'],
  [{ name: 'n'.repeat(129) }, 'cookie.name'],
  [{ name: 5 as unknown as string }, 'cookie.name'],
  [{ path: '' }, 'cookie.path'],
  [{ path: 'app' }, 'cookie.path'],
  [{ path: '/a;b' }, 'cookie.path'],
  [{ path: '/a\nb' }, 'cookie.path'],
  [{ path: '/é' }, 'cookie.path'],
  [{ secure: 'auto' as unknown as boolean }, 'cookie.secure'],
  [{ secure: 1 as unknown as boolean }, 'cookie.secure'],
  [{ sameSite: 'Lax' as 'lax' }, 'cookie.sameSite'],
  [{ sameSite: true as unknown as 'lax' }, 'cookie.sameSite'],
  [{ partitioned: 'yes' as unknown as boolean }, 'cookie.partitioned'],
]

for (const [options, option] of contradictory) {
  test(`C4: a cookie of ${JSON.stringify(options).slice(0, 60)} is an error at construction that names ${option}.`, t => {
    t.is(t.throws(() => make(options), { instanceOf: OptionInvalid }).option, option)
  })
}

for (const options of [
  {},
  { domain: 'example.com' },
  { secure: true },
  { secure: true, domain: 'example.com', path: '/x', sameSite: 'strict', partitioned: true },
] as CookieOptions[]) {
  test(`C5: clearing and signing anew keep every attribute of ${JSON.stringify(options)}.`, t => {
    const cookie = make(options)
    const set = attributes(cookie.set('v', 1000)).filter(one => !one.startsWith('Max-Age'))
    const cleared = attributes(cookie.clear()).filter(one => !/^(Max-Age|Expires)/.test(one))
    t.deepEqual(cleared, set)
    t.true(cookie.clear().startsWith(`${cookie.name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; `))
  })
}

test('C8: a cookie of 4,096 bytes is sent, and one byte more is an error that says so.', t => {
  const cookie = make()
  const rest = cookie.set('', 1000).length
  t.is(cookie.set('x'.repeat(4096 - rest), 1000).length, 4096)
  const error = t.throws(() => cookie.set('x'.repeat(4097 - rest), 1000), { instanceOf: SessionCookieTooLarge })
  t.is(error.code, 'SESSION_COOKIE_TOO_LARGE')
  t.regex(error.message, /4097 bytes/)
})

const refusedDomains = [
  'com',
  'co.uk',
  'CO.UK',
  'github.io',
  'foo.ck',
  'xn--55qx5d.cn',
  's3.amazonaws.com',
  'localhost',
  'intranet',
  '127.0.0.1',
  '10.1',
  '1.2.3',
  '0x7f.1',
  '::1',
  '[::1]',
  '.example.com',
  'example.com.',
  'example..com',
  'example.com:8080',
  'http://example.com',
  'example.com/',
  '*.example.com',
  'exämple.com',
  'exa mple.com',
  'example.com; Secure',
  'example.com\n',
  '-a.example.com',
  `${'a'.repeat(64)}.example.com`,
  '',
]

for (const domain of refusedDomains) {
  test(`C9: the domain ${JSON.stringify(domain).slice(0, 40)} is an error at construction.`, t => {
    t.is(t.throws(() => make({ domain }), { instanceOf: OptionInvalid }).option, 'cookie.domain')
  })
}

for (const domain of [null, 5, {}, ['example.com']]) {
  test(`C9: the domain ${JSON.stringify(domain)}, which is no text, is an error at construction.`, t => {
    const error = t.throws(() => make({ domain: domain as unknown as string }), { instanceOf: OptionInvalid })
    t.is(error.option, 'cookie.domain')
  })
}

for (const domain of ['example.com', 'example.co.uk', 'me.github.io', 'a.b.example.com', 'www.ck', 'example.test']) {
  test(`C9: the domain ${domain} is taken.`, t => t.is(make({ domain }).domain, domain))
}

test('C9: a domain covers itself and the hosts below it, whatever the letter case, and nothing else.', t => {
  const cookie = make({ domain: 'Example.com' })
  for (const host of ['example.com', 'www.example.com', 'A.B.EXAMPLE.COM']) t.true(cookie.covers(host), host)
  for (const host of ['', 'com', 'notexample.com', 'example.com.evil.test', '127.0.0.1']) {
    t.false(cookie.covers(host), host)
  }
  t.true(make().covers('anything.test'), 'a cookie without a domain is the host’s own')
})

const valuesIn = (header: string | undefined, options?: CookieOptions) =>
  make(options).valuesIn({ headers: { cookie: header } } as IncomingMessage)

const headers: [string | undefined, string[]][] = [
  [undefined, []],
  ['', []],
  ['sid', []],
  ['=sid', []],
  ['other=sid', []],
  ['xsid=1; sidx=2', []],
  ['SID=1', []],
  ['sid=', ['']],
  ['sid=1', ['1']],
  [' sid = 1 ', ['1']],
  ['sid=a=b', ['a=b']],
  ['a=1;sid=2;b=3', ['2']],
  ['sid=1; sid=1', ['1', '1']],
  ['sid=1, sid=2', ['1, sid=2']],
  ['a="sid=1; sid=2"', ['2"']],
]

for (const [header, values] of headers) {
  test(`C6: the header ${JSON.stringify(header)} holds ${values.length} cookies of the name.`, t => {
    t.deepEqual(valuesIn(header), values)
  })
}

test('A name with a prefix is looked for with it.', t => {
  t.deepEqual(valuesIn('sid=1; __Host-sid=2', { secure: true }), ['2'])
  t.deepEqual(valuesIn('sid=1; __Host-sid=2', { secure: false }), ['1'])
})

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Middleware } from 'koa'
import { OptionInvalid } from 'koa-strata'
import { trustedProxies } from 'koa-strata/sharing'
import { makeCertificate } from '../servers/certificate.ts'
import { PROXY, STRANGER, startBehind, type Taken, Wire } from './trusted-proxies-app.ts'

const HOST = 'Host: www.example'
const MANY = 3000

/** What X-Forwarded-For says line by line, and whom the app takes for the client, and the listed ones behind it. The app's peer is PROXY. */
const CHAINS: [what: string, lines: string[], ips: string[]][] = [
  ['one client', ['203.0.113.7'], ['203.0.113.7']],
  ['what the client claims before it', ['198.51.100.1, 203.0.113.7'], ['203.0.113.7']],
  ['a claim that is a listed address', ['10.0.0.9, 203.0.113.7'], ['203.0.113.7']],
  ['a claim in a line of its own', ['198.51.100.1', '203.0.113.7'], ['203.0.113.7']],
  ['claims in three lines', ['198.51.100.1, 10.0.0.1', '198.51.100.2', '203.0.113.7'], ['203.0.113.7']],
  ['a listed proxy between', ['203.0.113.7, 10.0.0.1'], ['203.0.113.7', '10.0.0.1']],
  ['a claim, and a listed proxy between', ['198.51.100.1, 203.0.113.7, 10.0.0.1'], ['203.0.113.7', '10.0.0.1']],
  [
    'two listed proxies, line by line',
    ['203.0.113.7', '10.0.0.1', '10.0.0.2'],
    ['203.0.113.7', '10.0.0.1', '10.0.0.2'],
  ],
  ['a proxy between that is not listed', ['203.0.113.7, 192.0.2.5'], ['192.0.2.5']],
  ['a listed proxy beyond one that is not', ['203.0.113.7, 10.0.0.1, 192.0.2.5'], ['192.0.2.5']],
  ['listed ones alone', ['10.0.0.2, 10.0.0.1'], ['10.0.0.2', '10.0.0.1']],
  ['no spaces', ['198.51.100.1,203.0.113.7,10.0.0.1'], ['203.0.113.7', '10.0.0.1']],
  ['many spaces and tabs', ['  198.51.100.1 ,\t 203.0.113.7  ,  10.0.0.1\t'], ['203.0.113.7', '10.0.0.1']],
  ['IPv6', ['2001:db8::7'], ['2001:db8::7']],
  ['IPv6 behind listed IPv6', ['2001:db8::1, 2001:db8::7, fd00::1'], ['2001:db8::7', 'fd00::1']],
  ['a listed address mapped into IPv6', ['203.0.113.7, ::ffff:10.0.0.1'], ['203.0.113.7', '::ffff:10.0.0.1']],
  ['another address mapped into IPv6', ['10.0.0.1, ::ffff:203.0.113.7'], ['::ffff:203.0.113.7']],
  ['an address with a port', ['203.0.113.7:5678'], ['203.0.113.7']],
  ['IPv6 in brackets', ['[2001:db8::7]'], ['2001:db8::7']],
  ['IPv6 with a port', ['[2001:db8::7]:443'], ['2001:db8::7']],
  ['listed ones with ports', ['203.0.113.7:1, [fd00::1]:443, 10.0.0.1:80'], ['203.0.113.7', 'fd00::1', '10.0.0.1']],
  ['nothing', [''], []],
  ['a comma', [','], []],
  ['a comma at the end', ['203.0.113.7,'], []],
  ['a comma before a listed one', ['203.0.113.7, , 10.0.0.1'], ['10.0.0.1']],
  ['unknown', ['unknown'], []],
  ['a claim before unknown', ['203.0.113.7, unknown'], []],
  ['unknown before a listed one', ['203.0.113.7, unknown, 10.0.0.1'], ['10.0.0.1']],
  ['a hidden one (RFC 7239 §6.3)', ['_secret'], []],
  ['a name', ['localhost'], []],
  ['an address in quotes', ['"203.0.113.7"'], []],
  ['a number above 255', ['203.0.113.256'], []],
  ['an octal number', ['0203.0.113.7'], []],
  ['a short form', ['127.1'], []],
  ['a number', ['2130706433'], []],
  ['a network', ['203.0.113.0/24'], []],
  ['a port without an address', [':80'], []],
  ['a port that is none', ['203.0.113.7:http'], []],
  ['IPv6 with a port and no brackets', ['[2001:db8::7:443'], []],
  ['two addresses in one', ['203.0.113.7 10.0.0.1'], []],
  ['markup', ['<script>alert(1)</script>'], []],
  ['a prototype', ['__proto__'], []],
  ['bytes that are not ASCII', ['203.0.113.\xb7'], []],
  [`${MANY} claims`, [`${'10.1,'.repeat(MANY)}203.0.113.7`], ['203.0.113.7']],
]

for (const [what, lines, ips] of CHAINS) {
  test(`X2: X-Forwarded-For from a listed proxy, with ${what}: ${ips.join(' by way of ') || 'the proxy itself'}.`, async t => {
    const { port } = await startBehind(t)
    const { taken } = await new Wire(t, port).send({ lines: [HOST, ...lines.map(line => `X-Forwarded-For: ${line}`)] })
    t.is(taken.ip, ips[0] ?? PROXY)
    t.deepEqual(taken.ips, ips)
    t.is(taken.forwarded['x-forwarded-for'], ips.length > 0 ? ips.join(', ') : undefined)
  })
}

test('X2: ten thousand claims before the client change nothing, where a server takes so long a head.', async t => {
  const app = await startBehind(t)
  const server = http.createServer({ maxHeaderSize: 1_000_000 }, app.koa.callback()).listen(0, PROXY)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const claims = `${Array.from({ length: 10_000 }, () => '10.0.0.1').join(', ')}, 203.0.113.7`
  const wire = new Wire(t, (server.address() as AddressInfo).port)
  const { taken } = await wire.send({ lines: [HOST, `X-Forwarded-For: ${claims}`] })
  t.deepEqual(taken.ips, ['203.0.113.7'])
})

/** What the proxies say of the scheme or the host beside X-Forwarded-For, and which of it counts: '' for none. */
const SAID: [what: string, chain: string, said: string[], counts: string][] = [
  ['a proxy that replaces', '203.0.113.7', ['ours'], 'ours'],
  ['a proxy that adds to a claim', '203.0.113.7', ['claim, ours'], 'ours'],
  ['a proxy that adds to two claims', '203.0.113.7', ['claim, claim, ours'], 'ours'],
  ['a proxy that adds a line', '203.0.113.7', ['claim', 'ours'], 'ours'],
  ['a proxy that says nothing', '203.0.113.7', [], ''],
  ['a proxy that says it is empty', '203.0.113.7', [''], ''],
  ['a proxy that adds nothing', '203.0.113.7', ['claim,'], ''],
  ['two proxies that replace', '203.0.113.7, 10.0.0.1', ['ours'], 'ours'],
  ['two proxies that add', '203.0.113.7, 10.0.0.1', ['ours, inner'], 'ours'],
  ['two proxies that add to a claim', '203.0.113.7, 10.0.0.1', ['claim, ours, inner'], 'ours'],
  [
    'two proxies that add to a claim, with claimed proxies',
    '10.0.0.3, 203.0.113.7, 10.0.0.1',
    ['claim, ours, inner'],
    'ours',
  ],
  ['three proxies of which the last but one replaces', '203.0.113.7, 10.0.0.2, 10.0.0.1', ['ours, inner'], 'ours'],
  ['a client that claims proxies', '10.0.0.2, 10.0.0.1, 203.0.113.7', ['claim, claim, ours'], 'ours'],
  ['a proxy that does not know its client', 'unknown', ['claim, ours'], 'ours'],
  ['a proxy behind one that does not know its client', 'unknown, 10.0.0.1', ['claim, ours, inner'], 'ours'],
  ['a proxy that does not say who asks', '', ['claim, ours'], 'ours'],
]

const FIELDS: Record<
  string,
  { names: Record<string, string>; none: Partial<Taken>; of(value: string): Partial<Taken> }
> = {
  'X-Forwarded-Proto': {
    names: { ours: 'https', claim: 'javascript', inner: 'http' },
    of: value => ({ protocol: value, secure: value === 'https' }),
    none: { protocol: 'http', secure: false },
  },
  'X-Forwarded-Host': {
    names: { ours: 'www.shop.example:8443', claim: 'evil.example', inner: 'inner.example' },
    of: value => ({ host: value, hostname: 'www.shop.example', urlHost: value }),
    none: { host: 'www.example', urlHost: 'www.example' },
  },
}

for (const [field, { names, of, none }] of Object.entries(FIELDS)) {
  for (const [what, chain, said, counts] of SAID) {
    test(`X2: ${field} of ${what} (${said.join(' | ')}): ${counts || 'none'}.`, async t => {
      const { port } = await startBehind(t)
      const named = said.map(line => `${field}: ${line.replace(/\w+/g, name => names[name]!)}`)
      const { taken } = await new Wire(t, port).send({ lines: [HOST, `X-Forwarded-For: ${chain}`, ...named] })
      t.like(taken, counts === '' ? none : of(names[counts]!))
    })
  }
}

const SCHEMES: [said: string, protocol: string][] = [
  ['HTTPS', 'https'],
  ['Http', 'http'],
  ['https,http', 'http'],
  ['http,https', 'https'],
  ['javascript', 'http'],
  ['https://', 'http'],
  ['wss', 'http'],
  ['on', 'http'],
  ['https;', 'http'],
  ['"https"', 'http'],
  ['http\xa0', 'http'],
  ['https https', 'http'],
]
for (const [said, protocol] of SCHEMES) {
  test(`X2: X-Forwarded-Proto ${JSON.stringify(said)} of one proxy is ${protocol}.`, async t => {
    const { port } = await startBehind(t)
    const { taken } = await new Wire(t, port).send({ lines: [HOST, `X-Forwarded-Proto: ${said}`] })
    t.like(taken, { protocol, secure: protocol === 'https', href: `${protocol}://www.example/x` })
  })
}

/** All that a client can say about itself. */
const CLAIMS = [
  'X-Forwarded-For: 203.0.113.7',
  'x-forwarded-FOR: 10.0.0.1',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Port: 443',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Server: evil.example',
  'Forwarded: for=203.0.113.7;proto=https;host=evil.example',
]
const PLAIN = {
  protocol: 'http',
  secure: false,
  host: 'www.example',
  hostname: 'www.example',
  href: 'http://www.example/x',
  urlHost: 'www.example',
  ips: [],
  forwarded: {},
}

test('X2: whatever a peer that is not listed says about forwarding is dropped.', async t => {
  const { port } = await startBehind(t)
  const { taken } = await new Wire(t, port, STRANGER).send({ lines: [HOST, ...CLAIMS] })
  t.deepEqual(taken, { ip: STRANGER, ...PLAIN })
})

test('X2: the control: with app.proxy alone whoever connects is believed.', async t => {
  const { port } = await startBehind(t, { proxies: null })
  const { taken } = await new Wire(t, port, STRANGER).send({ lines: [HOST, ...CLAIMS] })
  t.like(taken, { ip: '203.0.113.7', protocol: 'https', secure: true, host: 'evil.example' })
})

test('X2: a peer that is not listed is secure where its connection is TLS, and there alone.', async t => {
  const { koa } = await startBehind(t)
  const { certificate, key } = await makeCertificate()
  const server = https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, koa.callback())
  await once(server.listen(0, PROXY), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const headers = { 'x-forwarded-proto': 'http', 'x-forwarded-for': '203.0.113.7' }
  const ca = readFileSync(certificate)
  for (const [localAddress, ip] of [
    [STRANGER, STRANGER],
    [PROXY, '203.0.113.7'],
  ] as const) {
    const [response] = await once(https.get({ host: PROXY, port, localAddress, ca, headers, agent: false }), 'response')
    const taken = JSON.parse(Buffer.concat(await response.toArray()).toString())
    t.like(taken, { ip, protocol: 'https', secure: true })
  }
})

for (const [proxies, ip] of [
  [['unix'], '203.0.113.7'],
  [['127.0.0.1', '0.0.0.0/0', '::/0'], ''],
] as const) {
  test(`X2: who connects to a Unix socket is ${ip ? '' : 'not '}believed with ${proxies.join(' and ')} listed.`, async t => {
    const { koa } = await startBehind(t, { proxies })
    const folder = await mkdtemp(join(tmpdir(), 'proxies-'))
    const path = join(folder, 'socket')
    const server = koa.listen(path)
    await once(server, 'listening')
    t.teardown(async () => {
      server.close()
      await rm(folder, { recursive: true })
    })
    const lines = [HOST, 'X-Forwarded-For: 198.51.100.1, 203.0.113.7', 'X-Forwarded-Proto: https']
    const { taken } = await new Wire(t, path).send({ lines })
    t.like(taken, { ip, protocol: ip ? 'https' : 'http' })
  })
}

test('X2: the header that app.proxyIpHeader names is read in place of X-Forwarded-For.', async t => {
  const { koa, port } = await startBehind(t)
  koa.proxyIpHeader = 'X-Real-IP'
  const lines = [HOST, 'X-Real-IP: 203.0.113.7', 'X-Forwarded-For: 198.51.100.1', 'X-Forwarded-Proto: claim, https']
  t.like((await new Wire(t, port).send({ lines })).taken, {
    ip: '203.0.113.7',
    ips: ['203.0.113.7'],
    protocol: 'https',
  })
  const { taken } = await new Wire(t, port, STRANGER).send({ lines })
  t.deepEqual(taken, { ip: STRANGER, ...PLAIN })
})

test('X2: app.maxIpsCount shortens ctx.ips, and leaves the client who it is.', async t => {
  const { koa, port } = await startBehind(t)
  koa.maxIpsCount = 1
  const lines = [HOST, 'X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.0.0.1']
  t.like((await new Wire(t, port).send({ lines })).taken, { ip: '203.0.113.7', ips: ['10.0.0.1'] })
})

test('X2: what was asked for before it is not remembered.', async t => {
  const asked: string[] = []
  const ask: Middleware = (ctx, next) => {
    asked.push(ctx.ip)
    return next()
  }
  const { port } = await startBehind(t, { before: [ask] })
  const lines = [HOST, 'X-Forwarded-For: 198.51.100.1, 203.0.113.7']
  t.is((await new Wire(t, port).send({ lines })).taken.ip, '203.0.113.7')
  t.deepEqual(asked, ['198.51.100.1'])
})

test('X2: without app.proxy the first request says what to set.', async t => {
  const { koa, port, errors } = await startBehind(t)
  koa.proxy = false
  t.is((await new Wire(t, port).send({})).status, 500)
  t.true(errors[0] instanceof OptionInvalid)
  t.regex(errors[0]!.message, /app\.proxy.*must be true/)
})

const WRONG: [what: string, proxies: unknown, options: unknown, option: string][] = [
  ['no list', undefined, {}, 'proxies'],
  ['an empty list', [], {}, 'proxies'],
  ['a name', ['localhost'], {}, 'proxies[0]'],
  ['a text', '10.0.0.0/8', {}, 'proxies'],
  ['an unknown option', ['::1'], { host: ['www.example'] }, 'host'],
  ['no host', ['::1'], { hosts: [] }, 'hosts'],
  ['hosts as a text', ['::1'], { hosts: 'www.example' }, 'hosts'],
  ['a host with a port', ['::1'], { hosts: ['www.example', 'www.example:443'] }, 'hosts[1]'],
  ['an address with a port', ['::1'], { hosts: ['[::1]:443'] }, 'hosts[0]'],
  ['an origin', ['::1'], { hosts: ['https://www.example'] }, 'hosts[0]'],
  ['a star alone', ['::1'], { hosts: ['*'] }, 'hosts[0]'],
  ['a star in the middle', ['::1'], { hosts: ['www.*.example'] }, 'hosts[0]'],
  ['a star without a dot', ['::1'], { hosts: ['*example'] }, 'hosts[0]'],
  ['a domain with a dot before it', ['::1'], { hosts: ['.example'] }, 'hosts[0]'],
  ['a name that is not ASCII', ['::1'], { hosts: ['bücher.example'] }, 'hosts[0]'],
  ['an empty host', ['::1'], { hosts: [''] }, 'hosts[0]'],
  ['a host with a space', ['::1'], { hosts: [' www.example'] }, 'hosts[0]'],
  ['a host that is no text', ['::1'], { hosts: [null] }, 'hosts[0]'],
]
for (const [what, proxies, options, option] of WRONG) {
  test(`trustedProxies() with ${what} is an OptionInvalid that names ${option}.`, t => {
    const error = t.throws(() => trustedProxies(proxies as string[], options as object), { instanceOf: OptionInvalid })
    t.is(error.option, option)
  })
}

test('trustedProxies() leaves what it was given as it was, and does not look at it again.', async t => {
  const [proxies, hosts] = [[PROXY], ['www.example']]
  const { port } = await startBehind(t, { proxies, hosts })
  t.deepEqual([proxies, hosts], [[PROXY], ['www.example']])
  proxies.push(STRANGER)
  hosts.push('evil.example')
  const wire = new Wire(t, port, STRANGER)
  t.is((await wire.send({ lines: [HOST, 'X-Forwarded-For: 203.0.113.7'] })).taken.ip, STRANGER)
  t.is((await wire.send({ lines: ['Host: evil.example'] })).status, 421)
})

import { once } from 'node:events'
import http2, { type IncomingHttpStatusHeader, type OutgoingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { Middleware } from 'koa'
import { HostInvalid, HostUnknown } from 'koa-strata'
import { PROXY, type Sent, STRANGER, startBehind, Wire } from './trusted-proxies-app.ts'

/** What names no host, in whatever header it comes. */
const NO_HOSTS = [
  'a.com/x',
  'a.com?x',
  'a.com#x',
  'a b',
  'a\tb',
  'user@host',
  'user:pw@host',
  'www.example@evil.example',
  'a, b',
  'a,b',
  '[::1',
  '::1',
  '[::1]x',
  '[fe80::1%eth0]',
  '[]',
  '[::g]',
  'a..b',
  '.a',
  '-:',
  'a:',
  'a:b',
  'a:99999',
  'a:1:2',
  ':80',
  '/',
  'http://a',
  'a\\b',
  'a%2eb',
  '<script>',
  '"a"',
  "a'b",
  'a;b',
  '*',
  'b\xfccher.example',
  '999.999.999.999',
  `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.example`,
]

for (const said of NO_HOSTS) {
  test(`X2: ${JSON.stringify(said.slice(0, 40))} names no host: 400.`, async t => {
    const { port } = await startBehind(t)
    const heads = [[`Host: ${said}`]]
    // There a comma parts what two proxies have said.
    if (!said.includes(',')) heads.push(['Host: www.example', `X-Forwarded-Host: ${said}`])
    for (const lines of heads) t.is((await new Wire(t, port).send({ lines })).status, 400)
  })
}

const REFUSED: [what: string, sent: Sent][] = [
  ['an empty Host', { lines: ['Host:'] }],
  ['a Host of spaces', { lines: ['Host:   '] }],
  ['no Host', { lines: [] }],
  ['no Host in HTTP/1.0', { version: '1.0', lines: [] }],
  ['two lines of Host', { lines: ['Host: www.example', 'Host: evil.example'] }],
  ['two lines of Host that say the same', { lines: ['Host: www.example', 'host: www.example'] }],
  ['NUL in Host', { lines: ['Host: www.example\0'] }],
  ['a line break in Host', { lines: ['Host: www.example\r evil'] }],
  ['a control character in Host', { lines: ['Host: www\x01.example'] }],
  ['a target without a host', { target: 'http:///evil.example/x' }],
  ['a target with userinfo', { target: 'http://www.example@evil.example/' }],
  ['a target with an open bracket', { target: 'http://[::1/x' }],
  ['a target with a backslash', { target: 'http://www.example\\@evil.example/' }],
  ['a target that goes on after a star', { target: '*.evil.example/x' }],
  ['a target that makes the host userinfo', { target: '*@evil.example/x' }],
  ['a target that makes the host a user and a port', { target: '*:80@evil.example/x' }],
  ['a target of another scheme, which would lengthen the host', { target: 'm://www.example/x' }],
  ['a target that is a host', { target: 'evil.example/x' }],
]

for (const [what, sent] of REFUSED) {
  test(`X2: ${what}: 400.`, async t => {
    const { port } = await startBehind(t)
    for (const from of [PROXY, STRANGER]) t.is((await new Wire(t, port, from).send(sent)).status, 400)
  })
}

test('X2: the control: without it, targets and an empty Host put another host into addresses.', async t => {
  const { port } = await startBehind(t, { proxies: null })
  const wire = new Wire(t, port)
  const hostOf = async (sent: Sent) => (await wire.send(sent)).taken.urlHost
  t.is(await hostOf({ target: '*@evil.example/x' }), 'evil.example')
  t.is(await hostOf({ target: 'm://www.example.co/x', lines: ['Host: www.example.co'] }), 'www.example.com')
  t.is(await hostOf({ target: '/evil.example/x', lines: ['Host:'] }), 'evil.example')
  t.is(await hostOf({ target: 'http://evil.example/x' }), 'evil.example')
})

const HOSTS = ['www.example', '*.shop.example', '192.0.2.1', '[2001:db8::1]', 'xn--bcher-kva.example', 'Dot.Example.']

const ASKED: [host: string, isOurs: boolean][] = [
  ['www.example', true],
  ['WWW.Example', true],
  ['www.example:8443', true],
  ['www.example.', true],
  ['www.example.:443', true],
  ['www.example..', false],
  ['example', false],
  ['a.www.example', false],
  ['wwwxexample', false],
  ['www.example.evil.test', false],
  ['evilwww.example', false],
  ['a.shop.example', true],
  ['a.b.SHOP.example:80', true],
  ['a.shop.example.', true],
  ['shop.example', false],
  ['evilshop.example', false],
  ['-.shop.example', true],
  ['a.shop.example.evil.test', false],
  ['192.0.2.1', true],
  ['192.0.2.1:80', true],
  ['192.0.2.10', false],
  ['0xc0.0.2.1', false],
  ['3221225985', false],
  ['[2001:db8::1]', true],
  ['[2001:DB8::1]:80', true],
  ['[2001:db8::2]', false],
  ['xn--bcher-kva.example', true],
  ['XN--BCHER-KVA.EXAMPLE', true],
  ['xn--bcher-kvb.example', false],
  ['dot.example', true],
  ['DOT.example.', true],
]

for (const [host, isOurs] of ASKED) {
  test(`X2: of ${HOSTS.join(', ')}, ${host} is ${isOurs ? 'one' : 'none'}.`, async t => {
    const { port } = await startBehind(t, { hosts: HOSTS })
    const wire = new Wire(t, port)
    const forwarded = ['Host: www.example', `X-Forwarded-Host: ${host}`]
    const sent: Sent[] = [{ lines: [`Host: ${host}`] }, { lines: forwarded }, { target: `http://${host}/x` }]
    for (const one of sent) {
      const got = await wire.send(one)
      if (isOurs) t.is(new URL(got.taken.href).host, new URL(`http://${host}`).host)
      // That dot is no name's.
      else t.is(got.status, host.endsWith('..') ? 400 : 421)
    }
  })
}

test('X2: the forwarded host of a stranger does not count, and the host that it asks does.', async t => {
  const { port } = await startBehind(t, { hosts: HOSTS })
  const wire = new Wire(t, port, STRANGER)
  const ours = await wire.send({ lines: ['Host: www.example', 'X-Forwarded-Host: evil.example'] })
  t.is(ours.taken.host, 'www.example')
  t.is((await wire.send({ lines: ['Host: evil.example', 'X-Forwarded-Host: www.example'] })).status, 421)
})

test('X2: in HTTP/2 it is :authority that counts, and what a proxy says in its place.', async t => {
  const { koa } = await startBehind(t, { hosts: HOSTS })
  const server = http2.createServer(koa.callback()).listen(0, PROXY)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = http2.connect(`http://${PROXY}:${port}`)
  t.teardown(() => {
    client.close()
    server.close()
  })
  const statusOf = async (authority: string, path = '/x', more: OutgoingHttpHeaders = {}) => {
    const request = client.request({ ':authority': authority, ':path': path, ...more }).resume()
    const [headers] = (await once(request, 'response')) as [IncomingHttpStatusHeader]
    return headers[':status']
  }
  t.is(await statusOf('www.example'), 200)
  t.is(await statusOf('evil.example'), 421)
  t.is(await statusOf('evil.example', '/x', { host: 'www.example' }), 421)
  t.is(await statusOf('app.internal', '/x', { 'x-forwarded-host': 'www.example' }), 200)
})

test('X2: the whole server may be asked (OPTIONS *).', async t => {
  const { port } = await startBehind(t, { hosts: HOSTS })
  t.is((await new Wire(t, port).send({ method: 'OPTIONS', target: '*' })).taken.host, 'www.example')
})

test('X2: what is refused is told as what it is, without what was sent.', async t => {
  const errors: unknown[] = []
  const keep: Middleware = async (_ctx, next) => {
    await next().catch(error => {
      errors.push(error)
      throw error
    })
  }
  const { port } = await startBehind(t, { hosts: HOSTS, before: [keep] })
  const wire = new Wire(t, port)
  const invalid = await wire.send({ lines: ['Host: evil/x'] })
  const unknown = await wire.send({ lines: ['Host: www.example', 'X-Forwarded-Host: evil.example'] })
  t.true(errors[0] instanceof HostInvalid && errors[0].code === 'HOST_INVALID' && errors[0].where === 'Host')
  t.true(
    errors[1] instanceof HostUnknown && errors[1].code === 'HOST_UNKNOWN' && errors[1].where === 'X-Forwarded-Host',
  )
  t.deepEqual([invalid.status, unknown.status], [400, 421])
  for (const { text } of [invalid, unknown]) t.regex(text, /^(?!.*evil).*host/)
})

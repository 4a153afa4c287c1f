import { isIP } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { LONG, scaled } from '../scale.ts'
import { type BehindOptions, PROXY, type Sent, STRANGER, startBehind, type Taken, Wire } from './trusted-proxies-app.ts'

const HOSTS = ['www.example', '*.shop.example', '127.0.0.1']

/** Characters as they stand for the bytes that Node takes in a field. */
const fieldText = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)), {
    maxLength: 12,
  })
  .map(codes => String.fromCharCode(...codes))
const port = fc.oneof({ weight: 4, arbitrary: fc.constant('') }, fc.constantFrom(':80', ':65535', ':0', ':', ':x'))
const address = fc.oneof(
  fc.constantFrom('10.0.0.1', '10.255.1.2', 'fd00::1', '127.0.0.1', '::ffff:10.0.0.1', 'fd00::1%eth0'),
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV6().map(text => `[${text}]`),
)
const hop = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(address, port).map(parts => parts.join('')) },
  fc.constantFrom('unknown', '_hidden', '', 'localhost', '0x7f.1', '010.0.0.1', '[', '__proto__'),
  fieldText,
)
const scheme = fc.oneof(fc.constantFrom('http', 'https', 'HTTPS', 'javascript', 'file', 'wss', ''), fieldText)
const name = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('www.example', 'WWW.example', 'a.shop.example', '127.0.0.1', 'www.example.'),
  },
  fc.constantFrom('evil.example', 'shop.example', 'evilshop.example', 'www.example@evil.example', 'evil.example/x', ''),
  fieldText,
)
const host = fc.tuple(name, port).map(parts => parts.join(''))
const target = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('/', '/x?y', '//evil.example/', '/evil.example', '*') },
  fc
    .tuple(fc.constantFrom('http://', 'https://', 'm://', '*', '*@', '*.', 'http:', '/'), name)
    .map(parts => parts.join('')),
  fieldText.map(text => `/${text.replace(/\s/g, '')}`),
)

const listOf = (entry: fc.Arbitrary<string>) =>
  fc.tuple(fc.array(entry, { maxLength: 5 }), fc.constantFrom(', ', ',', ' ,\t')).map(([all, comma]) => all.join(comma))
const field = (names: string[], value: fc.Arbitrary<string>) => fc.tuple(fc.constantFrom(...names), value)
const fields = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: field(['X-Forwarded-For', 'x-forwarded-for'], listOf(hop)) },
    { weight: 2, arbitrary: field(['X-Forwarded-Proto', 'X-FORWARDED-PROTO'], listOf(scheme)) },
    { weight: 2, arbitrary: field(['X-Forwarded-Host', 'X-forwarded-host'], listOf(host)) },
    field(['X-Forwarded-Port', 'Forwarded', 'X-Real-IP', 'X_Forwarded_For', 'X-Forwarded-Proto2'], fieldText),
  ),
  { maxLength: 5 },
)
const hostLines = fc.oneof(
  { weight: 6, arbitrary: fc.constant([['Host', 'www.example'] as [string, string]]) },
  fc.array(field(['Host', 'host'], host), { maxLength: 2 }),
)
const requests = fc.record({ from: fc.constantFrom(PROXY, PROXY, STRANGER), target, hostLines, fields })
type Request = typeof requests extends fc.Arbitrary<infer T> ? T : never

function isOurs(said: string): boolean {
  const bare = said.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
  return ['www.example', '127.0.0.1'].includes(bare) || /^[\w-]+(\.[\w-]+)*\.shop\.example$/.test(bare)
}

/** Whether somebody may believe this address: it is the peer's, or it was said, and listed proxies alone stand behind it. */
function isVouchedFor({ ip }: Taken, { from, fields }: Request): boolean {
  if (ip === from) return true
  const said = fields.flatMap(([name, value]) => (name.toLowerCase() === 'x-forwarded-for' ? value.split(',') : []))
  const bare = said.map(entry => entry.trim().replace(/^\[(.*)\](:\d+)?$/, '$1'))
  const at = bare.findLastIndex(entry => entry === ip || entry.replace(/:\d+$/, '') === ip)
  const isListed = (entry: string) => /^(::ffff:)?(10\.|127\.0\.0\.1)|^f[cd]/i.test(entry)
  return from === PROXY && isIP(ip) !== 0 && at >= 0 && bare.slice(at + 1).every(isListed)
}

function isRight(taken: Taken, request: Request): boolean {
  const { protocol, secure, href, urlHost } = taken
  if (!isVouchedFor(taken, request) || !isOurs(taken.host)) return false
  if (secure !== (protocol === 'https') || !['http', request.from === PROXY ? 'https' : 'http'].includes(protocol))
    return false
  // The whole server has no address: Koa writes the star behind the host.
  if (request.target === '*') return true
  return isOurs(urlHost) && isOurs(new URL(href).host)
}

/** Sends generated requests until one is taken for what it is not, and answers that, and how many were answered how. */
async function search(t: ExecutionContext, numRuns: number, options: BehindOptions) {
  const app = await startBehind(t, options)
  const wires = { [PROXY]: new Wire(t, app.port), [STRANGER]: new Wire(t, app.port, STRANGER) }
  const statuses = new Map<number, number>()
  const property = fc.asyncProperty(requests, async request => {
    const lines = [...request.hostLines, ...request.fields].map(([name, value]) => `${name}: ${value}`)
    const sent: Sent = { target: request.target, lines }
    const got = await wires[request.from]!.send(sent)
    statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1)
    return got.status === 200 ? isRight(got.taken, request) : [400, 421].includes(got.status)
  })
  return { found: await fc.check(property, { numRuns, endOnFailure: true }), statuses }
}

test('X2: whatever stands in the head of a request, the client is one that proxies vouch for, and the host is ours.', async t => {
  t.timeout(LONG)
  const { found, statuses } = await search(t, scaled(50_000), { hosts: HOSTS })
  t.false(found.failed, JSON.stringify(found.counterexample))
  t.log(Object.fromEntries(statuses))
  // Most are no mere refusals.
  t.true(statuses.get(200)! > scaled(50_000) / 4 && statuses.get(400)! > 0 && statuses.get(421)! > 0)
})

test('X2: the control: the same finds what app.proxy alone believes.', async t => {
  const { found } = await search(t, scaled(50_000), { proxies: null })
  t.true(found.failed)
})

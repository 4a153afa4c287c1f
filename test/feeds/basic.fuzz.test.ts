import type { IncomingMessage } from 'node:http'
import test from 'ava'
import fc from 'fast-check'
import { readBasic } from '../../lib/feeds/basic.ts'
import { scaled } from '../scale.ts'
import { basic, jobsFeed } from './people.ts'
import { rawRequest } from './raw.ts'

/** How many headers each property reads: 70,000 in all in `npm test`, ten times as many in a soak. */
const RUNS = scaled(175_000)
/** How many of them go over a connection of their own. */
const REQUESTS = scaled(10_000)

type Reader = (request: IncomingMessage) => { username: string; password: string } | null

function readWith(reader: Reader, header: string) {
  return reader({
    rawHeaders: ['Authorization', header],
    headers: { authorization: header },
  } as unknown as IncomingMessage)
}

/** The text as Node shows the bytes of a header. */
const asBytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

const RIGHT = { username: 'Aladdin', password: 'open sesame' }
const RIGHT_TOKEN = 'QWxhZGRpbjpvcGVuIHNlc2FtZQ'

/** What a right header for these credentials must look like, told without decoding: scheme, spaces, the one token, its padding or less. */
function isRight(header: string): boolean {
  return new RegExp(`^basic {1,}${RIGHT_TOKEN}={0,2} *$`, 'i').test(header) && header.includes(RIGHT_TOKEN)
}

const schemes = fc.constantFrom(
  'Basic',
  'basic',
  'BASIC',
  'Basic ',
  'Bearer',
  'Digest',
  'Basıc',
  '',
  'Basic\t',
  'Basic,',
)
const bytes = fc.uint8Array({ maxLength: 64 }).map(one => Buffer.from(one))
const credentials = fc.record({ username: fc.string({ unit: 'binary' }), password: fc.string({ unit: 'binary' }) })
const texts = fc.oneof(
  bytes.map(one => one.toString('latin1')),
  fc.string({ unit: 'binary', maxLength: 64 }).map(asBytes),
  fc.string({ maxLength: 64 }),
)
const tokens = fc.oneof(
  bytes.map(one => one.toString('base64')),
  bytes.map(one => one.toString('base64url')),
  fc.string({ unit: 'binary', maxLength: 32 }).map(one => Buffer.from(`a:${one}`).toString('base64')),
  texts,
)
const headers = fc.oneof(
  texts,
  fc
    .tuple(schemes, fc.constantFrom('', ' ', '   '), tokens, fc.constantFrom('', ' ', '=', '==', ', x', ' x'))
    .map(parts => parts.join('')),
)

/** A right header with a few places of it changed. */
const mutations = fc
  .array(
    fc.record({
      at: fc.nat({ max: 40 }),
      cut: fc.nat({ max: 2 }),
      add: fc.oneof(
        fc.constant(''),
        fc.string({ maxLength: 2 }),
        fc.constantFrom(' ', '=', 'A', 'Q', '\0', '\t', '☃').map(asBytes),
      ),
    }),
    { maxLength: 3 },
  )
  .map(changes =>
    changes.reduce(
      (header, { at, cut, add }) => header.slice(0, at) + add + header.slice(at + cut),
      `Basic ${RIGHT_TOKEN}==`,
    ),
  )

const CONTROLS = /\p{Cc}/u

/** Whatever is read can be written again: as UTF-8 or Latin-1, it is the very token of the header. */
function readsWhatIsThere(reader: Reader, header: string): boolean {
  const found = readWith(reader, header)
  if (found === null) return true
  const { username, password } = found
  if (username.includes(':') || CONTROLS.test(username + password)) return false
  const token = header.trim().split(' ').at(-1)!.replace(/=+$/, '')
  return (['utf8', 'latin1'] as const).some(encoding => {
    const written = Buffer.from(`${username}:${password}`, encoding).toString('base64').replace(/=+$/, '')
    return written === token
  })
}

function letsInOnlyTheRight(reader: Reader, header: string): boolean {
  const found = readWith(reader, header)
  const isIn = found?.username === RIGHT.username && found.password === RIGHT.password
  return isIn === isRight(header)
}

test('B2: readBasic never throws, and reads nothing that is not in the header, whatever is in it', t => {
  fc.assert(
    fc.property(headers, header => readsWhatIsThere(readBasic, header)),
    { numRuns: RUNS },
  )
  t.pass()
})

test('B2: readBasic reads the right credentials from right headers alone, out of many that are nearly right', t => {
  let right = 0
  fc.assert(
    fc.property(mutations, header => {
      if (isRight(header)) right++
      return readsWhatIsThere(readBasic, header) && letsInOnlyTheRight(readBasic, header)
    }),
    { numRuns: RUNS },
  )
  // Were none of them right, or most, the property would say little.
  t.true(right > 100 && right < RUNS / 2, `${right} of ${RUNS} were right`)
})

test('B2: readBasic gives back any credentials that RFC 7617 allows, in UTF-8', t => {
  fc.assert(
    fc.property(credentials, ({ username, password }) => {
      const allowed = !username.includes(':') && !CONTROLS.test(username + password)
      const found = readWith(readBasic, basic(username, password))
      if (!allowed && !username.includes(':')) return found === null
      return !allowed || (found?.username === username && found.password === password)
    }),
    { numRuns: RUNS },
  )
  t.pass()
})

test('B2: readBasic gives back credentials in Latin-1 wherever they are no UTF-8', t => {
  const letters = fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map(code => String.fromCharCode(code)),
    maxLength: 24,
  })
  fc.assert(
    fc.property(letters, letters, (username, password) => {
      const raw = Buffer.from(`${username}:${password}`, 'latin1')
      const isUtf8 = Buffer.compare(Buffer.from(raw.toString('utf8'), 'utf8'), raw) === 0
      if (isUtf8 || username.includes(':')) return true
      const found = readWith(readBasic, `Basic ${raw.toString('base64')}`)
      if (CONTROLS.test(username + password)) return found === null
      return found?.username === username && found.password === password
    }),
    { numRuns: RUNS },
  )
  t.pass()
})

test('The properties find a reader that is careless, so they can fail', t => {
  const careless: Reader = ({ headers: { authorization = '' } }) => {
    const [, encoded = ''] = /^basic(.*)$/i.exec(authorization) ?? []
    const text = Buffer.from(encoded, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  const failed = (property: (reader: Reader, header: string) => boolean, from: fc.Arbitrary<string>) =>
    fc.check(
      fc.property(from, header => property(careless, header)),
      { numRuns: 10_000 },
    ).failed
  t.true(failed(readsWhatIsThere, headers))
  t.true(failed(letsInOnlyTheRight, mutations))
})

test('B2: over connections of their own, generated Authorization headers are 401 or 400, never 500, and only right ones are let in', async t => {
  const { port, hidden, store } = await jobsFeed(t, { throttle: false })
  const raw = fc.oneof(
    { weight: 1, arbitrary: bytes },
    { weight: 2, arbitrary: headers.map(one => Buffer.from(one, 'latin1')) },
    { weight: 2, arbitrary: mutations.map(one => Buffer.from(one, 'latin1')) },
  )
  const seen = new Map<number, number>()
  await fc.assert(
    // A line feed would end the field, and what stands behind it would be another one.
    fc.asyncProperty(raw, async given => {
      const value = given.filter(byte => byte !== 0x0a)
      const { status, head } = await rawRequest(port, '/feed', [Buffer.concat([Buffer.from('Authorization: '), value])])
      seen.set(status, (seen.get(status) ?? 0) + 1)
      // Node takes white space off both ends of a field.
      if (
        isRight(
          Buffer.from(value)
            .toString('latin1')
            .replace(/^[ \t]+|[ \t]+$/g, ''),
        )
      )
        return status === 200
      return status === 400 || (status === 401 && head.includes('WWW-Authenticate: Basic realm="Jobs"'))
    }),
    { numRuns: REQUESTS },
  )
  t.true((seen.get(200) ?? 0) > 0 && (seen.get(401) ?? 0) > REQUESTS / 4, JSON.stringify([...seen]))
  t.deepEqual(hidden, [])
  t.deepEqual(store.calls, [])
})

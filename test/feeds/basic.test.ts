import type { IncomingMessage } from 'node:http'
import test from 'ava'
import { basicChallenge, readBasic } from '../../lib/feeds/basic.ts'
import { basic } from './people.ts'

/** What a request with these header fields says. */
function read(...authorizations: string[]) {
  const rawHeaders = ['Host', 'localhost', ...authorizations.flatMap(value => ['Authorization', value])]
  return readBasic({ rawHeaders, headers: { authorization: authorizations[0] } } as unknown as IncomingMessage)
}

const readable = test.macro({
  title: (what = '') => `B2: readBasic reads ${what}`,
  exec: (t, header: string, username: string, password: string) => t.deepEqual(read(header), { username, password }),
})

test('a scheme in lower case', readable, 'basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Aladdin', 'open sesame')
test('a scheme in mixed case', readable, 'bAsIc QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Aladdin', 'open sesame')
test('several spaces before the token', readable, 'Basic    QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Aladdin', 'open sesame')
test('a token without its padding', readable, 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ', 'Aladdin', 'open sesame')
test('a token with half of its padding', readable, 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=', 'Aladdin', 'open sesame')
test('a password with colons', readable, basic('colon', 'a:b::c'), 'colon', 'a:b::c')
test('an empty password, for the backends to refuse', readable, basic('a', ''), 'a', '')
test('an empty name, for the backends to refuse', readable, basic('', 'b'), '', 'b')
test('text beyond the basic plane', readable, basic('😀', '🔑 и ключ'), '😀', '🔑 и ключ')
test('bytes that are no UTF-8 as Latin-1', readable, basic('zoë', 'pässwörd', 'latin1'), 'zoë', 'pässwörd')
test('bytes that are both UTF-8 and Latin-1 as UTF-8', readable, basic('a', 'Ã¤', 'latin1'), 'a', 'ä')
test('a byte order mark as part of the name', readable, basic('\ufeffa', 'b'), '\ufeffa', 'b')

const token = (bytes: string | number[], encoding?: BufferEncoding) =>
  Buffer.from(bytes as string, encoding).toString('base64')

const UNREADABLE: Record<string, string> = {
  'an empty value': '',
  'the scheme alone': 'Basic',
  'the scheme and a space': 'Basic ',
  'the scheme and a tab': 'Basic\tQWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  'the scheme and a colon': 'Basic: QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  'a token without a scheme': 'QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  'Bearer with the token of Basic': 'Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  'a Digest': 'Digest username="Aladdin", realm="Jobs", nonce="x", uri="/", response="y"',
  'a scheme that starts with Basic': 'Basics QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  'a scheme that ends in Basic': 'XBasic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  'a dotless lookalike of the scheme': 'Basıc QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  'base64 with a star': 'Basic QWxh*GRpbjpvcGVuIHNlc2FtZQ==',
  'base64 in the alphabet for URLs': `Basic ${Buffer.from('a:ÿþ~').toString('base64url')}`,
  'base64 with a line break': 'Basic QWxhZGRpbjpv\ncGVuIHNlc2FtZQ==',
  'base64 with a space inside': 'Basic QWxhZGRpbjpv cGVuIHNlc2FtZQ==',
  'base64 with bits left over': 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==',
  'base64 of one character': 'Basic Q',
  'base64 of a length that no bytes have': 'Basic YTpiY',
  'padding in the middle': 'Basic QWxhZGRpbg==OnBhc3M=',
  'too much padding': 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ===',
  'padding alone': 'Basic ==',
  'something behind the token': 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== x',
  'a second token behind a comma': 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Basic YTpi',
  'parameters in place of a token': 'Basic username="Aladdin", password="open sesame"',
  'quotes around the token': 'Basic "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="',
  'clear text': 'Basic Aladdin:open sesame',
  'no colon': `Basic ${token('Aladdin')}`,
  'a fullwidth colon': `Basic ${token('Aladdin：open sesame')}`,
  'NUL in the password': `Basic ${token('Aladdin:open\0sesame')}`,
  'NUL behind the password': `Basic ${token('Aladdin:open sesame\0')}`,
  'a line break in the password': `Basic ${token('Aladdin:open\r\nsesame')}`,
  'a line break behind the name': `Basic ${token('Aladdin\n:open sesame')}`,
  'a tab in the name': `Basic ${token('Ala\tddin:open sesame')}`,
  'an escape character': `Basic ${token('Aladdin:\u001b[31m')}`,
  DEL: `Basic ${token('Aladdin:\u007f')}`,
  'a control character above ASCII': `Basic ${token('Aladdin:\u0085')}`,
  'wrong UTF-8 that is a control character in Latin-1': `Basic ${token([0x61, 0x3a, 0xff, 0x80])}`,
  'UTF-8 cut short, a control character in Latin-1': `Basic ${token([0x61, 0x3a, 0xe2, 0x98])}`,
  'an overlong encoding of a colon': `Basic ${token([0x61, 0xc0, 0xba, 0x62])}`,
  'a surrogate in UTF-8': `Basic ${token([0x61, 0x3a, 0xed, 0xa0, 0x80])}`,
  'UTF-16': `Basic ${token('Aladdin:open sesame', 'utf16le')}`,
}

for (const [what, header] of Object.entries(UNREADABLE)) {
  test(`B2: readBasic answers null for ${what}`, t => t.is(read(header), null))
}

test('B2: readBasic answers null for two headers, the same one twice included', t => {
  const header = basic('Aladdin', 'open sesame')
  t.is(read(header, header), null)
  t.is(read(header, 'Bearer x'), null)
  t.is(read('', header), null)
  t.is(read(), null)
})

test('B2: readBasic takes time in proportion to a huge header', t => {
  const huge = [
    `Basic ${' '.repeat(1e6)}`,
    `Basic ${'A'.repeat(1e6)}`,
    `Basic ${'='.repeat(1e6)}`,
    `${'Basic '.repeat(2e5)}`,
  ]
  const start = performance.now()
  for (const header of huge) t.is(read(header), null)
  t.true(performance.now() - start < 10_000)
})

test('B1: the challenge quotes the realm and escapes what a quoted string must', t => {
  t.is(basicChallenge('x()', 'Jobs'), 'Basic realm="Jobs", charset="UTF-8"')
  t.is(basicChallenge('x()', 'The "new" jobs\\'), 'Basic realm="The \\"new\\" jobs\\\\", charset="UTF-8"')
  t.is(basicChallenge('x()', ', charset=x'), 'Basic realm=", charset=x", charset="UTF-8"')
})

for (const [what, realm] of Object.entries({
  'no text': 7,
  missing: undefined,
  empty: '',
  'longer than 256 characters': 'a'.repeat(257),
  'not ASCII': 'Bücher',
  'a line break': 'a\r\nSet-Cookie: x=y',
  'a control character': 'a\u0007',
})) {
  test(`B1: a realm that is ${what} is an error that names it`, t => {
    t.throws(() => basicChallenge('x()', realm), { code: 'OPTION_INVALID', message: /^x\(\): option 'realm' must be/ })
  })
}

import { createHmac } from 'node:crypto'
import test from 'ava'
import { OptionInvalid } from '../../lib/errors.ts'
import { Signer } from '../../lib/sessions/signature.ts'
import { KEY, OTHER_KEY } from './app.ts'

test('C3: a signature is HMAC-SHA256 in base64url.', t => {
  const signer = new Signer('test()', [KEY])
  t.is(signer.sign('text'), createHmac('sha256', KEY).update('text').digest('base64url'))
  t.is(signer.sign('text').length, 43)
})

test('C3: the first key signs and every key verifies.', t => {
  const old = new Signer('test()', [OTHER_KEY])
  const rotated = new Signer('test()', [KEY, OTHER_KEY])
  t.is(rotated.sign('text'), new Signer('test()', [KEY]).sign('text'))
  t.true(rotated.verify('text', old.sign('text')))
  t.true(rotated.verify('text', rotated.sign('text')))
  t.false(old.verify('text', rotated.sign('text')))
})

test('C3: keys may be bytes as well as text.', t => {
  const bytes = new Signer('test()', [Buffer.from(KEY)])
  t.is(bytes.sign('text'), new Signer('test()', [KEY]).sign('text'))
  t.true(new Signer('test()', [new Uint8Array(32)]).verify('a', new Signer('test()', [Buffer.alloc(32)]).sign('a')))
})

const right = new Signer('test()', [KEY]).sign('text')
const wrongSignatures: [string, string][] = [
  ['an empty one', ''],
  ['a part of it', right.slice(0, -1)],
  ['one with a character more', `${right}A`],
  ['one with the last bits changed', `${right.slice(0, -1)}${right.endsWith('A') ? 'B' : 'A'}`],
  ['one in other letter case', right.toUpperCase()],
  ['the same bytes in padded base64', `${right}=`],
  ['one of other text', new Signer('test()', [KEY]).sign('texT')],
  ['43 letters of two bytes each', 'é'.repeat(43)],
]

for (const [what, signature] of wrongSignatures) {
  test(`C3: ${what} is no signature.`, t => t.false(new Signer('test()', [KEY]).verify('text', signature)))
}

const wrongKeys: [string, unknown, string][] = [
  ['no keys', undefined, 'keys'],
  ['null', null, 'keys'],
  ['an empty list', [], 'keys'],
  ['one text in place of a list', KEY, 'keys'],
  ['bytes in place of a list', Buffer.from(KEY), 'keys'],
  ['an object that signs, as Keygrip', { sign() {}, verify() {} }, 'keys'],
  ['a key of 31 bytes', ['x'.repeat(31)], 'keys[0]'],
  ['an empty key', [''], 'keys[0]'],
  ['a short key behind a good one', [KEY, 'short'], 'keys[1]'],
  ['31 bytes', [new Uint8Array(31)], 'keys[0]'],
  ['a number', [42], 'keys[0]'],
  ['undefined, as from a variable that is not set', [undefined], 'keys[0]'],
]

for (const [what, keys, option] of wrongKeys) {
  test(`C3: ${what} as keys is an error that names the option.`, t => {
    const error = t.throws(() => new Signer('test()', keys), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.false(error.message.includes('short'), 'no key stands in the message')
  })
}

test('C3: a key is long enough by its bytes of UTF-8.', t => {
  t.notThrows(() => new Signer('test()', ['é'.repeat(16)]))
  t.throws(() => new Signer('test()', ['é'.repeat(15)]))
})

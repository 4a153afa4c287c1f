import test from 'ava'
import { isSessionId, newSessionId, storeId } from '../../lib/sessions/id.ts'
import { scaled } from '../scale.ts'

test('C1: an id is 256 bits of base64url text.', t => {
  const id = newSessionId()
  t.regex(id, /^[A-Za-z0-9_-]{43}$/)
  t.is(Buffer.from(id, 'base64url').length, 32)
  t.true(isSessionId(id))
})

const COUNT = scaled(1_000_000)

test(`C1: of ${COUNT} ids no two are the same, and every bit of them is as often set as not.`, t => {
  const seen = new Set<bigint>()
  const set = new Array<number>(256).fill(0)
  for (let made = 0; made < COUNT; made++) {
    const bytes = Buffer.from(newSessionId(), 'base64url')
    seen.add(bytes.readBigUInt64LE(0))
    if (made < 10_000) {
      for (let bit = 0; bit < 256; bit++) set[bit]! += (bytes[bit >> 3]! >> (bit & 7)) & 1
    }
  }
  t.is(seen.size, COUNT, 'even the first 64 bits differ')
  // Ten standard deviations of 10,000 tosses of a coin.
  for (const [bit, times] of set.entries()) t.true(Math.abs(times - 5000) < 500, `bit ${bit} was set ${times} times`)
})

const shapes: [string, string][] = [
  ['empty text', ''],
  ['one character less', 'a'.repeat(42)],
  ['one character more', 'a'.repeat(44)],
  ['a line feed behind it', `${'a'.repeat(43)}\n`],
  ['a NUL in it', `${'a'.repeat(42)}\0`],
  ['a slash', `${'a'.repeat(42)}/`],
  ['a dot', `${'a'.repeat(42)}.`],
  ['a letter of another script', `${'a'.repeat(42)}é`],
  ['a path', '../../etc/passwd'],
]

for (const [what, text] of shapes) {
  test(`C2: no id has the shape of ${what}.`, t => t.false(isSessionId(text)))
}

test('A store is handed the SHA-256 of an id in hex, from which the id cannot be told.', t => {
  t.is(storeId('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  t.not(storeId(newSessionId()), storeId(newSessionId()))
})

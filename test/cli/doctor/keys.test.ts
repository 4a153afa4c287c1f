import { randomBytes } from 'node:crypto'
import test from 'ava'
import { checkKeys } from '../../../lib/cli/doctor/keys.ts'

const random = () => randomBytes(32).toString('base64')

test('Keys of enough random bytes are fine, one or several, text or bytes.', t => {
  for (const keys of [[random()], [random(), random(), randomBytes(32)]]) {
    const [found, ...more] = checkKeys('app.keys', keys)
    t.like(found, { check: 'keys', status: 'ok' })
    t.deepEqual(more, [])
  }
})

test('No random key is taken for one that can be guessed.', t => {
  for (let tried = 0; tried < 3000; tried++) {
    const bytes = randomBytes(32)
    for (const key of [
      bytes,
      bytes.toString('hex'),
      bytes.toString('base64'),
      bytes.toString('base64url'),
      bytes.toString('hex').slice(32),
    ])
      t.is(checkKeys('app.keys', [key])[0]?.status, 'ok', String(key))
  }
})

test('What chance does now and then in random keys makes none of them guessable.', t => {
  const letters = Buffer.concat([randomBytes(16).map(byte => byte | 0x80), Buffer.from('U L J F L'), randomBytes(16)])
  t.is(checkKeys('app.keys', [letters])[0]?.status, 'ok', 'single letters between spaces')
  t.is(checkKeys('app.keys', ['01123348a9cddeb04556f78821ab9ffe'])[0]?.status, 'ok', 'half of them neighbours')
})

test('Keys that are missing, short or can be guessed are problems, and none of them is repeated.', t => {
  const wrong: [keys: unknown, said: RegExp][] = [
    [undefined, /no array of keys/],
    [[], /no array of keys/],
    ['a text of thirty-two bytes or more', /no array of keys/],
    [['short'], /at least 32 bytes/],
    [[randomBytes(31)], /at least 32 bytes/],
    [[42], /at least 32 bytes/],
    [['x'.repeat(40)], /a few characters/],
    [['Kx7fQ2mZ'.repeat(5)], /repeats itself/],
    [['0123456789abcdefghijklmnopqrstuvwxyz'], /follow one another/],
    [['Zk3-my-very-secret-value-for-cookies-9Q'], /made of words/],
    [['correct horse battery staple and a bit'], /made of words/],
  ]
  for (const [keys, said] of wrong) {
    const [found] = checkKeys('app.keys', keys)
    t.is(found?.status, 'problem', String(keys))
    t.regex(found!.message, said)
    for (const key of [keys].flat())
      if (typeof key === 'string' && key !== 'short') t.false(JSON.stringify(found).includes(key))
  }
})

test('A key that comes twice is told.', t => {
  const key = random()
  t.like(checkKeys('app.keys', [key, random(), key]), {
    length: 1,
    0: { status: 'warning', message: 'app.keys[2] is app.keys[0] again.' },
  })
})

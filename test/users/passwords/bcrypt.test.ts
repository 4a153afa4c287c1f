import test from 'ava'
import { parseBcrypt, verifyBcrypt } from '../../../lib/users/passwords/bcrypt.ts'
import { isVerifiable, needsRenewal, verifyPassword } from '../../../lib/users/passwords.ts'

const check = (password: Buffer, hash: string) => verifyBcrypt(password, parseBcrypt(hash)!)

// One after the other, as all tests here that hash: none is to wait for others.

// The vectors that came with crypt_blowfish, in the public domain, and are in use ever since.
for (const [hash, password] of [
  ['$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ['$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK', 'U*U*'],
  ['$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a', 'U*U*U'],
  [
    '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui',
    '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored',
  ],
  ['$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq', '\xa3'],
  ['$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e', '\xff\xff\xa3'],
  ['$2a$05$/OK.fbVrR/bpIqNJ5ianF.6IflQkJytoRVc1yuaNtHfiuq.FRlSIS', '\xa3ab'],
  ['$2y$05$/OK.fbVrR/bpIqNJ5ianF.nRht2l/HRhr6zmCp9vYUvvsqynflf9e', '\xff\xa3345'],
] as const) {
  test.serial(`W1: the published vector ${hash.slice(0, 32)}… verifies its bytes and no others.`, async t => {
    const bytes = Buffer.from(password, 'latin1')
    t.true(await check(bytes, hash))
    t.false(await check(Buffer.from([...bytes.subarray(0, -40), 0x21]), hash))
    t.false(await check(bytes.subarray(1), hash))
  })
}

// Made with libxcrypt's crypt(3), passlib 1.7.4, py-bcrypt 3.2.2 and Django 3.2.25.
for (const [what, hash] of [
  ['$2a$ of crypt(3)', '$2a$05$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve'],
  ['$2b$ of passlib', '$2b$05$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve'],
  ['$2y$ of crypt(3)', '$2y$05$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve'],
  ['py-bcrypt', '$2b$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.'],
  ['bcrypt of Django', 'bcrypt$$2b$06$abcdefghijklmnopqrstuuPb/IntJLlirAv12HWgtofWRkx/a4ZV.'],
  ['bcrypt_sha256 of Django', 'bcrypt_sha256$$2b$06$abcdefghijklmnopqrstuul5B/dAdshjIhHjT6my8nuQ0dMXgwHGG'],
] as const) {
  test.serial(`W1: a hash of ${what} verifies its password and no other, and is to be renewed.`, async t => {
    t.true(await verifyPassword('lètmein', hash))
    t.true(await verifyPassword('lètmein'.normalize('NFD'), hash))
    for (const other of ['lètmein ', 'letmein', 'Lètmein', 'lètmein\0', hash])
      t.false(await verifyPassword(other, hash))
    t.true(needsRenewal(hash))
    t.true(isVerifiable(hash))
  })
}

test.serial(
  'W2: bcrypt itself compares 72 bytes, so that whoever has a longer password still comes in, and is renewed.',
  async t => {
    // Made with crypt(3), of 72 bytes and more.
    const hash = '$2y$05$abcdefghijklmnopqrstuu9CyuiEyTnupb4rnoYIlshaDzoYa6ZaS'
    const seen = 'é'.repeat(36)
    t.true(await verifyPassword(`${seen} and more`, hash))
    t.true(await verifyPassword(seen, hash))
    t.true(await verifyPassword(`${seen} and other things`, hash))
    t.false(await verifyPassword(`${seen.slice(0, -1)}ê and more`, hash))
    t.true(needsRenewal(hash))
  },
)

test.serial('W2: where bcrypt was given a digest, every byte counts.', async t => {
  const hash = 'bcrypt_sha256$$2b$06$abcdefghijklmnopqrstuuKkZrOj656CuqNk9mCFCs5YChPrnYwoS'
  t.true(await verifyPassword(`${'é'.repeat(36)} and more`, hash))
  t.false(await verifyPassword('é'.repeat(36), hash))
  t.false(await verifyPassword(`${'é'.repeat(36)} and other things`, hash))
})

test.serial(
  'A password with NUL is nobody’s where bcrypt would take NUL for the end, and somebody’s where it was given a digest.',
  async t => {
    const abc = '$2b$05$abcdefghijklmnopqrstuuRWUgMyyCUnsDr8evYotXg5ZXVF/HhzS'
    t.true(await verifyPassword('abc', abc))
    // 'abc\0abc' is the same key as 'abc' to bcrypt, which repeats what it is given.
    for (const other of ['abc\0', 'abc\0def', 'abc\0abc', '\0abc']) t.false(await verifyPassword(other, abc))
    const digested = 'bcrypt_sha256$$2b$06$abcdefghijklmnopqrstuuf62Uq2YPwRi3wcFvactPaK4gE2ecdua'
    t.true(await verifyPassword('abc\0def', digested))
    t.false(await verifyPassword('abc', digested))
  },
)

const REST = 'abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve'
for (const [what, hash] of Object.entries({
  'a cost of 16': `$2b$16$${REST}`,
  'a cost of 31': `$2b$31$${REST}`,
  'a cost of 99': `$2b$99$${REST}`,
  'a cost of 3': `$2b$03$${REST}`,
  'a cost of nought': `$2b$00$${REST}`,
  'a cost of one digit': `$2b$5$${REST}`,
  'a cost with a sign': `$2b$+5$${REST}`,
  'the faulty variant 2x': `$2x$05$${REST}`,
  'the first variant': `$2$05$${REST}`,
  'a key cut off': `$2b$05$${REST.slice(0, -1)}`,
  'a key too long': `$2b$05$${REST}.`,
  'bits beyond its salt': `$2b$05$${REST.replace('uu2', 'uv2')}`,
  'bits beyond its key': `$2b$05$${REST.slice(0, -1)}f`,
  'a character that is none of its alphabet': `$2b$05$${REST.replace('mno', 'm+o')}`,
  'no salt and no key': '$2b$05$',
  'a line after it': `$2b$05$${REST}\n`,
  'white space before it': ` $2b$05$${REST}`,
  'an unknown prefix': `bcrypt_sha512$$2b$05$${REST}`,
  'half of the prefix': `bcrypt$2b$05$${REST}`,
  'the prefix twice': `bcrypt$bcrypt$$2b$05$${REST}`,
})) {
  test.serial(`W1: a bcrypt hash with ${what} is refused and not run.`, async t => {
    t.is(parseBcrypt(hash), null)
    t.false(isVerifiable(hash))
    t.false(await verifyPassword('lètmein', hash))
  })
}

test.serial('W1: bcrypt hashes of every cost that is in use are taken.', t => {
  for (const cost of ['04', '10', '12', '13', '14', '15']) t.not(parseBcrypt(`$2b$${cost}$${REST}`), null, cost)
})

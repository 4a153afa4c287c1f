import test from 'ava'
import fc from 'fast-check'
import { parseBcrypt } from '../../../lib/users/passwords/bcrypt.ts'
import { parseForeignHash, remainderOf } from '../../../lib/users/passwords/foreign-hashes.ts'
import { isVerifiable, needsRenewal, verifyPassword } from '../../../lib/users/passwords.ts'
import { scaled } from '../../scale.ts'

const KEY = 'A'.repeat(43)

// One after the other, as all tests here that hash: none is to wait for others.

// Made with Python's hashlib, passlib 1.7.4 and Django 3.2.25, but for those of argon2 whose password is 'password', which are the test vectors
// of its reference implementation.
for (const [what, password, hash] of [
  [
    'argon2id as PHC',
    'password',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ],
  [
    'argon2i as PHC',
    'password',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  ],
  [
    'argon2i of version 16',
    'password',
    '$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ',
  ],
  [
    'argon2id of Django',
    'password',
    'argon2$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ],
  [
    'argon2id, as Django makes it',
    'lètmein',
    'argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdHNlYXNhbHQ$n/a6+o5lve5+w7Q7gx8Uuw',
  ],
  [
    'scrypt of passlib',
    'lètmein',
    '$scrypt$ln=10,r=8,p=1$YWJjZGVmZ2hpamtsbW5vcA$hQZR9ODE7cSFxF7nqsX9L4v8ryBKVni0Zka85MQRNTE',
  ],
  [
    'scrypt as PHC',
    'lètmein',
    '$scrypt$ln=15,r=8,p=3$8PHy8/T19vf4+fr7/P3+/w$CCLJT8bNPB+kIPLlwtyU88Vc+GtBMHba5HlDizk0o94',
  ],
  [
    'scrypt of Django',
    'lètmein',
    'scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==',
  ],
  [
    'PBKDF2 with SHA-256 of Django',
    'lètmein',
    'pbkdf2_sha256$260000$seasalt$YlZ2Vggtqdc61YjArZuoApoBh9JNGYoDRBUGu6tcJQo=',
  ],
  ['PBKDF2 with SHA-1 of Django', 'lètmein', 'pbkdf2_sha1$260000$seasalt$XXHk2gQ7tjWIyrS320RXXsGqkUg='],
  ['PBKDF2 with SHA-1 of passlib', 'lètmein', '$pbkdf2$30000$8PHy8/T19vf4.fr7/P3./w$yw9POm9/uzO3FxkraF97FFoWLE0'],
  [
    'PBKDF2 with SHA-256 of passlib',
    'lètmein',
    '$pbkdf2-sha256$30000$8PHy8/T19vf4.fr7/P3./w$7vXpuZ3/rFnidDuaCO37lt2qCzt/JeNRDplZ2SUnxbQ',
  ],
  [
    'PBKDF2 with SHA-512 of passlib',
    'lètmein',
    '$pbkdf2-sha512$30000$8PHy8/T19vf4.fr7/P3./w$xf4Qlvti0S4JzQLqJuzLgSwh4W0ZRS9GfCk6fN5TqzyrbjNH0DnRwInT9AM6v.o6pHwLm7rUciGiWDYERQm3BQ',
  ],
  [
    'PBKDF2 with SHA-1 as PHC',
    'lètmein',
    '$pbkdf2-sha1$i=30000,l=20$8PHy8/T19vf4+fr7/P3+/w$yw9POm9/uzO3FxkraF97FFoWLE0',
  ],
  [
    'PBKDF2 with SHA-256 as PHC',
    'lètmein',
    '$pbkdf2-sha256$i=30000,l=32$8PHy8/T19vf4+fr7/P3+/w$7vXpuZ3/rFnidDuaCO37lt2qCzt/JeNRDplZ2SUnxbQ',
  ],
  [
    'PBKDF2 with SHA-512 as PHC',
    'lètmein',
    '$pbkdf2-sha512$i=30000$8PHy8/T19vf4+fr7/P3+/w$xf4Qlvti0S4JzQLqJuzLgSwh4W0ZRS9GfCk6fN5TqzyrbjNH0DnRwInT9AM6v+o6pHwLm7rUciGiWDYERQm3BQ',
  ],
] as const) {
  test.serial(`W1: a hash of ${what} verifies its password and no other, and is to be renewed`, async t => {
    t.true(await verifyPassword(password, hash))
    t.true(await verifyPassword(password.normalize('NFD'), hash))
    // HMAC fills its key up with NUL.
    for (const other of [`${password} `, `${password}\0`, 'letmein']) t.false(await verifyPassword(other, hash))
    t.true(needsRenewal(hash))
    t.true(isVerifiable(hash))
  })
}

const base64 = (bytes: string, encoding: BufferEncoding) =>
  Buffer.from(bytes, encoding).toString('base64').replace(/=+$/, '')

for (const [what, start, salt, password, key] of [
  [
    'RFC 7914 §12, the second vector',
    '$scrypt$ln=10,r=8,p=16',
    'NaCl',
    'password',
    'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
  ],
  [
    'RFC 7914 §12, the third vector',
    '$scrypt$ln=14,r=8,p=1',
    'SodiumChloride',
    'pleaseletmein',
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
  ],
  [
    'RFC 7914 §11, the first vector',
    '$pbkdf2-sha256$i=1',
    'salt',
    'passwd',
    '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
  ],
  [
    'RFC 7914 §11, the second vector',
    '$pbkdf2-sha256$i=80000',
    'NaCl',
    'Password',
    '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d',
  ],
  ['RFC 6070, the third vector', '$pbkdf2-sha1$i=4096', 'salt', 'password', '4b007901b765489abead49d926f721d065a429c1'],
  [
    'RFC 6070, the fifth vector',
    '$pbkdf2-sha1$i=4096',
    'saltSALTsaltSALTsaltSALTsaltSALTsalt',
    'passwordPASSWORDpassword',
    '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038',
  ],
  ['RFC 6070, the sixth vector', '$pbkdf2-sha1$i=4096', 'sa\0lt', 'pass\0word', '56fa6aa75548099dcc37d7f03425e0c3'],
] as const) {
  test.serial(`W1: ${what}, verifies as a PHC string.`, async t => {
    const hash = `${start}$${base64(salt, 'utf8')}$${base64(key, 'hex')}`
    t.true(await verifyPassword(password, hash))
    t.false(await verifyPassword(`${password}.`, hash))
    t.false(await verifyPassword(password, hash.replace(/.{4}$/, 'AAAA')))
  })
}

for (const [what, hash] of Object.entries({
  'scrypt that asks for a terabyte': `$scrypt$ln=30,r=8,p=1$c2FsdA$${KEY}`,
  'scrypt with an exponent beyond all numbers': `$scrypt$ln=9999999999,r=8,p=1$c2FsdA$${KEY}`,
  'scrypt with large blocks': `$scrypt$ln=1,r=4194304,p=1$c2FsdA$${KEY}`,
  'scrypt with many lanes': `$scrypt$ln=14,r=8,p=1000$c2FsdA$${KEY}`,
  'scrypt with a few rounds and very many lanes': `$scrypt$ln=1,r=1,p=8388607$c2FsdA$${KEY}`,
  'scrypt whose cost is beyond its block size (RFC 7914 §2)': `$scrypt$ln=16,r=1,p=1$c2FsdA$${KEY}`,
  'scrypt whose cost is no power of two': `scrypt$16385$salt$8$1$${KEY}=`,
  'scrypt with a cost of one': `scrypt$1$salt$8$1$${KEY}=`,
  'scrypt with a cost of nought': `scrypt$0$salt$8$1$${KEY}=`,
  'scrypt with no lanes': `scrypt$16384$salt$8$0$${KEY}=`,
  'scrypt without a key': 'scrypt$16384$salt$8$1$',
  'scrypt without a salt': `scrypt$16384$$8$1$${KEY}=`,
  'scrypt with a key of one byte': 'scrypt$16384$salt$8$1$AA==',
  'PBKDF2 with more rounds than anybody waits for': `pbkdf2_sha256$4294967295$salt$${KEY}=`,
  'PBKDF2 with a long key and many rounds': `$pbkdf2-sha1$i=9000000$c2FsdA$${'A'.repeat(86)}`,
  'PBKDF2 with no rounds': `pbkdf2_sha256$0$salt$${KEY}=`,
  'PBKDF2 with rounds below nought': `pbkdf2_sha256$-1$salt$${KEY}=`,
  'PBKDF2 with rounds in hexadecimal': `pbkdf2_sha256$0x10$salt$${KEY}=`,
  'PBKDF2 without a key': 'pbkdf2_sha256$1000$salt$',
  'PBKDF2 with padding for a key': 'pbkdf2_sha256$1000$salt$=',
  'PBKDF2 with a key of a kilobyte': `pbkdf2_sha256$1000$salt$${'A'.repeat(1366)}`,
  'PBKDF2 with MD5': `$pbkdf2-md5$1000$c2FsdA$${KEY}`,
  'PBKDF2 with a line after it': `pbkdf2_sha256$1000$salt$${KEY}=\n`,
  'a hash after white space': ` pbkdf2_sha256$1000$salt$${KEY}=`,
})) {
  test.serial(`W1: ${what} is refused and not run`, async t => {
    t.is(parseForeignHash(hash), null)
    t.false(isVerifiable(hash))
    t.false(await verifyPassword('secret', hash))
  })
}

test.serial('W1: the same hashes with sane parameters are taken', t => {
  for (const hash of [
    `$scrypt$ln=17,r=8,p=1$c2FsdA$${KEY}`,
    `scrypt$16384$salt$8$5$${KEY}=`,
    `pbkdf2_sha256$1500000$salt$${KEY}=`,
    `$pbkdf2-sha512$i=210000$c2FsdA$${'A'.repeat(86)}`,
  ]) {
    t.not(parseForeignHash(hash), null, hash)
  }
})

/** Hashes of every format that verify in no time, to be spoilt. */
const CHEAP = [
  '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA',
  'argon2$argon2i$v=19$m=16,t=1,p=2$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  '$argon2d$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  `$scrypt$ln=4,r=8,p=1$c2FsdA$${KEY}`,
  `scrypt$16$salt$8$1$${KEY}=`,
  `pbkdf2_sha256$10$salt$${KEY}=`,
  `$pbkdf2-sha512$i=10,l=32$c2FsdA$${KEY}`,
  `$pbkdf2$10$c2FsdA$${'A'.repeat(27)}`,
  '$2b$04$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve',
  'bcrypt_sha256$$2y$04$abcdefghijklmnopqrstuu2c1e4vZoCxDVRU9N6VCSSmNg4cQa1Ve',
  '!unusable',
]
const spoilt = fc
  .tuple(
    fc.constantFrom(...CHEAP),
    fc.nat(100),
    fc.nat(3),
    fc.oneof(
      fc.constantFrom('', '$', '0', '=', ',', '.', '\0', '\n', '-1', 'A', '☃', '\ud800'),
      fc.string({ maxLength: 3 }),
    ),
  )
  .map(([hash, at, cut, put]) => hash.slice(0, at) + put + hash.slice(at + cut))

test('No text in place of a hash makes taking it apart fail.', async t => {
  const text = fc.oneof(spoilt, fc.string({ unit: 'binary' }))
  const property = fc.property(text, hash => {
    parseForeignHash(hash)
    parseBcrypt(hash)
    return typeof needsRenewal(hash) === 'boolean'
  })
  await t.notThrowsAsync(async () => fc.assert(property, { numRuns: scaled(200_000) }))
})

test.serial('No spoilt hash makes a verification fail, nor lets anybody in.', async t => {
  const property = fc.asyncProperty(spoilt, async hash => (await verifyPassword('secret', hash)) === false)
  await t.notThrowsAsync(fc.assert(property, { numRuns: scaled(2_000) }))
})

test('What is left of the work of a hash is the rest of its iterations, where both are PBKDF2 with one digest.', t => {
  const hash = (digest: string, iterations: number) => `pbkdf2_${digest}$${iterations}$salt$${KEY}=`
  const left = (whole: string, done: string) => {
    const rest = remainderOf(whole, done)
    return rest && 'iterations' in rest ? rest.iterations : rest
  }
  t.is(left(hash('sha256', 1_000_000), hash('sha256', 260_000)), 740_000)
  t.is(left(hash('sha256', 1_000), hash('sha256', 1_000)), null)
  t.is(left(hash('sha256', 1_000), hash('sha256', 2_000)), null)
  t.is(left(hash('sha256', 2_000), hash('sha1', 1_000)), null)
  t.is(left(hash('sha256', 2_000), `scrypt$1024$salt$8$1$${KEY}=`), null)
  t.is(left(`scrypt$1024$salt$8$1$${KEY}=`, hash('sha256', 2_000)), null)
  for (const none of ['', '!', hash('sha256', 0)]) {
    t.is(left(hash('sha256', 2_000), none), null)
    t.is(left(none, hash('sha256', 2_000)), null)
  }
})

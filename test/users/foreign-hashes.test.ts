import test from 'ava'
import { parseForeignHash } from '../../lib/users/foreign-hashes.ts'
import { needsRenewal, verifyPassword } from '../../lib/users/passwords.ts'

const KEY = 'A'.repeat(43)

// Made with Python's hashlib, but for those of argon2, which are the test vectors of its reference implementation.
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
  test(`W1: a hash of ${what} verifies its password and no other, and is to be renewed`, async t => {
    t.true(await verifyPassword(password, hash))
    t.true(await verifyPassword(password.normalize('NFD'), hash))
    t.false(await verifyPassword(`${password} `, hash))
    t.false(await verifyPassword('letmein', hash))
    t.true(needsRenewal(hash))
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
  test(`W1: ${what} is refused and not run`, async t => {
    t.is(parseForeignHash(hash), null)
    t.false(await verifyPassword('secret', hash))
  })
}

test('W1: the same hashes with sane parameters are taken', t => {
  for (const hash of [
    `$scrypt$ln=17,r=8,p=1$c2FsdA$${KEY}`,
    `scrypt$16384$salt$8$5$${KEY}=`,
    `pbkdf2_sha256$1500000$salt$${KEY}=`,
    `$pbkdf2-sha512$i=210000$c2FsdA$${'A'.repeat(86)}`,
  ]) {
    t.not(parseForeignHash(hash), null, hash)
  }
})

import test from 'ava'
import { UserInvalid } from '../../lib/errors.ts'
import { countArgon2 } from './argon2-calls.ts'

let lastRun = ''
const calls = countArgon2(hash => {
  lastRun = hash
})
const { hashPassword, LONGEST_PASSWORD, needsRenewal, passwordProblem, verifyPassword } = await import(
  '../../lib/users/passwords.ts'
)

// One after the other: some count, and none is to wait for others.
test.serial('W2: a password of 4,096 bytes is hashed and one of 4,097 fails without hashing', async t => {
  const longest = 'x'.repeat(LONGEST_PASSWORD)
  const before = { ...calls }
  const hash = await hashPassword(longest)
  t.true(await verifyPassword(longest, hash))
  t.deepEqual(calls, { hash: before.hash + 1, verify: before.verify + 1 })

  const error = await t.throwsAsync(hashPassword(`${longest}x`), { instanceOf: UserInvalid, code: 'USER_INVALID' })
  t.deepEqual(Object.keys(error.fields), ['password'])
  t.false(await verifyPassword(`${longest}x`, hash))
  t.false(await verifyPassword(`${longest}x`, null))
  t.deepEqual(calls, { hash: before.hash + 1, verify: before.verify + 1 })
})

test.serial('W2: the limit counts bytes of UTF-8, not characters', async t => {
  const before = calls.hash
  await t.notThrowsAsync(hashPassword('☃'.repeat(1365)))
  t.is(calls.hash, before + 1)
  await t.throwsAsync(hashPassword('☃'.repeat(1366)), { instanceOf: UserInvalid })
  await t.throwsAsync(hashPassword('🔑'.repeat(1025)), { instanceOf: UserInvalid })
  t.is(calls.hash, before + 1)
})

for (const [what, hash] of Object.entries({
  'no hash': null,
  'an empty hash': '',
  'an unusable hash of Django': '!kPfLZ2TtYf0bTJ2yZmYVZXmBKYxNvAyZLCV4bKyS',
  'a bcrypt hash of a cost that nobody waits for': '$2b$31$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q',
  'a bcrypt hash cut off': '$2b$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1',
  'an SHA-512 hash of crypt(3)':
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1',
  'an MD5 hash': '5f4dcc3b5aa765d61d8327deb882cf99',
  'a plain password': 'secret',
  'an argon2 hash cut off': '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA',
  'an argon2 hash of half a kilobyte': `$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$${'A'.repeat(683)}`,
  'an argon2 hash of four bytes': '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAA',
  'an argon2 hash with more memory than there is': `$argon2id$v=19$m=1048576,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$${'A'.repeat(43)}`,
  'an argon2 hash with more passes than anybody waits for': `$argon2id$v=19$m=19456,t=4294967295,p=1$c29tZXNhbHRzb21lc2FsdA$${'A'.repeat(43)}`,
  'an argon2 hash with too many lanes': `$argon2id$v=19$m=19456,t=2,p=255$c29tZXNhbHRzb21lc2FsdA$${'A'.repeat(43)}`,
})) {
  test.serial(`${what} verifies nothing, and costs one verification of our own`, async t => {
    const before = { ...calls }
    t.false(await verifyPassword('secret', hash))
    t.deepEqual(calls, { hash: before.hash, verify: before.verify + 1 })
    t.regex(lastRun, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$A{22}\$A{43}$/)
  })
}

test.serial(
  'W1: a new hash is argon2id, version 19, with 19 MiB, two passes, one lane and a salt of its own',
  async t => {
    const [one, other] = await Promise.all([hashPassword('secret'), hashPassword('secret')])
    const form = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]{22})\$[\w+/]{43}$/
    const [, memory, passes, lanes, salt] = form.exec(one) ?? []
    t.deepEqual([memory, passes, lanes], ['19456', '2', '1'])
    t.not(form.exec(other)?.[4], salt)
  },
)

test.serial('W1: a password verifies against its own hash alone', async t => {
  const hash = await hashPassword('pässwörd☃')
  t.true(await verifyPassword('pässwörd☃', hash))
  for (const other of ['Pässwörd☃', 'passwörd☃', 'pässwörd☃ ', 'pässwörd', 'pässwörd☃\0', hash]) {
    t.false(await verifyPassword(other, hash), other)
  }
})

test.serial('W2: passwords of one NFC form are the same password, whoever typed them', async t => {
  const composed = 'Crème brûlée 한글'.normalize('NFC')
  const decomposed = composed.normalize('NFD')
  t.not(composed, decomposed)
  t.true(await verifyPassword(decomposed, await hashPassword(composed)))
  t.true(await verifyPassword(composed, await hashPassword(decomposed)))
  t.false(await verifyPassword('Creme brulee 한글', await hashPassword(composed)))
})

test.serial('W2: compatibility forms stay different passwords', async t => {
  t.false(await verifyPassword('ﬁle', await hashPassword('file')))
})

test.serial(
  'W2: the limit holds for the NFC form, so that a password at the limit can be typed decomposed',
  async t => {
    const composed = 'é'.repeat(LONGEST_PASSWORD / 2)
    t.true(await verifyPassword(composed.normalize('NFD'), await hashPassword(composed)))
  },
)

test.serial('W2: the last byte of a long password counts', async t => {
  const hash = await hashPassword(`${'x'.repeat(4095)}a`)
  t.false(await verifyPassword(`${'x'.repeat(4095)}b`, hash))
})

for (const [what, password] of Object.entries({
  'no text': 12345678 as unknown as string,
  'an array': ['secret'] as unknown as string,
  nothing: null as unknown as string,
  'an empty text': '',
  'a lone surrogate': 'secret\ud800',
  'text of a megabyte': 'x'.repeat(2 ** 20),
})) {
  test.serial(`W2: ${what} is refused as a password with words for a form`, async t => {
    const error = await t.throwsAsync(hashPassword(password), { instanceOf: UserInvalid, code: 'USER_INVALID' })
    t.is(error.status, 422)
    t.is(error.fields.password, passwordProblem(password) ?? undefined)
    t.false(error.message.includes('secret'))
  })
}

test.serial('W1: hashes as strong as ours or stronger are kept, all others are renewed', async t => {
  const with_ = (kind: string, version: string, parameters: string, salt = 22, key = 43) =>
    `$${kind}$${version}${parameters}$${'A'.repeat(salt)}$${'A'.repeat(key)}`
  t.false(needsRenewal(await hashPassword('secret')))
  t.false(needsRenewal(with_('argon2id', 'v=19$', 'm=65536,t=3,p=4')))
  for (const weaker of [
    with_('argon2id', 'v=19$', 'm=19455,t=2,p=1'),
    with_('argon2id', 'v=19$', 'm=65536,t=1,p=1'),
    with_('argon2i', 'v=19$', 'm=19456,t=2,p=1'),
    with_('argon2d', 'v=19$', 'm=19456,t=2,p=1'),
    with_('argon2id', '', 'm=19456,t=2,p=1'),
    with_('argon2id', 'v=19$', 'm=19456,t=2,p=1', 11),
    with_('argon2id', 'v=19$', 'm=19456,t=2,p=1', 22, 22),
    `argon2${with_('argon2id', 'v=19$', 'm=102400,t=2,p=8')}`,
    `pbkdf2_sha256$1000000$salt$${'A'.repeat(43)}=`,
  ]) {
    t.true(needsRenewal(weaker), weaker)
  }
})

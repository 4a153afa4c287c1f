import { inspect } from 'node:util'
import { hash } from '@node-rs/bcrypt'
import test from 'ava'
import { hashPassword } from '../../../lib/users/passwords.ts'
import { startDjango } from '../../servers/django.ts'
import { addUser, djangoTables, PASSWORD, pbkdf2Hash, SECRET_KEY } from './tables.ts'

/** Hashes of PASSWORD as others write them. */
const PHC = await hashPassword(PASSWORD)
const CRYPT = await hash(PASSWORD, 4)

const NFC = 'Ÿvö☃'.normalize('NFC')
const NFD = NFC.normalize('NFD')
const PASSWORDS = ['secret', NFC, NFD, ' spaces at both ends ', 'x'.repeat(72), `${'☃'.repeat(1365)}x`]

/**
 * Hashes of each password by each hasher of Django's, with few rounds where they can be chosen, and once as the site makes them. scrypt, which
 * Django has since 4.0, is written as it does there.
 */
const HASHES = `
import base64, hashlib
from argon2 import PasswordHasher, Type, low_level
from django.contrib.auth import hashers

class Bcrypt(hashers.BCryptPasswordHasher):
    rounds = 4

class BcryptSHA256(hashers.BCryptSHA256PasswordHasher):
    rounds = 4

class Argon2(hashers.Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 1, 64, 2

def argon2i(password, version):
    made = low_level.hash_secret(password.encode(), b'seasaltseasalt', 2, 512, 2, 16, Type.I, version).decode()
    return 'argon2' + made

def scrypt(password, n):
    key = hashlib.scrypt(password.encode(), salt=b'seasalt', n=n, r=8, p=1, maxmem=2**26, dklen=64)
    return 'scrypt$' + str(n) + '$seasalt$8$1$' + base64.b64encode(key).decode()

def encoded(hasher, password, *more):
    return hasher.encode(password, hasher.salt(), *more)

few = {
    'pbkdf2_sha256': lambda one: encoded(hashers.PBKDF2PasswordHasher(), one, 1000),
    'pbkdf2_sha1': lambda one: encoded(hashers.PBKDF2SHA1PasswordHasher(), one, 1000),
    'argon2': lambda one: encoded(Argon2(), one),
    'argon2i of before': lambda one: argon2i(one, 19),
    'argon2i of long before': lambda one: argon2i(one, 16),
    'bcrypt': lambda one: encoded(Bcrypt(), one),
    'bcrypt_sha256': lambda one: encoded(BcryptSHA256(), one),
    'scrypt': lambda one: scrypt(one, 1024),
}
others = [one for one in ['SHA1', 'MD5', 'UnsaltedSHA1', 'UnsaltedMD5', 'Crypt'] if hasattr(hashers, one + 'PasswordHasher')]
whole = ['PBKDF2', 'PBKDF2SHA1', 'Argon2', 'BCryptSHA256']
named = lambda name: getattr(hashers, name + 'PasswordHasher')()
unsalted = lambda hasher, password: hasher.encode(password, hasher.salt())
answer({
    'few': {name: [make(one) for one in given] for name, make in few.items()},
    'whole': {'scrypt': scrypt(given[0], 16384), **{name: encoded(named(name), given[0]) for name in whole}},
    'others': {name: unsalted(named(name), given[0]) for name in others},
    'unusable': hashers.make_password(None),
})
`

interface Hashes {
  few: Record<string, string[]>
  whole: Record<string, string>
  others: Record<string, string>
  unusable: string
}

test('Whoever has a password that Django hashed logs in with it as it was typed, by each of its hashers, and with no other.', async t => {
  const site = await startDjango(t)
  const { few, whole, others, unusable } = (await site.run(HASHES, PASSWORDS)) as Hashes
  const { knex, people } = await djangoTables(t, 'sqlite', { permissionsMixin: false })
  await addUser(knex)
  const opens = async (hash: string, password: string) => {
    await knex('auth_user').update({ password: hash })
    return (await people.authenticate({ username: 'ada', password })) !== null
  }
  t.is(Object.keys(few).length, 8)
  for (const [name, hashes] of Object.entries(few)) {
    for (const [index, password] of PASSWORDS.entries()) {
      // bcrypt by itself sees 72 bytes.
      if (name === 'bcrypt' && Buffer.byteLength(password) > 72) continue
      t.true(await opens(hashes[index]!, password), `${name}: ${password}`)
      for (const other of [PASSWORDS[(index + 1) % 4]!, `${password}?`, password.toUpperCase()])
        if (other !== password && !(name === 'bcrypt' && index === 4))
          t.false(await opens(hashes[index]!, other), `${name}: ${other}`)
    }
    t.false(await opens(hashes[1]!, NFD), `${name}: typed in another normal form`)
    t.false(await opens(hashes[2]!, NFC), `${name}: typed in another normal form`)
  }
  for (const [name, hash] of Object.entries(whole)) {
    t.true(await opens(hash, 'secret'), name)
    t.false(await opens(hash, 'Secret'), name)
  }
  for (const [name, hash] of Object.entries(others)) t.false(await opens(hash, 'secret'), name)
  t.false(await opens(unusable, 'secret'))
  t.false(await opens(unusable, unusable.slice(1)))
  t.is((await knex('auth_user').first()).password, unusable)
})

/** A hash of PASSWORD in its parts, to be changed before they are joined. */
const spoilt = (change: (parts: string[]) => void) => {
  const parts = pbkdf2Hash(PASSWORD).split('$')
  change(parts)
  return parts.join('$')
}
const KEY = 'A'.repeat(43)
// Each would let PASSWORD in, but for what it is called by, or asks for more than anything may.
for (const [what, stored] of Object.entries({
  'an empty one': '',
  'an unusable one': '!',
  'text that is its own hash': PASSWORD,
  'a hash without algorithm': spoilt(parts => parts.splice(0, 1, '')),
  'a hash of an unknown algorithm': spoilt(parts => parts.splice(0, 1, 'pbkdf2_sha512')),
  'a hash that is unusable by one character': `!${pbkdf2Hash(PASSWORD)}`,
  'a hash with a space before it': ` ${pbkdf2Hash(PASSWORD)}`,
  'a hash with more behind it': `${pbkdf2Hash(PASSWORD)}$`,
  'a hash in upper case': pbkdf2Hash(PASSWORD).toUpperCase(),
  'a hash without salt': spoilt(parts => parts.splice(2, 1)),
  'a hash with an empty salt': spoilt(parts => parts.splice(2, 1, '')),
  'a hash without iterations': spoilt(parts => parts.splice(1, 1)),
  'a hash of no iterations': spoilt(parts => parts.splice(1, 1, '0')),
  'a hash of more iterations than anybody waits for': spoilt(parts => parts.splice(1, 1, '999999999')),
  'a hash without key': spoilt(parts => parts.splice(3, 1)),
  'a hash with an empty key': spoilt(parts => parts.splice(3, 1, '')),
  'a hash with a short key': spoilt(parts => parts.splice(3, 1, parts[3]!.slice(0, 4))),
  'a PHC string of argon2': PHC,
  'an argon2 hash cut off': `argon2${PHC}`.slice(0, -1),
  'a scrypt hash that wants all memory': `scrypt$1073741824$salt$8$1$${KEY}=`,
  'a hash of crypt(3)': CRYPT,
  'a bcrypt hash of a cost that nobody waits for': `bcrypt_sha256$$2b$31$${'.'.repeat(53)}`,
  'nothing but separators': '$$$$',
})) {
  test(`A stored password that is ${what} lets nobody in, and harms nobody.`, async t => {
    const { knex, people } = await djangoTables(t, 'sqlite', { permissionsMixin: false })
    const id = await addUser(knex, { password: stored })
    for (const password of [PASSWORD, stored || 'x', '!', 'A'])
      t.is(await people.authenticate({ username: 'ada', password }), null)
    const user = await people.load(id)
    t.regex(user!.stamp, /^[\da-f]{64}$/)
    t.false(JSON.stringify(user).includes(user!.stamp))
  })
}

test('A user shows neither the password’s hash, nor a stamp, nor a key, in JSON or inspected.', async t => {
  const { knex, people } = await djangoTables(t, 'sqlite')
  const id = await addUser(knex)
  const user = (await people.load(id))!
  t.deepEqual(Object.keys(user.toJSON()).sort(), [
    'backend',
    'email',
    'id',
    'isAuthenticated',
    'isStaff',
    'key',
    'username',
  ])
  t.notRegex(inspect(user, { depth: 9, showHidden: true }), new RegExp(`pbkdf2|${SECRET_KEY}`))
})

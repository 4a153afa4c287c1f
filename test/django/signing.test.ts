import test from 'ava'
import fc from 'fast-check'
import { DjangoKeys, DjangoSigning } from '../../lib/django/signing.ts'
import { OptionInvalid } from '../../lib/errors.ts'
import { scaled } from '../scale.ts'
import { type Django, startDjango } from '../servers/django.ts'
import { file } from '../servers/file-owner.ts'

const SECRET = 'a-secret-☃-of-the-site'
const SALT = 'django.contrib.sessions.SessionStore'
const NOW = Date.UTC(2026, 10, 22, 10, 0, 0)

const keys = (secretKey = SECRET, ...secretKeyFallbacks: string[]) =>
  new DjangoKeys('test()', { secretKey, secretKeyFallbacks })
const signing = (...secrets: string[]) => new DjangoSigning(keys(...secrets), SALT)

let django: Django
test.before(async () => {
  django = await startDjango(file, { secretKey: SECRET, migrate: false })
})

test('What is signed here Django reads, and what Django signs is read here, packed or not.', async t => {
  const payloads = ['{}', '{"a":1}', `{"long":"${'x'.repeat(5000)}"}`, '{"umlaut":"\\u00e4"}']
  const signed = payloads.map(payload => signing().dumps(Buffer.from(payload), Date.now()))
  t.true(signed[2]!.startsWith('.') && signed[2]!.length < 200)
  const theirs = await django.run(
    `from django.core import signing
class Text:
    def dumps(self, obj): return obj.encode('latin-1')
    def loads(self, data): return data.decode('latin-1')
answer({
    'read': [signing.loads(text, salt=given['salt'], serializer=Text) for text in given['signed']],
    'signed': [signing.dumps(text, salt=given['salt'], serializer=Text, compress=True) for text in given['payloads']],
})`,
    { salt: SALT, signed, payloads },
  )
  const { read, signed: byThem } = theirs as { read: string[]; signed: string[] }
  t.deepEqual(read, payloads)
  t.deepEqual(
    byThem.map(text => signing().loads(text)?.payload.toString()),
    payloads,
  )
  for (const text of byThem) t.true(Math.abs(signing().loads(text)!.at - Date.now()) < 60_000)
})

test('A session is bound to a password as Django binds it, by every key.', async t => {
  const password = 'pbkdf2_sha256$1000$salt$aGFzaA=='
  const theirs = await django.run(
    `from django.contrib.auth.models import User
answer(User(password=given).get_session_auth_hash())`,
    password,
  )
  const [current, ...former] = keys().sessionAuthHashes(password)
  t.is(current, theirs as string)
  t.deepEqual(former, [])
  const [byNew, byOld] = keys('new', SECRET).sessionAuthHashes(password)
  t.is(byOld, current)
  t.not(byNew, current)
})

test('The first key signs, and all of them verify.', t => {
  const old = signing('old').dumps(Buffer.from('{}'), NOW)
  t.is(signing('new', 'old').loads(old)?.at, NOW)
  t.is(signing('new', 'older').loads(old), null)
  const rotated = signing('new', 'old').dumps(Buffer.from('{}'), NOW)
  t.truthy(signing('new').loads(rotated))
  t.is(signing('old').loads(rotated), null)
})

test('What was signed for another purpose does not verify.', t => {
  const other = new DjangoSigning(keys(), 'django.contrib.sessions.backends.signed_cookies')
  t.is(signing().loads(other.dumps(Buffer.from('{}'), NOW)), null)
})

test('C3: No text that differs from one that was signed verifies.', t => {
  const signed = signing().dumps(Buffer.from(`{"text":"${'x'.repeat(200)}"}`), NOW)
  t.truthy(signing().loads(signed))
  const positions = fc.integer({ min: 0, max: signed.length - 1 })
  const characters = fc.constantFrom(...'AZaz09-_:.=+/ \0é')
  t.notThrows(() =>
    fc.assert(
      fc.property(positions, characters, fc.constantFrom('replace', 'insert', 'cut'), (at, character, how) => {
        const changed =
          signed.slice(0, at) + (how === 'cut' ? '' : character) + signed.slice(how === 'insert' ? at : at + 1)
        const last = at === signed.length - 1
        // Of the last character of a signature two bits count for nothing.
        return changed === signed || last || signing().loads(changed) === null
      }),
      { numRuns: scaled(20_000) },
    ),
  )
})

test('Nothing at all makes reading throw.', t => {
  const forged = (payload: Buffer, packed: string) => {
    const [, , signature] = signing().dumps(payload, NOW).split(':')
    return `${packed}${payload.toString('base64url')}:1tjnZU:${signature}`
  }
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.uint8Array().map(bytes => forged(Buffer.from(bytes), '.')),
        ),
        text => {
          return signing().loads(text) === null
        },
      ),
      { numRuns: scaled(20_000) },
    ),
  )
})

test('What is signed and packed, but no more than a bomb, is nothing.', t => {
  const bomb = Buffer.alloc(2 ** 21, 0x20)
  const signed = signing().dumps(bomb, NOW)
  t.true(signed.startsWith('.') && signed.length < 5000)
  t.is(signing().loads(signed), null)
  const torn = signing().dumps(Buffer.alloc(1000, 0x20), NOW)
  t.truthy(signing().loads(torn))
})

for (const [what, given, option] of [
  ['no secret key', {}, 'secretKey'],
  ['an empty secret key', { secretKey: '' }, 'secretKey'],
  ['a secret key that is no text', { secretKey: 5 }, 'secretKey'],
  ['fallbacks that are no list', { secretKey: 'x', secretKeyFallbacks: 'y' }, 'secretKeyFallbacks'],
  ['an empty fallback', { secretKey: 'x', secretKeyFallbacks: [''] }, 'secretKeyFallbacks'],
] as const)
  test(`With ${what} it is an error that names the option.`, t => {
    const error = t.throws(() => new DjangoKeys('test()', given as never), { instanceOf: OptionInvalid })
    t.is(error?.option, option)
    t.notRegex(error!.message, /'x'|'y'/)
  })

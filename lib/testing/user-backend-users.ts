import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { checkBackendName } from '../users/backend.ts'
import { checksOf, ODD_TEXTS } from './user-backend-under-test.ts'

/** What a password is kept as: PHC and crypt formats, Django's, those of directories. */
const HASH =
  /\$(argon2|scrypt|pbkdf2|2[abxy]?\$|[1567y]\$)|\b(argon2|bcrypt|md5|pbkdf2|scrypt|sha1)(_\w+)?\$|\{(CRYPT|S?MD5|S?SHA\d*)\}/i

/** Fails where something about a user tells how to log in as them. */
export function assertTellsNoSecret(what: unknown, password: string): void {
  const text = inspect(what, { depth: 10, showHidden: true, maxStringLength: null, maxArrayLength: null })
  assert.ok(!text.includes(password), 'a user holds their password')
  assert.doesNotMatch(text, HASH, 'a user holds what their password is kept as')
}

/** What nobody may do: no property of an object is a permission. */
const NO_PERMISSIONS = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '',
  ' ',
  '*',
  '%',
  'is_superuser',
  'true',
]

/** Who a user is, whichever way they come. */
export const userChecks = checksOf([], {
  async "The backend's name begins with a letter and holds letters, digits, '-' and '_', 64 at most."(on) {
    assert.doesNotThrow(() => checkBackendName('backend', on.backend.name))
  },

  async "A user carries the backend's name, the id, and both as key."(on) {
    const { name } = on.backend
    const person = await on.add()
    const user = await on.userOf(person)
    assert.deepEqual([user.backend, user.id, user.key], [name, person.id, `${name}:${person.id}`])
  },

  async 'A user has everything that a user has, of the right type.'(on) {
    const user = await on.userOf(await on.add())
    const { isAuthenticated, isAnonymous, isActive, isStaff, isSuperuser, username, email, stamp } = user
    assert.deepEqual([isAuthenticated, isAnonymous, isActive, isStaff, isSuperuser], [true, false, true, false, false])
    assert.deepEqual([typeof username, typeof stamp], ['string', 'string'])
    assert.ok(email === null || typeof email === 'string', 'email is neither text nor null')
  },

  async 'A user at the next request is who they were.'(on) {
    const user = await on.userOf(await on.add())
    const again = on.assertUser(await on.again(user), user.id)
    for (const one of ['key', 'username', 'email', 'isActive', 'isStaff', 'isSuperuser', 'stamp'] as const)
      assert.equal(again[one], user[one], one)
  },

  async 'Two people have different ids and keys.'(on) {
    const [one, two] = [await on.userOf(await on.add()), await on.userOf(await on.add())]
    assert.notEqual(one.id, two.id)
    assert.notEqual(one.key, two.key)
  },

  async 'A user holds neither their password nor what it is kept as.'(on) {
    const person = await on.add()
    const user = await on.userOf(person)
    for (const one of [user, await on.again(user)]) {
      assertTellsNoSecret(one, person.password)
      assertTellsNoSecret(JSON.stringify(one), person.password)
    }
  },

  async 'Somebody without permissions has none, whatever it is called.'(on) {
    const user = await on.userOf(await on.add())
    for (const one of [user, await on.again(user)])
      for (const permission of NO_PERMISSIONS) assert.equal(one?.hasPermission(permission), false, permission)
  },

  async 'load rejects for no id, and never answers somebody else.'(on) {
    for (const id of ODD_TEXTS) {
      const found = await on.backend.load(id)
      if (found !== null) on.assertUser(found, id)
    }
  },
})

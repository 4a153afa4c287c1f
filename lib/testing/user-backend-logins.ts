import assert from 'node:assert/strict'
import type { Credentials } from '../users/backend.ts'
import { checksOf, lookalikesOf, newName, newPassword, ODD_TEXTS } from './user-backend-under-test.ts'

/** How a wrong password may be near a right one. */
function near(password: string): string[] {
  return [
    `${password}x`,
    `${password} `,
    ` ${password}`,
    `${password}\0`,
    `${password}\0x`,
    password.slice(0, -1),
    password.slice(1),
    password.toUpperCase(),
    password.toLowerCase(),
    password.split('').reverse().join(''),
    '*',
    '%',
    'null',
  ]
}

/** authenticate, by user name and password. */
export const loginChecks = checksOf(['authenticate'], {
  async 'The right name and password are answered by the user who has them.'(on) {
    const person = await on.add()
    on.assertUser(await on.login(credentialsOf(person)), person.id)
  },

  async 'A wrong password lets nobody in, however near it is.'(on) {
    const person = await on.add()
    for (const password of near(person.password))
      assert.equal(await on.login({ ...credentialsOf(person), password }), null, password)
  },

  async 'An empty password lets nobody in.'(on) {
    const { username } = await on.add()
    assert.equal(await on.login({ username, password: '' }), null)
  },

  async 'A name that nobody has lets nobody in, whatever is in it.'(on) {
    const { password } = await on.add()
    for (const username of [newName(), ...ODD_TEXTS])
      assert.equal(await on.login({ username, password }), null, username)
  },

  async "Somebody else's password lets nobody in."(on) {
    const [one, two] = [await on.add(), await on.add()]
    assert.equal(await on.login({ username: one.username, password: two.password }), null)
    assert.equal(await on.login({ username: two.username, password: one.password }), null)
  },

  async 'Credentials without a name, without a password or of other fields alone let nobody in.'(on) {
    const { username, password } = await on.add()
    const lacking = [
      { username },
      { password },
      { name: username, pass: password },
      { token: password },
    ] as Credentials[]
    for (const one of [...lacking, JSON.parse('{"__proto__":"x"}')]) assert.equal(await on.login(one), null)
  },

  async 'Fields that it does not know make no difference.'(on) {
    const person = await on.add()
    const more = { next: '/feeds', csrf: 'x', id: 'nobody', __proto__: 'x', isStaff: 'true' }
    const user = on.assertUser(await on.login({ ...more, ...credentialsOf(person) }), person.id)
    assert.equal(user.isStaff, false)
  },

  async 'A password longer than any may be lets nobody in, and is no error.'(on) {
    const { username, password } = await on.add()
    for (const length of [4097, 100_000])
      assert.equal(await on.login({ username, password: password.padEnd(length, 'x') }), null)
  },

  async 'Passwords that share their first 72 bytes are different.'(on) {
    const shared = newPassword().repeat(3)
    const person = await on.add({ password: `${shared}one` })
    assert.equal(await on.login({ ...credentialsOf(person), password: `${shared}two` }), null)
    assert.equal(await on.login({ ...credentialsOf(person), password: shared }), null)
    on.assertUser(await on.login(credentialsOf(person)), person.id)
  },

  async 'A name that looks like another is that very user, or nobody.'(on) {
    const { id, username, password } = await on.add()
    for (const other of lookalikesOf(username)) {
      const user = await on.login({ username: other, password })
      if (user) on.assertUser(user, id)
    }
  },

  async 'Whoever may be called nearly like somebody is never taken for them.'(on) {
    const person = await on.add()
    for (const username of lookalikesOf(person.username)) {
      const password = newPassword()
      const other = await on.add({ username, password }).catch(() => null)
      // Nobody got that name: the password is nobody's.
      if (!other) assert.equal(await on.login({ username, password }), null, username)
      else on.assertUser(await on.login(credentialsOf(other)), other.id)
      assert.equal(await on.login({ username: person.username, password }), null, username)
    }
    on.assertUser(await on.login(credentialsOf(person)), person.id)
  },

  async 'Logins at once are answered each by its own user.'(on) {
    const people = [await on.add(), await on.add(), await on.add()]
    const answers = Array.from({ length: 12 }, async (_, index) => {
      const { username, password, id } = people[index % 3]!
      const isWrong = index % 4 === 3
      const user = await on.login({ username, password: isWrong ? `${password}?` : password })
      assert.equal(user?.id ?? null, isWrong ? null : id)
    })
    await Promise.all(answers)
  },
})

/** Logins of people who have another password now. */
export const newPasswordChecks = checksOf(['authenticate', 'setPassword'], {
  async 'After a change the new password is right, and the old one wrong.'(on) {
    const person = await on.add()
    on.assertUser(await on.login(credentialsOf(person)), person.id)
    const password = newPassword()
    await on.setup.setPassword!(person.id, password)
    assert.equal(await on.login(credentialsOf(person)), null)
    on.assertUser(await on.login({ ...credentialsOf(person), password }), person.id)
  },
})

/** Logins of people who were locked out. */
export const lockedOutChecks = checksOf(['authenticate', 'deactivate'], {
  async 'Somebody who was locked out is answered as inactive, or not at all.'(on) {
    const [person, other] = [await on.add(), await on.add()]
    await on.setup.deactivate!(person.id)
    const user = await on.login(credentialsOf(person))
    assert.notEqual(user?.isActive, true, 'somebody who was locked out was let in')
    if (user) on.assertUser(user, person.id)
    on.assertUser(await on.login(credentialsOf(other)), other.id)
  },

  async 'A wrong password of somebody who was locked out lets nobody in.'(on) {
    const person = await on.add()
    await on.setup.deactivate!(person.id)
    assert.equal(await on.login({ ...credentialsOf(person), password: newPassword() }), null)
  },
})

/** Logins of people who were taken away. */
export const goneChecks = checksOf(['authenticate', 'remove'], {
  async 'Somebody who was taken away is let in no more.'(on) {
    const person = await on.add()
    on.assertUser(await on.login(credentialsOf(person)), person.id)
    await on.setup.remove!(person.id)
    assert.equal(await on.login(credentialsOf(person)), null)
  },
})

/** identify. */
export const identifyChecks = checksOf(['identify'], {
  async 'identify answers somebody by the name that a proxy vouches for.'(on) {
    const person = await on.add()
    on.assertUser(await on.backend.identify!(person.username, on.ctx), person.id)
  },

  async 'identify answers a whole user or null, whatever is in the name.'(on) {
    for (const name of ODD_TEXTS.filter(text => text !== '')) {
      const user = await on.backend.identify!(name, on.ctx)
      if (user) on.assertUser(user, user.id)
    }
  },

  async 'identify takes nobody for somebody else.'(on) {
    const [one, two] = [await on.add(), await on.add()]
    const asked = [one, two, one].map(({ username }) => on.backend.identify!(username, on.ctx))
    const found = await Promise.all(asked)
    assert.deepEqual(
      found.map(user => user?.id),
      [one.id, two.id, one.id],
    )
  },

  async 'Whoever was identified is there at the next request.'(on) {
    const person = await on.add()
    const user = on.assertUser(await on.backend.identify!(person.username, on.ctx), person.id)
    on.assertUser(await on.again(user), person.id)
  },
})

function credentialsOf({ username, password }: { username: string; password: string }): Credentials {
  return { username, password }
}

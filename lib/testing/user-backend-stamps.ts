import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type BackendUnderTest, checksOf, newPassword, ODD_TEXTS } from './user-backend-under-test.ts'

/** The stamp that sessions of somebody are compared with at their next request. */
async function stampNow(on: BackendUnderTest, { id }: { id: string }): Promise<string> {
  return on.assertUser(await on.backend.load(id), id).stamp
}

/** What a stamp must not be: whoever sees it would have something to guess passwords by. */
function digestsOf(password: string): string[] {
  const digests = ['md5', 'sha1', 'sha256', 'sha512'].map(name => createHash(name).update(password).digest())
  return [password, ...digests.flatMap(one => (['hex', 'base64', 'base64url'] as const).map(as => one.toString(as)))]
}

/** Stamps, however somebody comes. */
export const stampChecks = checksOf([], {
  async 'A stamp is neither the password nor a plain digest of it.'(on) {
    const person = await on.add()
    const { stamp } = await on.userOf(person)
    for (const digest of digestsOf(person.password)) assert.ok(!stamp.includes(digest), 'a stamp tells the password')
  },

  async 'A stamp stays from one request to the next.'(on) {
    const person = await on.add()
    const user = await on.userOf(person)
    for (let request = 0; request < 3; request++) {
      assert.equal((await on.again(user))?.stamp, user.stamp)
      assert.equal((await on.userOf(person)).stamp, user.stamp)
    }
  },
})

/** Stamps beside logins. */
export const stampAndLoginChecks = checksOf(['authenticate', 'load'], {
  async 'A login, and one that fails, leave the stamp: no session ends by it.'(on) {
    const person = await on.add()
    const stamp = await stampNow(on, person)
    const { username, password } = person
    await on.login({ username, password: `${password}?` })
    assert.equal((await on.login({ username, password }))?.stamp, stamp)
    assert.equal(await stampNow(on, person), stamp)
  },
})

/** Stamps of people who get another password. */
export const stampAndPasswordChecks = checksOf(['load', 'setPassword'], {
  async 'Another password makes another stamp, and leaves the stamps of others.'(on) {
    const [person, other] = [await on.add(), await on.add()]
    const [stamp, others] = [await stampNow(on, person), await stampNow(on, other)]
    await on.setup.setPassword!(person.id, newPassword())
    assert.notEqual(await stampNow(on, person), stamp)
    assert.equal(await stampNow(on, other), others)
  },

  async 'The password of before does not bring the stamp of before back.'(on) {
    const person = await on.add()
    const stamp = await stampNow(on, person)
    for (const password of [newPassword(), person.password]) await on.setup.setPassword!(person.id, password)
    assert.notEqual(await stampNow(on, person), stamp)
  },
})

/** Stamps of people who get another password while they log in. */
export const stampAndOldPasswordChecks = checksOf(['authenticate', 'load', 'setPassword'], {
  async 'A login with the password of before never carries the stamp of after, however close to the change it is.'(on) {
    const { id, username, password } = await on.add()
    const underway = on.login({ username, password })
    await on.setup.setPassword!(id, newPassword())
    for (const user of [await underway, await on.login({ username, password })])
      if (user) assert.notEqual(user.stamp, await stampNow(on, user), 'an old password counts as the new one')
  },
})

/** endSessions. */
export const endSessionsChecks = checksOf(['endSessions', 'load'], {
  async 'endSessions answers the stamp that load shows from then on.'(on) {
    const person = await on.add()
    const before = await stampNow(on, person)
    const stamp = await on.backend.endSessions!(person.id)
    assert.equal(typeof stamp, 'string')
    assert.notEqual(stamp, before)
    for (let load = 0; load < 2; load++) assert.equal(await stampNow(on, person), stamp)
  },

  async 'endSessions makes a stamp that never was, each time.'(on) {
    const person = await on.add()
    const stamps = [await stampNow(on, person)]
    for (let time = 0; time < 10; time++) stamps.push((await on.backend.endSessions!(person.id))!)
    assert.equal(new Set(stamps).size, 11)
  },

  async 'endSessions calls at once answer each a stamp of its own, and the last of them holds.'(on) {
    const person = await on.add()
    const calls = Array.from({ length: 10 }, () => on.backend.endSessions!(person.id))
    const stamps = await Promise.all(calls)
    assert.equal(new Set(stamps).size, 10)
    assert.ok(stamps.includes(await stampNow(on, person)), 'load shows a stamp that no call answered')
  },

  async 'endSessions leaves the stamps of others.'(on) {
    const [person, other] = [await on.add(), await on.add()]
    const stamp = await stampNow(on, other)
    await on.backend.endSessions!(person.id)
    assert.equal(await stampNow(on, other), stamp)
  },

  async 'endSessions answers null for ids that nobody has, whatever is in them.'(on) {
    await on.add()
    for (const id of ODD_TEXTS) assert.equal(await on.backend.endSessions!(id), null, id)
  },

  async 'endSessions leaves somebody who they are, and able to log in.'(on) {
    const person = await on.add()
    const stamp = await on.backend.endSessions!(person.id)
    const user = await on.userOf(person)
    assert.deepEqual([user.isActive, user.stamp], [true, stamp])
  },
})

import assert from 'node:assert/strict'
import type { SessionData } from '../sessions/store.ts'
import { userProblem } from '../users/backend.ts'
import { carried, checksOf } from './user-backend-under-test.ts'
import { assertTellsNoSecret } from './user-backend-users.ts'

/** What is no description of anybody. */
const NOBODY: readonly unknown[] = [
  null,
  undefined,
  true,
  7,
  '',
  'alice',
  [],
  ['alice'],
  {},
  { id: null },
  { id: 7 },
  { id: '' },
  { id: ['alice'] },
  { id: {} },
  { id: 'x'.repeat(1025) },
  { id: '\ud800' },
  { user: 'alice' },
  JSON.parse('{"__proto__":{"id":"alice"}}'),
]

/** toSession and fromSession. */
export const snapshotChecks = checksOf(['toSession'], {
  async 'fromSession comes with toSession.'(on) {
    assert.equal(typeof on.backend.fromSession, 'function')
  },

  async 'A snapshot that went through JSON is the same user again.'(on) {
    const user = await on.userOf(await on.add())
    const again = on.assertUser(await on.again(user), user.id)
    for (const field of ['key', 'username', 'email', 'isActive', 'isStaff', 'isSuperuser', 'stamp'] as const)
      assert.equal(again[field], user[field], field)
  },

  async 'A snapshot is a plain object that JSON does not change.'(on) {
    const snapshot = on.backend.toSession!(await on.userOf(await on.add()))
    assert.deepEqual(carried(snapshot), snapshot)
    assert.equal(Object.getPrototypeOf(snapshot), Object.prototype)
  },

  async 'A snapshot made of a user from a snapshot is the same.'(on) {
    const user = await on.userOf(await on.add())
    const snapshot = on.backend.toSession!(user)
    assert.deepEqual(on.backend.toSession!((await on.again(user))!), snapshot)
  },

  async 'A snapshot holds neither the password nor what it is kept as.'(on) {
    const person = await on.add()
    assertTellsNoSecret(on.backend.toSession!(await on.userOf(person)), person.password)
  },

  async 'fromSession answers null for what describes nobody, and does not throw.'(on) {
    for (const snapshot of NOBODY) assert.equal(on.backend.fromSession!(snapshot as SessionData), null)
  },

  async 'fromSession answers a whole user or null for a snapshot that was changed, and none of another backend.'(on) {
    const snapshot = on.backend.toSession!(await on.userOf(await on.add()))
    for (const key of [...Object.keys(snapshot), 'id', 'username', 'email', 'stamp', 'permissions', 'backend', 'key']) {
      for (const value of [undefined, null, 7, true, '', 'another', [7], { x: 1 }, 'x'.repeat(2000)]) {
        const user = on.backend.fromSession!({ ...carried(snapshot), [key]: value })
        if (user !== null) assert.equal(userProblem(on.backend, user), null, `${key}: ${String(value)}`)
      }
    }
  },
})

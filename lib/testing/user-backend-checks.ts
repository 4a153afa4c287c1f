import { deactivatedChecks, loadChecks, loadManyChecks, removedChecks } from './user-backend-loads.ts'
import { goneChecks, identifyChecks, lockedOutChecks, loginChecks, newPasswordChecks } from './user-backend-logins.ts'
import { snapshotChecks } from './user-backend-snapshots.ts'
import {
  endSessionsChecks,
  stampAndLoginChecks,
  stampAndOldPasswordChecks,
  stampAndPasswordChecks,
  stampChecks,
} from './user-backend-stamps.ts'
import type { UserBackendCheck } from './user-backend-under-test.ts'
import { userChecks } from './user-backend-users.ts'

/**
 * The contract of `UserBackend` as data: a title that says what holds, and a check that rejects where it does not. For any test runner:
 *
 * ```ts
 * for (const [title, check] of Object.entries(userBackendChecks)) test(title, () => check(setup))
 * ```
 *
 * Checks may share a setup: each adds people of its own. Every backend passes every check, but for those whose `needs` name something that the
 * backend does not have or its setup cannot do: leave these out, for they reject. Credentials are `username` and `password`; a backend that
 * takes others, as a code of an identity provider, has its login tested by itself. No check waits for time to pass, and none tells how long a
 * refusal takes.
 */
export const userBackendChecks: Readonly<Record<string, UserBackendCheck>> = Object.freeze({
  ...userChecks,
  ...loadChecks,
  ...removedChecks,
  ...deactivatedChecks,
  ...loadManyChecks,
  ...loginChecks,
  ...newPasswordChecks,
  ...lockedOutChecks,
  ...goneChecks,
  ...identifyChecks,
  ...stampChecks,
  ...stampAndLoginChecks,
  ...stampAndPasswordChecks,
  ...stampAndOldPasswordChecks,
  ...endSessionsChecks,
  ...snapshotChecks,
})

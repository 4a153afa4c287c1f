import { callChecks, closeChecks } from './session-store-calls.ts'
import { clockChecks, expiryChecks } from './session-store-expiry.ts'
import { raceChecks } from './session-store-races.ts'
import { sweepChecks } from './session-store-sweep.ts'
import { destroyAllChecks, listChecks, userChecks } from './session-store-users.ts'
import { valueChecks } from './session-store-values.ts'
import type { SessionStoreCheck } from './store-under-test.ts'

/**
 * The contract of `SessionStore` as data: a title that says what holds, and a check that rejects where it does not. For any test runner:
 *
 * ```ts
 * for (const [title, check] of Object.entries(sessionStoreChecks)) test(title, () => check(setup))
 * ```
 *
 * Each check wants a setup of its own. Every store passes every check, but for those whose `needs` names an optional call that the store does
 * not have, or a clock (`setup.advance`): leave these out, for they reject. No check waits for time to pass.
 */
export const sessionStoreChecks: Readonly<Record<string, SessionStoreCheck>> = Object.freeze({
  ...callChecks,
  ...expiryChecks,
  ...clockChecks,
  ...valueChecks,
  ...userChecks,
  ...raceChecks,
  ...listChecks,
  ...destroyAllChecks,
  ...sweepChecks,
  ...closeChecks,
})

import type { StrataError } from '../errors.ts'
import type { AnyUser } from '../users/request-user.ts'

const failures = new WeakMap<object, StrataError>()

/** Notes that a user, who belongs to one request, goes without a profile since a source failed. */
export function withoutProfile(user: AnyUser, failure: StrataError): AnyUser {
  failures.set(user, failure)
  return user
}

/** Why it is not known whether the user has a profile; undefined where it is. */
export function profileFailureOf(user: object): StrataError | undefined {
  return failures.get(user)
}

import { isDuplicate } from '../../database/conflicts.ts'
import { PERMISSION_LENGTH } from '../../database/tables.ts'
import { UserExists, UserInvalid } from '../../errors.ts'
import { knownOptions } from '../../options.ts'
import { canonicalForm, emailProblem, usernameProblem } from '../canonical.ts'
import type { PasswordPolicy } from '../password-policy.ts'
import { hashPassword } from '../passwords.ts'
import type { UserRow } from './user.ts'

/** A user to be made. */
export interface NewUser {
  /** 1–150 characters that can be seen. No two users' names have one canonical form. */
  username: string
  /** Another name to log in by. @default null */
  email?: string | null | undefined
  /** Null: nobody logs in with one. @default null */
  password?: string | null | undefined
  /** @default true */
  isActive?: boolean | undefined
  /** @default false */
  isStaff?: boolean | undefined
  /** Whether they have every permission. @default false */
  isSuperuser?: boolean | undefined
}

/** The row of a user to be made. @throws UserInvalid with a message for each field that is wrong; nothing was hashed then */
export async function newUserRow(
  where: string,
  user: NewUser,
  policy: PasswordPolicy,
  now: number,
): Promise<Omit<UserRow, 'id'>> {
  knownOptions(where, user, ['username', 'email', 'password', 'isActive', 'isStaff', 'isSuperuser'])
  const { username, email = null, password = null, isActive = true, isStaff = false, isSuperuser = false } = user
  refuse({
    username: usernameProblem(username, email),
    email: email === null ? null : emailProblem(email),
    password: password === null ? null : await policy.problem(password, [username, email ?? '']),
    isActive: flagProblem(isActive),
    isStaff: flagProblem(isStaff),
    isSuperuser: flagProblem(isSuperuser),
  })
  return {
    username,
    username_canonical: canonicalForm(username),
    email,
    email_canonical: email === null ? null : canonicalForm(email),
    password: password === null ? null : await hashPassword(password),
    stamp_origin: null,
    is_active: isActive,
    is_staff: isStaff,
    is_superuser: isSuperuser,
    epoch: 0,
    last_login: null,
    created_at: now,
  }
}

/** @throws UserInvalid where it is no name of a permission: 1–255 characters that can be seen, no white space at either end */
export function checkPermissionName(permission: unknown): asserts permission is string {
  const isName =
    typeof permission === 'string' &&
    permission !== '' &&
    [...permission].length <= PERMISSION_LENGTH &&
    permission.isWellFormed() &&
    !/^\s|\s$|\p{Cc}/u.test(permission)
  refuse({ permission: isName ? null : "A permission must have a name of 1 to 255 characters, as 'openings.publish'." })
}

/** @throws UserInvalid where somebody who goes by these may not have this password */
export async function checkNewPassword(
  password: unknown,
  policy: PasswordPolicy,
  own: readonly string[],
): Promise<void> {
  refuse({ password: await policy.problem(password, own) })
}

/** What to throw for an insert that failed: UserExists where another user has the name or address, as the unique index says. */
export function accountError(error: unknown): unknown {
  return isDuplicate(error) ? new UserExists(takenField(error as Error)) : error
}

/** PostgreSQL names the index; the others name it at the end of their message, behind text that the client may have chosen. */
function takenField(error: Error & { constraint?: string; sqlMessage?: string }): 'username' | 'email' {
  const index = error.constraint ?? /(?:failed: |for key ')([^']+)'?$/.exec(error.sqlMessage ?? error.message)?.[1]
  return index?.includes('email_canonical') ? 'email' : 'username'
}

function flagProblem(value: unknown): string | null {
  return typeof value === 'boolean' ? null : 'This must be true or false.'
}

function refuse(problems: Record<string, string | null>): void {
  const wrong = Object.entries(problems).filter((one): one is [string, string] => one[1] !== null)
  if (wrong.length > 0) throw new UserInvalid(Object.fromEntries(wrong))
}

import { UserInvalid } from '../../errors.ts'
import { knownOptions } from '../../options.ts'
import { canonicalForm, emailProblem, usernameProblem } from '../canonical.ts'
import type { PasswordPolicy } from '../password-policy.ts'
import { hashPassword } from '../passwords.ts'
import type { UserRecord } from './columns.ts'
import type { UserTable } from './table.ts'

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

/**
 * The record of a user to be made.
 * @throws UserInvalid with a message for each field that is wrong; nothing was hashed then
 * @throws OptionInvalid for what the table has no column for
 */
export async function newRecord(
  where: string,
  table: UserTable,
  user: NewUser,
  policy: PasswordPolicy,
  now: number,
): Promise<Omit<UserRecord, 'id'>> {
  knownOptions(where, user, ['username', 'email', 'password', 'isActive', 'isStaff', 'isSuperuser'])
  const { username, email = null, password = null, isActive = true, isStaff = false, isSuperuser = false } = user
  // Where there are no addresses, none can be taken for a name.
  const ownEmail = table.columns.has('email') ? email : username
  refuse({
    username: usernameProblem(username, ownEmail),
    email: email === null ? null : emailProblem(email),
    password: password === null ? null : await policy.problem(password, [username, email ?? '']),
    isActive: flagProblem(isActive),
    isStaff: flagProblem(isStaff),
    isSuperuser: flagProblem(isSuperuser),
  })
  if (email !== null) table.columns.need(where, 'email')
  if (password !== null) table.columns.need(where, 'password')
  if (!isActive) table.columns.need(where, 'isActive')
  if (isStaff) table.columns.need(where, 'isStaff')
  if (isSuperuser) table.columns.need(where, 'isSuperuser')
  return {
    username,
    usernameCanonical: canonicalForm(username),
    email,
    emailCanonical: email === null ? null : canonicalForm(email),
    password: password === null ? null : await hashPassword(password),
    stampOrigin: null,
    isActive,
    isStaff,
    isSuperuser,
    epoch: '0',
    lastLogin: null,
    createdAt: table.columns.has('createdAt') ? now : null,
  }
}

/** @throws UserInvalid where this cannot be another address of the user, or where null cannot be the end of it */
export function checkNewEmail({ username, email }: UserRecord, next: string | null): void {
  if (next !== null) refuse({ email: emailProblem(next) })
  const isName = email !== null && canonicalForm(email) === canonicalForm(username)
  const stays = next !== null && canonicalForm(next) === canonicalForm(username)
  refuse({ email: isName && !stays ? 'This user goes by the e-mail address as a name, so it must stay.' : null })
}

/** @throws UserInvalid where somebody who goes by these may not have this password */
export async function checkNewPassword(
  password: unknown,
  policy: PasswordPolicy,
  own: readonly string[],
): Promise<void> {
  refuse({ password: await policy.problem(password, own) })
}

function flagProblem(value: unknown): string | null {
  return typeof value === 'boolean' ? null : 'This must be true or false.'
}

function refuse(problems: Record<string, string | null>): void {
  const wrong = Object.entries(problems).filter((one): one is [string, string] => one[1] !== null)
  if (wrong.length > 0) throw new UserInvalid(Object.fromEntries(wrong))
}

import { UserUnknown } from '../../errors.ts'
import { canonicalForm } from '../canonical.ts'
import type { PasswordPolicy } from '../password-policy.ts'
import { hashPassword } from '../passwords.ts'
import { checkNewEmail, checkNewPassword } from './accounts.ts'
import type { UserRecord } from './columns.ts'
import { checkPermissionName } from './names.ts'
import { stampOf } from './stamp.ts'
import type { UserTable } from './table.ts'
import { checkFree, storingError } from './taken.ts'

/** What can be changed about a user. Each change is one transaction. */
export interface UserChanges {
  /** Gives a new password, or with null none, and ends all sessions. @throws UserInvalid, naming `password`; UserUnknown */
  setPassword(id: string, password: string | null): Promise<void>
  /**
   * Gives another e-mail address, or with null none; sessions go on. A name that is the address cannot stay without it.
   * @throws UserInvalid, naming `email`; UserExists; UserUnknown
   */
  setEmail(id: string, email: string | null): Promise<void>
  /** Lets a user log in again; the sessions from before stay ended. @throws UserUnknown */
  activate(id: string): Promise<void>
  /** Locks a user out and ends all sessions. @throws UserUnknown */
  deactivate(id: string): Promise<void>
  /**
   * Removes a user, with permissions, memberships and identities, which ends all sessions. Profiles and feed tokens are the application's to remove;
   * the tokens open nothing any more.
   * @throws UserUnknown
   */
  delete(id: string): Promise<void>
  /** Gives a permission; one that the user has stays. @throws UserInvalid, naming `permission`; UserUnknown */
  grant(id: string, permission: string): Promise<void>
  /** Takes a permission that is the user's own; groups keep theirs. @throws UserInvalid, naming `permission`; UserUnknown */
  revoke(id: string, permission: string): Promise<void>
}

/** The changes of users in a table. @throws OptionInvalid from those that need a column, or a table beside it, that is not there */
export function userChanges(table: UserTable, policy: PasswordPolicy): UserChanges {
  const { columns } = table
  return {
    async setPassword(id, password) {
      columns.need('sqlUsers().setPassword()', 'password')
      const user = (await table.byIds([id]))[0]
      if (user?.id !== id) throw new UserUnknown()
      if (password !== null) await checkNewPassword(password, policy, [user.username, user.email ?? ''])
      const hash = password === null ? null : await hashPassword(password)
      await table.change(id, (trx, current) =>
        table.update(id, { password: hash, stampOrigin: null, epoch: nextEpoch(current) }, { trx }),
      )
    },
    async setEmail(id, email) {
      columns.need('sqlUsers().setEmail()', 'email')
      const change = { email, emailCanonical: typeof email === 'string' ? canonicalForm(email) : null }
      const changed = table.change(id, async (trx, current) => {
        checkNewEmail(current, email)
        await checkFree(table, { email }, trx, id)
        await table.update(id, change, { trx })
      })
      await changed.catch(async error => {
        throw await storingError(table, error, { email })
      })
    },
    async activate(id) {
      columns.need('sqlUsers().activate()', 'isActive')
      await table.change(id, async (trx, current) => {
        // Other hands may have locked the user out, and ended no sessions.
        if (!current.isActive) await table.update(id, { isActive: true, epoch: nextEpoch(current) }, { trx })
      })
    },
    async deactivate(id) {
      columns.need('sqlUsers().deactivate()', 'isActive')
      await table.change(id, (trx, current) =>
        table.update(id, { isActive: false, epoch: nextEpoch(current) }, { trx }),
      )
    },
    async delete(id) {
      await table.change(id, async trx => {
        // An SQLite may have been told not to keep foreign keys.
        const { userPermissions, groupMembers, identities } = table.companions ?? {}
        for (const beside of [userPermissions, groupMembers, identities]) {
          if (beside) await trx(beside).where({ user_id: id }).del()
        }
        await table.remove(id, trx)
      })
    },
    async grant(id, permission) {
      const { userPermissions } = table.companionsFor('sqlUsers().grant()')
      checkPermissionName(permission)
      await table.change(id, async trx => {
        await trx(userPermissions).insert({ user_id: id, permission }).onConflict(['user_id', 'permission']).ignore()
      })
    },
    async revoke(id, permission) {
      const { userPermissions } = table.companionsFor('sqlUsers().revoke()')
      checkPermissionName(permission)
      await table.change(id, async trx => {
        await trx(userPermissions).where({ user_id: id, permission }).del()
      })
    },
  }
}

/** Makes a user. @throws UserExists */
export async function createUser(table: UserTable, user: Omit<UserRecord, 'id'>): Promise<UserRecord> {
  const made = table.transaction(async trx => {
    await checkFree(table, user, trx)
    return { ...user, id: await table.insert(user, trx) }
  })
  return made.catch(async error => {
    throw await storingError(table, error, user)
  })
}

/** Ends all sessions of a user, who may be gone already (null), by the next epoch, and answers the stamp that it gives. */
export async function endSessions(table: UserTable, id: string): Promise<string | null> {
  try {
    return await table.change(id, async (trx, current) => {
      const epoch = nextEpoch(current)
      await table.update(id, { epoch }, { trx })
      return stampOf({ ...current, epoch })
    })
  } catch (error) {
    if (error instanceof UserUnknown) return null
    throw error
  }
}

function nextEpoch({ epoch }: UserRecord): string {
  return String(BigInt(epoch) + 1n)
}

import { publish } from '../../events.ts'
import { hashPassword, needsRenewal } from '../passwords.ts'
import type { UserRecord } from './columns.ts'
import { renewedOrigin } from './stamp.ts'
import type { UserTable } from './table.ts'

/**
 * Notes that a user has logged in with a password, and when, and renews a hash that is weaker than it could be. None of this is worth a failed
 * login: it is tried again at the next one.
 */
export async function noteLogin(
  table: UserTable,
  backend: string,
  user: UserRecord,
  password: string,
  now: number,
): Promise<void> {
  const { columns } = table
  const { id, password: hash } = user
  try {
    if (columns.has('lastLogin')) await table.update(id, { lastLogin: now })
    if (!columns.has('stampOrigin') || hash === null || !needsRenewal(hash)) return
    const renewed = await hashPassword(password)
    const change = { password: renewed, stampOrigin: renewedOrigin(user, renewed) }
    await table.update(id, change, { where: { password: hash } })
  } catch (error) {
    publish('koa-strata:backend-error', { backend, error })
  }
}

import type { Knex } from 'knex'
import { retried } from '../../database/conflicts.ts'

/** The permissions of the users with these ids, own and by their groups, in one query. */
export async function permissionsOf(knex: Knex, ids: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(ids.map(id => [id, []]))
  const own = () => knex('user_permissions').select('user_id', 'permission').whereIn('user_id', ids)
  const byGroup = () =>
    knex('group_members')
      .join('group_permissions', 'group_permissions.group_id', 'group_members.group_id')
      .select('group_members.user_id', 'group_permissions.permission')
      .whereIn('group_members.user_id', ids)
  const rows: { user_id: unknown; permission: string }[] = await retried(() => own().union(byGroup()))
  for (const { user_id, permission } of rows) found.get(String(user_id))?.push(permission)
  return found
}

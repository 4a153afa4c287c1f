import type { Knex } from 'knex'
import { BackendInvalid, OptionInvalid } from '../../errors.ts'
import { checkOptionalFunction } from '../../options.ts'
import type { UserTable } from './table.ts'

/** The permissions of the users with these ids, by id; none where an id is missing. */
export type PermissionSource = (ids: readonly string[]) => Promise<ReadonlyMap<string, Iterable<string>>>

/**
 * Where the permissions of users are: beside the library's own table; else where the application says.
 * @throws OptionInvalid in the name of `where` for what is no such function, or is not needed
 */
export function permissionsOf(
  where: string,
  knex: Knex,
  table: UserTable,
  backend: string,
  given: PermissionSource | undefined,
): PermissionSource {
  checkOptionalFunction(where, 'permissions', given)
  if (!table.companions) return given ? checked(backend, given) : async () => new Map()
  if (given)
    throw new OptionInvalid(
      where,
      'permissions',
      "must be left out for the library's own table: grant() and groups give them.",
    )
  const { userPermissions, groupMembers, groupPermissions } = table.companions
  return async ids => {
    const found = new Map<string, string[]>(ids.map(id => [id, []]))
    const own = () =>
      knex(userPermissions).select({ user: 'user_id', permission: 'permission' }).whereIn('user_id', ids)
    const byGroup = () =>
      knex({ members: groupMembers })
        .join({ granted: groupPermissions }, 'granted.group_id', 'members.group_id')
        .select({ user: 'members.user_id', permission: 'granted.permission' })
        .whereIn('members.user_id', ids)
    // Own and by their groups, in one query.
    const rows: { user: unknown; permission: unknown }[] = await table.run(() => own().union(byGroup()))
    for (const { user, permission } of rows) found.get(String(user))?.push(String(permission))
    return found
  }
}

/** What the application says, where it is what it should be: a text in place of a list would be taken for its letters. */
function checked(backend: string, source: PermissionSource): PermissionSource {
  return async ids => {
    const found: unknown = await source(ids)
    if (!(found instanceof Map)) throw new BackendInvalid(backend, 'was given permissions that are no Map of ids.')
    for (const permissions of found.values()) {
      if (permissions === null || typeof permissions !== 'object' || !(Symbol.iterator in permissions))
        throw new BackendInvalid(backend, 'was given permissions that are no list of texts.')
    }
    return found
  }
}

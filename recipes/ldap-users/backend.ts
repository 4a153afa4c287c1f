import { detachedUsers, type UserBackend } from 'koa-strata'
import type { Directory, Person } from './directory.ts'

/** What the members of each group may do. A group that is not in it gives nothing. */
export type GroupPermissions = ReadonlyMap<string, readonly string[]>

/**
 * People of a directory as users without a record here. It is asked who they are at every request: whoever leaves it is logged out by then, and
 * whoever leaves a group has lost what that gave.
 */
export function ldapUsers(directory: Directory, groups: GroupPermissions): UserBackend {
  const identityOf = (person: Person | null) =>
    person && {
      id: person.id,
      username: person.username,
      email: person.email,
      permissions: person.groups.flatMap(group => groups.get(group) ?? []),
      attributes: { name: person.name },
      stamp: person.stamp,
    }
  return detachedUsers({
    name: 'ldap',
    authenticate: async ({ username = '', password = '' }) =>
      identityOf(await directory.authenticate(username, password)),
    load: async id => identityOf(await directory.find(id)),
  })
}

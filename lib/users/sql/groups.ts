import type { Knex } from 'knex'
import { isDuplicate } from '../../database/conflicts.ts'
import { GroupExists, GroupUnknown } from '../../errors.ts'
import { knownOptions } from '../../options.ts'
import { checkGroupName, checkPermissionName, isGroupName } from './names.ts'
import { type Companions, insertRow, type UserTable } from './table.ts'

/** A group of users, who have its permissions beside their own. */
export interface SqlGroup {
  readonly name: string
  /** In alphabetical order. */
  readonly permissions: readonly string[]
}

/** Groups of users. Their names are exact: 'Editors' is another group than 'editors'. A change holds at the users' next request. */
export interface SqlGroups {
  /**
   * Makes a group, without members.
   * @throws UserInvalid, naming `name` or `permissions`; GroupExists
   */
  create(name: string, options?: { permissions?: Iterable<string> | undefined }): Promise<void>
  /** All groups with their permissions, in alphabetical order. */
  list(): Promise<SqlGroup[]>
  /** The names of the groups that a user is in, in alphabetical order. */
  of(userId: string): Promise<string[]>
  /** Removes a group; its members lose what it gave them. @throws GroupUnknown */
  delete(name: string): Promise<void>
  /** Gives a group a permission; one that it has stays. @throws UserInvalid, naming `permission`; GroupUnknown */
  grant(name: string, permission: string): Promise<void>
  /** Takes a permission from a group. @throws UserInvalid, naming `permission`; GroupUnknown */
  revoke(name: string, permission: string): Promise<void>
  /** Makes a user a member; who is one stays so. @throws UserUnknown; GroupUnknown */
  add(name: string, userId: string): Promise<void>
  /** Takes a user out of a group, if they are in it. @throws UserUnknown; GroupUnknown */
  remove(name: string, userId: string): Promise<void>
}

/** The groups beside the library's own table; beside another one every method rejects with OptionInvalid. */
export function sqlGroups(knex: Knex, table: UserTable): SqlGroups {
  const tablesFor = (method: string): Companions => table.companionsFor(`sqlUsers().groups.${method}()`)

  /** The id of a group, which nobody removes meanwhile. */
  const groupId = async (trx: Knex.Transaction, { groups }: Companions, name: unknown): Promise<string> => {
    const found = isGroupName(name) ? await trx(groups).where({ name }).forShare().first({ id: 'id' }) : undefined
    if (!found) throw new GroupUnknown()
    return String(found.id)
  }

  return {
    async create(name, options = {}) {
      const { groups, groupPermissions } = tablesFor('create')
      knownOptions('sqlUsers().groups.create()', options, ['permissions'])
      checkGroupName(name)
      const permissions = new Set(options.permissions ?? [])
      for (const permission of permissions) checkPermissionName(permission, 'permissions')
      await table
        .transaction(async trx => {
          const group_id = await insertRow(trx, groups, { name })
          if (permissions.size > 0)
            await trx(groupPermissions).insert([...permissions].map(permission => ({ group_id, permission })))
        })
        .catch(error => {
          throw isDuplicate(error) ? new GroupExists() : error
        })
    },
    async list() {
      const { groups, groupPermissions } = tablesFor('list')
      const rows: { name: unknown; permission: unknown }[] = await table.run(() =>
        knex({ made: groups })
          .leftJoin({ granted: groupPermissions }, 'granted.group_id', 'made.id')
          .select({ name: 'made.name', permission: 'granted.permission' }),
      )
      const found = new Map<string, string[]>()
      for (const { name, permission } of rows) {
        const permissions = found.get(String(name)) ?? []
        found.set(String(name), permission === null ? permissions : [...permissions, String(permission)])
      }
      return [...found.keys()].sort().map(name => ({ name, permissions: found.get(name)!.sort() }))
    },
    async of(userId) {
      const { groups, groupMembers } = tablesFor('of')
      if (!table.isId(userId)) return []
      const rows: { name: unknown }[] = await table.run(() =>
        knex({ made: groups })
          .join({ members: groupMembers }, 'members.group_id', 'made.id')
          .where('members.user_id', userId)
          .select({ name: 'made.name' }),
      )
      return rows.map(({ name }) => String(name)).sort()
    },
    async delete(name) {
      const tables = tablesFor('delete')
      await table.transaction(async trx => {
        const group_id = await groupId(trx, tables, name)
        // An SQLite may have been told not to keep foreign keys.
        await trx(tables.groupMembers).where({ group_id }).del()
        await trx(tables.groupPermissions).where({ group_id }).del()
        await trx(tables.groups).where({ id: group_id }).del()
      })
    },
    async grant(name, permission) {
      const tables = tablesFor('grant')
      checkPermissionName(permission)
      await table.transaction(async trx => {
        const granted = { group_id: await groupId(trx, tables, name), permission }
        await trx(tables.groupPermissions).insert(granted).onConflict(['group_id', 'permission']).ignore()
      })
    },
    async revoke(name, permission) {
      const tables = tablesFor('revoke')
      checkPermissionName(permission)
      await table.transaction(async trx => {
        const group_id = await groupId(trx, tables, name)
        await trx(tables.groupPermissions).where({ group_id, permission }).del()
      })
    },
    async add(name, userId) {
      const tables = tablesFor('add')
      await table.change(userId, async (trx, { id: user_id }) => {
        const member = { group_id: await groupId(trx, tables, name), user_id }
        await trx(tables.groupMembers).insert(member).onConflict(['group_id', 'user_id']).ignore()
      })
    },
    async remove(name, userId) {
      const tables = tablesFor('remove')
      await table.change(userId, async (trx, { id: user_id }) => {
        await trx(tables.groupMembers)
          .where({ group_id: await groupId(trx, tables, name), user_id })
          .del()
      })
    },
  }
}

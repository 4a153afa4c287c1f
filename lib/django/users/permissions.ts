import type { Knex } from 'knex'
import { textOf } from '../../database/answers.ts'
import type { DjangoModel } from './model.ts'
import type { DjangoTable } from './table.ts'

/** What a user has beside the row: permissions as `app_label.codename`, own ones and the groups', and the names of the groups. */
export interface Granted {
  readonly permissions: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

/** What somebody has who was granted nothing. */
export const NOTHING: Granted = { permissions: new Set(), groups: new Set() }

interface Row {
  user: unknown
  app: unknown
  name: unknown
}

/** What users have, by their ids: few enough for one statement. */
export type Grants = (ids: readonly string[]) => Promise<ReadonlyMap<string, Granted>>

/** Asks Django's tables what users have, all of it by one statement. */
export function grantsIn(knex: Knex, model: DjangoModel, table: DjangoTable): Grants {
  const { permissionTables } = model
  if (!permissionTables) return async () => new Map()
  const { userGroups, userPermissions, userColumn, groups, groupPermissions, permissions, contentTypes } =
    permissionTables

  const named = (granted: Knex.QueryBuilder, user: string, by: string) =>
    granted
      .join({ permission: permissions }, 'permission.id', by)
      .join({ type: contentTypes }, 'type.id', 'permission.content_type_id')
      .select({ user, app: 'type.app_label', name: 'permission.codename' })
  const statement = (ids: ReturnType<DjangoTable['ids']['bound']>) => {
    const user = `member.${userColumn}`
    const own = named(knex({ member: userPermissions }), user, 'member.permission_id').whereIn(user, ids)
    const members = () => knex({ member: userGroups }).whereIn(user, ids)
    const byGroup = members().join({ granted: groupPermissions }, 'granted.group_id', 'member.group_id')
    const ofGroups = members()
      .join({ team: groups }, 'team.id', 'member.group_id')
      .select({ user, app: knex.raw('null'), name: 'team.name' })
    // All of them: a collation may take two names for one.
    return own.unionAll([named(byGroup, user, 'granted.permission_id'), ofGroups])
  }

  return async ids => {
    const bound = table.ids.bound(ids)
    const rows: Row[] = bound.length === 0 ? [] : await table.run(() => statement(bound))
    const found = new Map(ids.map(id => [id, { permissions: new Set<string>(), groups: new Set<string>() }]))
    for (const row of rows) {
      const [user, app, name] = [textOf(row.user) ?? '', textOf(row.app), textOf(row.name) ?? '']
      const granted = found.get(table.ids.read(user))
      if (app === null) granted?.groups.add(name)
      else granted?.permissions.add(`${app}.${name}`)
    }
    return found
  }
}

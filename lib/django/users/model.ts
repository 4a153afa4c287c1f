import { checkColumnName, checkTableName } from '../../database/tables.ts'
import { OptionInvalid } from '../../errors.ts'
import { checkOneOf, checkText, isPlainObject, knownOptions } from '../../options.ts'
import { ID_TYPES, type IdType } from '../../users/sql/ids.ts'

/** What the columns of users are called, where they are not as Django's own `User` has them. Null: the model has no such field. */
export interface DjangoColumns {
  /** The primary key. @default 'id' */
  id?: string | undefined
  /** The `USERNAME_FIELD`, which may be the column of e-mail addresses. @default 'username' */
  username?: string | undefined
  /** @default 'password' */
  password?: string | undefined
  /** The `EMAIL_FIELD`. Without it nobody logs in by an address. @default 'email' */
  email?: string | null | undefined
  /** @default 'first_name' */
  firstName?: string | null | undefined
  /** @default 'last_name' */
  lastName?: string | null | undefined
  /** Without it everybody is. @default 'is_active' */
  isActive?: string | null | undefined
  /** Without it nobody is. @default 'is_staff' */
  isStaff?: string | null | undefined
  /** Without it nobody is. @default 'is_superuser', or null without `permissionsMixin` */
  isSuperuser?: string | null | undefined
  /** @default 'last_login' */
  lastLogin?: string | null | undefined
  /** @default 'date_joined' */
  dateJoined?: string | null | undefined
}

/** Which model of Django's its users are. */
export interface DjangoModelOptions {
  /** `AUTH_USER_MODEL` of Django's settings. @default 'auth.User' */
  model?: string | undefined
  /**
   * The model's table, where its `Meta.db_table` says another; `schema.table` is understood, for all of Django's tables.
   * @default '<app label>_<model in lower case>'
   */
  table?: string | undefined
  /** The model's columns. @default those of Django's own `User` */
  columns?: DjangoColumns | undefined
  /** What the primary key is. UUIDs are found as each database has them, and written in lower case with hyphens. @default 'integer' */
  idType?: IdType | undefined
  /** Whether the model has Django's `PermissionsMixin`. Without it there are no groups, and only superusers have permissions. @default true */
  permissionsMixin?: boolean | undefined
}

/** What there is of a user. */
export type DjangoColumn = keyof DjangoColumns

/** The tables that say who has which permission. */
export interface PermissionTables {
  readonly userGroups: string
  readonly userPermissions: string
  /** The column of both that holds the user. */
  readonly userColumn: string
  readonly groups: string
  readonly groupPermissions: string
  readonly permissions: string
  readonly contentTypes: string
}

/** The columns of Django's own `User`. */
const USER: Readonly<Record<DjangoColumn, string>> = {
  id: 'id',
  username: 'username',
  password: 'password',
  email: 'email',
  firstName: 'first_name',
  lastName: 'last_name',
  isActive: 'is_active',
  isStaff: 'is_staff',
  isSuperuser: 'is_superuser',
  lastLogin: 'last_login',
  dateJoined: 'date_joined',
}
const NEEDED: readonly DjangoColumn[] = ['id', 'username', 'password']
const MODEL = /^[\p{L}_][\p{L}\p{N}_]*\.[\p{L}_][\p{L}\p{N}_]*$/u

/** What the tables and columns of Django's users are called, by Django's own rules. */
export class DjangoModel {
  readonly table: string
  readonly idType: IdType
  /** Null without Django's `PermissionsMixin`. */
  readonly permissionTables: PermissionTables | null
  readonly #columns: Readonly<Record<DjangoColumn, string | null>>

  /** @throws OptionInvalid in the name of `where` */
  constructor(where: string, options: DjangoModelOptions) {
    const { model = 'auth.User', columns = {}, idType = 'integer', permissionsMixin = true } = options
    checkText(where, 'model', model, MODEL, "must be AUTH_USER_MODEL of Django's settings, as 'auth.User'.")
    const [app, name] = model.split('.')
    const modelName = name!.toLowerCase()
    const { table = `${app}_${modelName}` } = options
    checkTableName(where, table, 'auth_user')
    checkOneOf(where, 'idType', idType, ID_TYPES)
    checkOneOf(where, 'permissionsMixin', permissionsMixin, [true, false])
    this.table = table
    this.idType = idType
    this.#columns = settleColumns(where, columns, permissionsMixin)
    const schema = /^.+\./.exec(table)?.[0] ?? ''
    this.permissionTables = permissionsMixin
      ? {
          userGroups: `${table}_groups`,
          userPermissions: `${table}_user_permissions`,
          userColumn: `${modelName}_id`,
          groups: `${schema}auth_group`,
          groupPermissions: `${schema}auth_group_permissions`,
          permissions: `${schema}auth_permission`,
          contentTypes: `${schema}django_content_type`,
        }
      : null
  }

  /** The name of a column, or null where the model has no such field. */
  column(column: 'id' | 'username' | 'password'): string
  column(column: DjangoColumn): string | null
  column(column: DjangoColumn): string | null {
    return this.#columns[column]
  }
}

function settleColumns(where: string, given: DjangoColumns, hasMixin: boolean): Record<DjangoColumn, string | null> {
  if (!isPlainObject(given)) throw new OptionInvalid(where, 'columns', "must be an object, as { username: 'email' }.")
  const keys = Object.keys(USER) as DjangoColumn[]
  knownOptions(where, given, keys)
  const settled = keys.map(key => {
    const { [key]: name = key === 'isSuperuser' && !hasMixin ? null : USER[key] } = given
    if (name !== null || NEEDED.includes(key)) checkColumnName(where, `columns.${key}`, name, USER[key])
    return [key, name]
  })
  return Object.fromEntries(settled)
}

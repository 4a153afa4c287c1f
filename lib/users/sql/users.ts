import type { Knex } from 'knex'
import { type Description, describe } from '../../described.ts'
import { OptionInvalid } from '../../errors.ts'
import { checkClock, knownOptions } from '../../options.ts'
import { checkBackendName, type UserBackend } from '../backend.ts'
import { type PasswordPolicyOptions, settlePasswordPolicy } from '../password-policy.ts'
import { verifyPassword } from '../passwords.ts'
import type { AuthenticatedUser } from '../user.ts'
import { type NewUser, newRecord } from './accounts.ts'
import { createUser, endSessions, type UserChanges, userChanges } from './changes.ts'
import type { UserColumns, UserRecord } from './columns.ts'
import { type SqlGroups, sqlGroups } from './groups.ts'
import { type AttachOptions, Identities, type Identity } from './identities.ts'
import type { IdType } from './ids.ts'
import { userBy } from './lookup.ts'
import { noteLogin } from './noted-login.ts'
import { type PermissionSource, permissionsOf } from './permissions.ts'
import { UserTable } from './table.ts'
import { SqlUser } from './user.ts'

/** Options of `sqlUsers()`. */
export interface SqlUsersOptions {
  /** The backend's name: part of the users' keys. @default 'sql' */
  name?: string | undefined
  /**
   * The table; `schema.table` is understood. `users`, made by `migrate(knex)`, is the library's own: permissions, groups and identities are kept
   * in tables beside it. Of another one, of the same columns or of those that `columns` names, only the users are known: grants, groups and
   * `attach()` are refused there, with an OptionInvalid. @default 'users'
   */
  table?: string | undefined
  /** What the columns of a table of the application are called, where it is not as the library's own, if only by a name. @default the library's */
  columns?: UserColumns | undefined
  /**
   * What the ids of a table of the application are: integers above 0 that the database gives, UUIDs, or texts of at most 1,024 bytes. Of the
   * latter two `create()` makes random UUIDs. @default 'integer'
   */
  idType?: IdType | undefined
  /**
   * The permissions of users in a table of the application, by id; asked for each time that users are. It rejects where it cannot say.
   * @default none
   */
  permissions?: PermissionSource | undefined
  /** What `create` and `setPassword` ask of a new password. @default at least 15 characters, and none of the common ones */
  passwords?: PasswordPolicyOptions | undefined
  /**
   * How long a statement may go without an answer of the server, in milliseconds, until its connection is given up for another one.
   * Transactions are waited for, and so is SQLite. @default 5,000
   */
  timeout?: number | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** What tells a user: one of these. */
export type UserSearch = { id: string } | { username: string } | { email: string } | { identity: Identity }

/** Users in a table of the application: as `SqlUsers`, but that only a table with a column for epochs ends sessions by itself. */
export interface MappedSqlUsers extends UserBackend, UserChanges {
  /** The active user who has this `username`, which may be their e-mail address, and `password`; else null, after the same work. */
  authenticate(credentials: Readonly<Record<string, string>>): Promise<SqlUser | null>
  load(id: string): Promise<SqlUser | null>
  /** The user of this name, active or not, for whom a proxy vouches. */
  identify(name: string): Promise<SqlUser | null>
  loadMany(ids: string[]): Promise<(SqlUser | null)[]>
  /**
   * Makes a user.
   * @throws UserInvalid with a message for each field that is wrong
   * @throws UserExists where another user has the name or the e-mail address
   */
  create(user: NewUser): Promise<SqlUser>
  /**
   * The user with this id, name or e-mail address, or the one whom this identity of another backend was attached to; or null. Names and addresses
   * are compared in canonical form.
   */
  find(by: UserSearch): Promise<SqlUser | null>
  /**
   * The local user of somebody whom another backend vouches for: made at the first call, on purpose, and the same one ever after, whatever they
   * are called by then. They have no password. Nobody is taken for a user who is there already because of a name. The profiles of `profiles` go
   * over with the user, all or none, and once.
   * @throws UserInvalid where the name or address cannot be one here: hand over another
   * @throws UserExists where somebody else has it: hand over another
   */
  attach(user: AuthenticatedUser, options?: AttachOptions): Promise<SqlUser>
  /** Groups of users, with permissions of their own. */
  readonly groups: SqlGroups
}

/** Users in an SQL database: a backend for `users()`, and the way to manage them. What fails in the database rejects with its error. */
export interface SqlUsers extends MappedSqlUsers {
  /** Ends all sessions of the user, who may be gone already (null), and answers the stamp of the next ones. */
  endSessions(id: string): Promise<string | null>
}

/** What an `sqlUsers()` was made with. */
export interface SqlUsersDescription extends Description {
  readonly by: 'sqlUsers()'
  readonly table: UserTable
}

/** How many users are asked for at once. */
const BATCH = 500
const KNOWN = ['name', 'table', 'columns', 'idType', 'permissions', 'passwords', 'timeout', 'now']

/**
 * Users in the tables that `migrate(knex)` makes, or in a table of the application. Names and e-mail addresses are compared in one canonical
 * form (NFKC, lower case), by the database and again after it, so that no collation lets one user in as another. Passwords are hashed with
 * argon2id; older and foreign hashes are renewed at a login, without ending sessions. A change in the database holds from the next request.
 * What changes something is one transaction. It opens nothing: the knex instance stays yours to destroy.
 * @throws OptionInvalid naming the option that is wrong; methods throw it too, for what the table has no column for
 */
export function sqlUsers(knex: Knex, options?: SqlUsersOptions & { columns?: undefined }): SqlUsers
export function sqlUsers(knex: Knex, options: SqlUsersOptions): MappedSqlUsers
export function sqlUsers(knex: Knex, options: SqlUsersOptions = {}): MappedSqlUsers {
  const where = 'sqlUsers()'
  knownOptions(where, options, KNOWN)
  const { name = 'sql', passwords = {}, now = Date.now } = options
  const table = new UserTable(where, knex, options)
  checkBackendName(where, name)
  checkClock(where, now)
  const policy = settlePasswordPolicy(where, passwords)
  const permissions = permissionsOf(where, knex, table, name, options.permissions)
  const identities = new Identities(knex, table, name)
  const groups = sqlGroups(knex, table)

  const usersOf = async (records: readonly UserRecord[]): Promise<Map<string, SqlUser>> => {
    if (records.length === 0) return new Map()
    const granted = await permissions(records.map(({ id }) => id))
    return new Map(records.map(record => [record.id, new SqlUser(name, record, granted.get(record.id))]))
  }
  const userOf = async (record: UserRecord): Promise<SqlUser> => (await usersOf([record])).get(record.id)!

  const backend: MappedSqlUsers = {
    name,
    stampFollowsPassword: true,
    groups,
    ...userChanges(table, policy),
    async authenticate({ username, password }) {
      if (typeof username !== 'string' || typeof password !== 'string') return null
      const found = await userBy(table, username, ['username', 'email'])
      const isRight = await verifyPassword(password, found?.password ?? null)
      if (!found || !isRight || !found.isActive) return null
      const user = await userOf(found)
      await noteLogin(table, name, found, password, now())
      return user
    },
    load: async id => (await backend.loadMany([id]))[0] ?? null,
    async loadMany(ids) {
      const asked = [...new Set(ids)]
      const found = new Map<string, SqlUser>()
      for (let from = 0; from < asked.length; from += BATCH) {
        const users = await usersOf(await table.byIds(asked.slice(from, from + BATCH)))
        for (const [id, user] of users) found.set(id, user)
      }
      return ids.map(id => found.get(id) ?? null)
    },
    identify: username => backend.find({ username }),
    async find(by) {
      const method = 'sqlUsers().find()'
      knownOptions(method, by, ['id', 'username', 'email', 'identity'])
      if (Object.keys(by).length !== 1)
        throw new OptionInvalid(method, 'by', 'must be one of { id }, { username }, { email } and { identity }.')
      if ('id' in by) return backend.load(by.id)
      const found =
        'identity' in by
          ? await identities.userOf(method, by.identity)
          : 'email' in by
            ? await userBy(table, by.email, ['email'])
            : await userBy(table, by.username, ['username'])
      return found ? userOf(found) : null
    },
    create: async user =>
      userOf(await createUser(table, await newRecord('sqlUsers().create()', table, user, policy, now()))),
    async attach(user, attaching = {}) {
      const method = 'sqlUsers().attach()'
      identities.check(method, user, attaching)
      const attached = await identities.userOf(method, user)
      if (attached) return userOf(attached)
      const { username = user.username, email = user.email } = attaching
      const record = await newRecord(method, table, { username, email }, policy, now())
      return userOf(await identities.attach(method, user, record, attaching))
    },
  }
  if (table.columns.has('epoch')) backend.endSessions = id => endSessions(table, id)
  return describe(backend, { by: 'sqlUsers()', table } satisfies SqlUsersDescription)
}

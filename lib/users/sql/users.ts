import type { Knex } from 'knex'
import { retried } from '../../database/conflicts.ts'
import { dialectOf } from '../../database/dialects.ts'
import { checkTableName, users } from '../../database/tables.ts'
import { OptionInvalid, UserUnknown } from '../../errors.ts'
import { checkClock, knownOptions } from '../../options.ts'
import { checkBackendName, type UserBackend } from '../backend.ts'
import { canonicalLogin } from '../canonical.ts'
import { type PasswordPolicyOptions, settlePasswordPolicy } from '../password-policy.ts'
import { hashPassword, needsRenewal, verifyPassword } from '../passwords.ts'
import { accountError, checkNewPassword, checkPermissionName, type NewUser, newUserRow } from './accounts.ts'
import { permissionsOf } from './permissions.ts'
import { renewedOrigin, stampOf } from './stamp.ts'
import { isTrue, SqlUser, type UserRow } from './user.ts'

/** Options of `sqlUsers()`. */
export interface SqlUsersOptions {
  /** The backend's name: part of the users' keys. @default 'sql' */
  name?: string | undefined
  /** The table, made by `migrate(knex)` or of the same columns; `schema.table` is understood. @default 'users' */
  table?: string | undefined
  /** What `create` and `setPassword` ask of a new password. @default at least 15 characters, and none of the common ones */
  passwords?: PasswordPolicyOptions | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** What tells a user: one of these. */
export type UserSearch = { id: string } | { username: string } | { email: string }

/** Users in an SQL database: a backend for `users()`, and the way to manage them. What fails in the database rejects with its error. */
export interface SqlUsers extends UserBackend {
  /** The active user who has this `username`, which may be their e-mail address, and `password`; else null, after the same work. */
  authenticate(credentials: Readonly<Record<string, string>>): Promise<SqlUser | null>
  load(id: string): Promise<SqlUser | null>
  loadMany(ids: string[]): Promise<(SqlUser | null)[]>
  /** Ends all sessions of the user, who may be gone already (null), and answers the stamp of the next ones. */
  endSessions(id: string): Promise<string | null>
  /**
   * Makes a user.
   * @throws UserInvalid with a message for each field that is wrong
   * @throws UserExists where another user has the name or the e-mail address
   */
  create(user: NewUser): Promise<SqlUser>
  /** The user with this id, name or e-mail address, or null. Names and addresses are compared in canonical form. */
  find(by: UserSearch): Promise<SqlUser | null>
  /** Gives a new password, or with null none, and ends all sessions. @throws UserInvalid, naming `password`; UserUnknown */
  setPassword(id: string, password: string | null): Promise<void>
  /** Locks a user out and ends all sessions. @throws UserUnknown */
  deactivate(id: string): Promise<void>
  /** Gives a permission; one that the user has stays. @throws UserInvalid, naming `permission`; UserUnknown */
  grant(id: string, permission: string): Promise<void>
  /** Takes a permission that is the user's own; groups keep theirs. @throws UserInvalid, naming `permission`; UserUnknown */
  revoke(id: string, permission: string): Promise<void>
}

/** What the columns of ids hold at most. */
const LARGEST_ID = 2n ** 63n - 1n

/**
 * Users in the tables that `migrate(knex)` makes. Names and e-mail addresses are compared in one canonical form (NFKC, lower case), by the
 * database and again after it, so that no collation lets one user in as another. Passwords are hashed with argon2id; older and foreign hashes
 * are renewed at a login, without ending sessions. A change in the database holds from the next request. It opens nothing: the knex instance
 * stays yours to destroy.
 * @throws OptionInvalid naming the option that is wrong
 */
export function sqlUsers(knex: Knex, options: SqlUsersOptions = {}): SqlUsers {
  const where = 'sqlUsers()'
  const dialect = dialectOf(where, knex)
  knownOptions(where, options, ['name', 'table', 'passwords', 'now'])
  const { name = 'sql', table = 'users', passwords = {}, now = Date.now } = options
  checkBackendName(where, name)
  checkTableName(where, table, 'users')
  checkClock(where, now)
  const policy = settlePasswordPolicy(where, passwords)

  const rows = () => knex<UserRow>(table)
  const select = (restrict: (query: Knex.QueryBuilder) => void): Promise<UserRow[]> =>
    retried(() => knex(table).select<UserRow[]>(users.columns).where(restrict))
  const usersOf = async (found: readonly UserRow[]): Promise<Map<string, SqlUser>> => {
    const byId = new Map(found.map(row => [String(row.id), row]))
    if (byId.size === 0) return new Map()
    const permissions = await permissionsOf(knex, [...byId.keys()])
    return new Map([...byId].map(([id, row]) => [id, new SqlUser(name, row, permissions.get(id))]))
  }
  const userOf = async (row: UserRow | undefined): Promise<SqlUser | null> =>
    row ? ((await usersOf([row])).get(String(row.id)) ?? null) : null

  /** Whoever goes by this, compared again by code point: the database may think other texts equal. */
  const rowsBy = async (typed: unknown, columns: ('username_canonical' | 'email_canonical')[]) => {
    const canonical = typeof typed === 'string' ? canonicalLogin(typed) : null
    if (canonical === null) return []
    const found = await select(query => {
      for (const column of columns) query.orWhere(column, canonical)
    })
    return columns.flatMap(column => found.filter(row => row[column] === canonical))
  }
  const update = async (id: string, change: Knex.DbRecord<UserRow>): Promise<void> => {
    if ((await retried(() => rows().where({ id }).update(change))) === 0) throw new UserUnknown()
  }
  const nextEpoch = () => ({ epoch: knex.raw('?? + 1', 'epoch') as unknown as number })
  const withUser = (id: string, change: (trx: Knex.Transaction) => PromiseLike<unknown>): Promise<void> =>
    retried(() =>
      knex.transaction(async trx => {
        if (!(await trx(table).where({ id }).forUpdate().first('id'))) throw new UserUnknown()
        await change(trx)
      }),
    )

  /** None of this is worth a failed login: it is tried again at the next one. */
  const noteLogin = async (row: UserRow, password: string): Promise<void> => {
    try {
      const { password: hash } = row
      const id = String(row.id)
      await retried(() => rows().where({ id }).update({ last_login: now() }))
      if (hash === null || !needsRenewal(hash)) return
      const renewed = await hashPassword(password)
      const change = { password: renewed, stamp_origin: renewedOrigin(row, renewed) }
      await retried(() => rows().where({ id, password: hash }).update(change))
    } catch {}
  }

  const backend: SqlUsers = {
    name,
    async authenticate({ username, password }) {
      if (typeof username !== 'string' || typeof password !== 'string') return null
      const [row] = await rowsBy(username, ['username_canonical', 'email_canonical'])
      const isRight = await verifyPassword(password, row?.password ?? null)
      if (!row || !isRight || !isTrue(row.is_active)) return null
      const user = await userOf(row)
      await noteLogin(row, password)
      return user
    },
    load: async id => (await backend.loadMany([id]))[0] ?? null,
    async loadMany(ids) {
      const asked = [...new Set(ids.filter(isRowId))]
      const found = await usersOf(asked.length > 0 ? await select(query => query.whereIn('id', asked)) : [])
      return ids.map(id => found.get(id) ?? null)
    },
    async endSessions(id) {
      if (!isRowId(id)) return null
      const row = await retried(() =>
        knex.transaction(async (trx): Promise<UserRow | undefined> => {
          // The update comes first, so that nobody else changes the row before it is read.
          await trx<UserRow>(table).where({ id }).update(nextEpoch())
          const [found] = await trx(table).select<UserRow[]>(users.columns).where({ id })
          return found
        }),
      )
      return row ? stampOf(row, isTrue(row.is_active)) : null
    },
    async create(user) {
      const row = await newUserRow('sqlUsers().create()', user, policy, now())
      const insert = () => (dialect.name === 'postgresql' ? rows().insert(row, ['id']) : rows().insert(row))
      const [inserted] = await retried<(number | Pick<UserRow, 'id'>)[]>(insert).catch(error => {
        throw accountError(error)
      })
      const id = typeof inserted === 'object' ? inserted.id : inserted!
      return new SqlUser(name, { ...row, id })
    },
    async find(by) {
      knownOptions('sqlUsers().find()', by, ['id', 'username', 'email'])
      if (Object.keys(by).length !== 1)
        throw new OptionInvalid('sqlUsers().find()', 'by', 'must be one of { id }, { username } and { email }.')
      if ('id' in by) return backend.load(by.id)
      const [row] =
        'email' in by ? await rowsBy(by.email, ['email_canonical']) : await rowsBy(by.username, ['username_canonical'])
      return userOf(row)
    },
    async setPassword(id, password) {
      const user = await backend.load(rowId(id))
      if (!user) throw new UserUnknown()
      if (password !== null) await checkNewPassword(password, policy, [user.username, user.email ?? ''])
      const hash = password === null ? null : await hashPassword(password)
      await update(id, { password: hash, stamp_origin: null, ...nextEpoch() })
    },
    async deactivate(id) {
      await update(rowId(id), { is_active: false, ...nextEpoch() })
    },
    async grant(id, permission) {
      checkPermissionName(permission)
      const user_id = rowId(id)
      await withUser(user_id, trx =>
        trx('user_permissions').insert({ user_id, permission }).onConflict(['user_id', 'permission']).ignore(),
      )
    },
    async revoke(id, permission) {
      checkPermissionName(permission)
      const user_id = rowId(id)
      await withUser(user_id, trx => trx('user_permissions').where({ user_id, permission }).del())
    },
  }
  return backend
}

/** Ids of rows are decimal numbers in the one way to write them. All else never reaches the database, which might read '1x' as 1. */
function isRowId(id: unknown): id is string {
  return typeof id === 'string' && /^[1-9]\d{0,18}$/.test(id) && BigInt(id) <= LARGEST_ID
}

function rowId(id: unknown): string {
  if (!isRowId(id)) throw new UserUnknown()
  return id
}

import type { Knex } from 'knex'
import { OptionInvalid } from '../errors.ts'
import { publish } from '../events.ts'
import { checkClock, checkDuration, checkOneOf, knownOptions } from '../options.ts'
import { checkBackendName, type UserBackend } from '../users/backend.ts'
import { verifyForeignPassword } from '../users/passwords.ts'
import { type DjangoKeyOptions, DjangoKeys } from './signing.ts'
import { DjangoUser } from './user.ts'
import { userCalled } from './users/lookup.ts'
import { DjangoModel, type DjangoModelOptions } from './users/model.ts'
import { grantsIn } from './users/permissions.ts'
import { DjangoTable, type DjangoUserRecord } from './users/table.ts'
import { djangoHash, UsualHash } from './users/usual-hash.ts'

/** Options of `djangoUsers()`. */
export interface DjangoUsersOptions extends DjangoKeyOptions, DjangoModelOptions {
  /** The backend's name: part of the users' keys. @default 'django' */
  name?: string | undefined
  /** Whether a login here is noted as the user's last one, as Django notes those there: the one thing that is ever written. @default false */
  updateLastLogin?: boolean | undefined
  /**
   * How long a statement may go without an answer of the server, in milliseconds, until its connection is given up for another one. SQLite is
   * waited for. @default 5,000
   */
  timeout?: number | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** What tells a user of Django: one of these. */
export type DjangoUserSearch = { id: string } | { username: string } | { email: string }

/** The users of a Django site: a backend for `users()`. What fails in the database rejects with its error. */
export interface DjangoUsers extends UserBackend {
  /** The active user who has this `username`, which may be their e-mail address, and `password`; else null, after the same work. */
  authenticate(credentials: Readonly<Record<string, string>>): Promise<DjangoUser | null>
  load(id: string): Promise<DjangoUser | null>
  loadMany(ids: string[]): Promise<(DjangoUser | null)[]>
  /** The user of this name, active or not, for whom a proxy vouches. */
  identify(name: string): Promise<DjangoUser | null>
  /** The user with this id, name or e-mail address, active or not; or null. Names and addresses are compared in canonical form. */
  find(by: DjangoUserSearch): Promise<DjangoUser | null>
}

/** How many users are asked for at once. */
const BATCH = 500
const KNOWN = [
  'secretKey',
  'secretKeyFallbacks',
  'name',
  'model',
  'table',
  'columns',
  'idType',
  'permissionsMixin',
  'updateLastLogin',
  'timeout',
  'now',
]

/**
 * The users of a live Django site, on its own tables, beside it: whoever can log in there by `ModelBackend` can log in here, with the same password
 * and permissions. A change there holds from the next request. Nothing is written but `last_login`, and that only if asked for: no hash is renewed,
 * since Django would end the user's sessions. Users, groups and permissions are managed in Django, so there is no `create` and no `setPassword`.
 *
 * People log in by name or by e-mail address. Both are compared in one canonical form (NFKC, lower case), by the database and again after it, so
 * that no collation lets one user in as another; characters that cannot be seen are in no name. Django's addresses are neither unique nor
 * verified: one that several users have logs nobody in, and a user whose name it is comes first. Django has no index of them, so each login that
 * may be by address reads them all, until there is one of `lower(email)` and one of `email`. Passwords are verified as Django hashed them: PBKDF2 (SHA-256, SHA-1), argon2, bcrypt, `bcrypt_sha256`
 * and scrypt; hashes of other kinds, and unusable ones, let nobody in. Who cannot be let in takes the time of a password as the site's newest users
 * have them; somebody whose hash is of another algorithm than theirs can be told by that until Django renews it.
 *
 * A custom user model is said by `model`, as AUTH_USER_MODEL says it, and by what it calls its columns. Its own `has_perm`,
 * `get_session_auth_hash` and authentication backends are not known here. Moments are read as those of a site with `USE_TZ = True`.
 * It opens nothing: the knex instance stays yours to destroy.
 * @throws OptionInvalid naming the option that is wrong
 */
export function djangoUsers(knex: Knex, options: DjangoUsersOptions): DjangoUsers {
  const where = 'djangoUsers()'
  knownOptions(where, options, KNOWN)
  const { name = 'django', updateLastLogin = false, timeout = 5_000, now = Date.now } = options
  const keys = new DjangoKeys(where, options)
  const model = new DjangoModel(where, options)
  checkBackendName(where, name)
  checkOneOf(where, 'updateLastLogin', updateLastLogin, [true, false])
  if (updateLastLogin && model.column('lastLogin') === null)
    throw new OptionInvalid(where, 'columns.lastLogin', 'must name a column: updateLastLogin needs it.')
  checkDuration(where, 'timeout', timeout)
  checkClock(where, now)
  const table = new DjangoTable(where, knex, model, timeout)
  const grants = grantsIn(knex, model, table)
  const usualHash = new UsualHash(table, now)

  const usersOf = async (records: readonly DjangoUserRecord[]): Promise<DjangoUser[]> => {
    const granted = await grants(records.map(({ id }) => id))
    return records.map(record => new DjangoUser(name, record, keys, granted.get(record.id)))
  }
  const userOf = async (record: DjangoUserRecord | undefined): Promise<DjangoUser | null> =>
    record ? (await usersOf([record]))[0]! : null
  /** None of this is worth a failed login: it is tried again at the next one. */
  const noteLogin = async (id: string): Promise<void> => {
    try {
      await table.noteLogin(id, now())
    } catch (error) {
      publish('koa-strata:backend-error', { backend: name, error })
    }
  }

  const backend: DjangoUsers = {
    name,
    stampFollowsPassword: true,
    async authenticate({ username, password }) {
      if (typeof username !== 'string' || typeof password !== 'string') return null
      const usual = await usualHash.get()
      const found = await userCalled(table, username, ['username', 'email'])
      const hash = found?.isActive ? djangoHash(found.password) : null
      if (!(await verifyForeignPassword(password, hash, usual)) || !found) return null
      const user = await userOf(found)
      if (updateLastLogin) await noteLogin(found.id)
      return user
    },
    load: async id => (await backend.loadMany([id]))[0] ?? null,
    async loadMany(ids) {
      const asked = [...new Set(ids)]
      const found = new Map<string, DjangoUser>()
      for (let from = 0; from < asked.length; from += BATCH) {
        const users = await usersOf(await table.byIds(asked.slice(from, from + BATCH)))
        for (const user of users) found.set(user.id, user)
      }
      return ids.map(id => found.get(id) ?? null)
    },
    identify: username => backend.find({ username }),
    async find(by) {
      const method = 'djangoUsers().find()'
      knownOptions(method, by, ['id', 'username', 'email'])
      if (Object.keys(by).length !== 1)
        throw new OptionInvalid(method, 'by', 'must be one of { id }, { username } and { email }.')
      if ('id' in by) return backend.load(by.id)
      return userOf(
        'email' in by
          ? await userCalled(table, by.email, ['email'])
          : await userCalled(table, by.username, ['username']),
      )
    },
  }
  return backend
}

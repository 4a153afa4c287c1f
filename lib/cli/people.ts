import { userKey } from '../sessions/content.ts'
import { Epochs } from '../sessions/epochs.ts'
import { identityOf } from '../users/backend.ts'
import { Backends } from '../users/backends.ts'
import { DetachedUser } from '../users/detached.ts'
import { Logins } from '../users/login.ts'
import type { SqlUser } from '../users/sql/user.ts'
import { type SqlUsers, sqlUsers } from '../users/sql/users.ts'
import type { SessionsOptions, Tools, UsersOptions } from './command.ts'
import type { Connections } from './connections.ts'
import { openMigrated } from './database.ts'
import { notFound, wrongUsage } from './failure.ts'
import { type Json, oneLine } from './output.ts'
import { type OpenStore, openStore, tableOf } from './store.ts'

/** Whose sessions a command is about: somebody of the database, or whoever another backend vouches for. */
export interface SessionOwner {
  readonly backend: string
  readonly id: string
  readonly key: string
  /** As people are told of them. */
  readonly label: string
  /** Their record, where they have one. */
  readonly user: SqlUser | null
  /** Whether they are of the database, and no longer in it. */
  readonly isGone: boolean
  readonly store: OpenStore
  readonly logins: Logins
  /** Whether a login of theirs that is bound to this stamp holds now. */
  holds(stamp: string): Promise<boolean>
}

/**
 * How long a renewed epoch is kept, in milliseconds: the default of `sessions()`. A login prolongs it, and where it lapses, the logins bound to
 * the one before have ended all the same.
 */
const EPOCH_LASTS = 30 * 86_400_000

/** The users of the database that the command line names. */
export async function openUsers(connections: Connections, { database, backend }: UsersOptions): Promise<SqlUsers> {
  const { knex } = await openMigrated(connections, database, 'users')
  return sqlUsers(knex, { name: backend })
}

/** The user of the database with this name, address or key. @throws CommandFailed where there is none */
export async function userNamed(people: SqlUsers, given: string): Promise<SqlUser> {
  const key = keyOf(given)
  if (key && key.backend !== people.name) {
    throw notFound(
      `'${oneLine(given)}' is nobody in the database: keys of its users begin with '${people.name}:'. ` +
        '--backend says so where the application calls its sqlUsers() otherwise.',
    )
  }
  const user = key ? await people.find({ id: key.id }) : await byNameOrAddress(people, given)
  if (!user) throw notFound(`There is no user '${oneLine(given)}'.`)
  return user
}

/** Whoever a name, an address or a key names, and the store that has their sessions. @throws CommandFailed where there is nobody */
export async function ownerNamed(
  { connections }: Tools,
  options: SessionsOptions,
  given: string,
): Promise<SessionOwner> {
  const key = keyOf(given)
  const isLocal = !key || key.backend === options.backend
  const part = isLocal ? 'users' : 'sessions'
  const database =
    isLocal || options.store === undefined ? await openMigrated(connections, options.database, part) : null
  const people = database && isLocal ? sqlUsers(database.knex, { name: options.backend }) : null
  // Somebody whose record is gone may have left sessions: a key is believed.
  const user = people && (key ? await people.find({ id: key.id }) : await byNameOrAddress(people, given))
  const { backend, id } = key ?? user ?? { backend: '', id: '' }
  if (id === '')
    throw notFound(
      `There is no user '${oneLine(given)}'. Others than those of the database are named by key, as 'ldap:${oneLine(given)}'.`,
    )

  const store = options.store === undefined && database ? tableOf(database) : await openStore(connections, options)
  const epochs = new Epochs(store.store, EPOCH_LASTS, Date.now)
  const logins = new Logins(new Backends('koa-strata', [people ?? { name: backend, load: async () => null }]), epochs)
  let current: Promise<string> | undefined
  return {
    backend,
    id,
    key: userKey(backend, id),
    label: user ? labelOf(user) : oneLine(userKey(backend, id)),
    user,
    isGone: isLocal && !user,
    store,
    logins,
    async holds(stamp) {
      if (people && !user?.isActive) return false
      current ??= logins.stampOf(user ?? new DetachedUser({ backend, id }))
      // What another backend's own stamp is nobody here knows; the epoch comes behind it.
      return people ? stamp === (await current) : stamp.endsWith(await current)
    },
  }
}

/** A user as people are told of them: the name, and the key that is theirs alone. */
export function labelOf({ username, key }: SqlUser): string {
  return `${oneLine(username)} (${key})`
}

/** A user as `--json` tells of them. */
export function userJson(user: SqlUser): { [name: string]: Json } {
  const { key, backend, id, username, email, isActive, isStaff, isSuperuser, permissions, createdAt, lastLogin } = user
  return {
    key,
    backend,
    id,
    username,
    email,
    isActive,
    isStaff,
    isSuperuser,
    permissions: [...permissions].sort(),
    createdAt: createdAt?.toISOString() ?? null,
    lastLogin: lastLogin?.toISOString() ?? null,
  }
}

/** Neither names nor addresses hold a ':'. */
function keyOf(given: string): { backend: string; id: string } | null {
  if (!given.includes(':')) return null
  const identity = identityOf(given)
  if (!identity) throw wrongUsage(`'${oneLine(given)}' is no key of a user: <backend>:<id>, as sql:12.`)
  return identity
}

async function byNameOrAddress(people: SqlUsers, given: string): Promise<SqlUser | null> {
  return (await people.find({ username: given })) ?? (await people.find({ email: given }))
}

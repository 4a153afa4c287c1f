import type { ParameterizedContext } from 'koa'
import { BackendInvalid, LoginInvalid } from '../errors.ts'
import { checkOptionalFunction, knownOptions } from '../options.ts'
import { exactSnapshot, refuseOversize } from '../sessions/data.ts'
import type { SessionData } from '../sessions/store.ts'
import { type Credentials, checkBackendName, type UserBackend } from './backend.ts'
import { DetachedUser, type DetachedUserInit } from './detached.ts'

/** What a backend of detached users answers: a DetachedUser, or who it is without the backend's name. */
export type DetachedIdentity = DetachedUser | Omit<DetachedUserInit, 'backend'>

/** Options of `detachedUsers()`. */
export interface DetachedUsersOptions {
  /** The backend's name: part of the users' keys. */
  name: string
  /**
   * Who has these credentials, or null. Throw `AccessDenied` to refuse them for every backend; throw anything else where nobody can say.
   * @default none: nobody comes by credentials. The application hands `ctx.login()` a `DetachedUser` of this backend, as after a login at an
   * identity provider
   */
  authenticate?: ((credentials: Credentials, ctx: ParameterizedContext) => Promise<DetachedIdentity | null>) | undefined
  /** Who goes by the name that a trusted proxy gave, or null: for `remoteUser()`. @default none: the backend cannot be named there */
  identify?: ((name: string, ctx: ParameterizedContext) => Promise<DetachedIdentity | null>) | undefined
  /** Who has this id now, or null where they are gone. @default none: the session carries who logged in, as they were then */
  load?: ((id: string) => Promise<DetachedIdentity | null>) | undefined
}

/**
 * A backend of users without a record here. With `load` they are asked for at each request; without it the session carries them as they were
 * at login.
 * @throws OptionInvalid naming the option that is wrong
 */
export function detachedUsers(options: DetachedUsersOptions): UserBackend {
  const where = 'detachedUsers()'
  knownOptions(where, options, ['name', 'authenticate', 'identify', 'load'])
  const { name, authenticate, identify, load } = options
  checkBackendName(where, name)
  checkOptionalFunction(where, 'authenticate', authenticate)
  checkOptionalFunction(where, 'identify', identify)
  checkOptionalFunction(where, 'load', load)

  const asUser = (identity: DetachedIdentity | null): DetachedUser | null => {
    if (!identity || identity instanceof DetachedUser) return identity
    try {
      return new DetachedUser({ ...identity, backend: name })
    } catch (error) {
      throw new BackendInvalid(name, `answered no identity: ${(error as Error).message}`)
    }
  }
  const backend: UserBackend = {
    name,
    ...(authenticate && { authenticate: async (credentials, ctx) => asUser(await authenticate(credentials, ctx)) }),
    ...(identify && { identify: async (claimed, ctx) => asUser(await identify(claimed, ctx)) }),
    load: async id => asUser(load ? await load(id) : null),
  }
  if (load) return backend
  return {
    ...backend,
    toSession: user => {
      if (!(user instanceof DetachedUser)) throw new LoginInvalid(`a user of backend '${name}' must be a DetachedUser.`)
      const { id, username, email, permissions, attributes, stamp } = user
      // Only what differs from the defaults: a cookie has room for little.
      const snapshot = {
        id,
        ...(username !== id && { username }),
        ...(email !== null && { email }),
        ...(permissions.size > 0 && { permissions: [...permissions] }),
        ...(Object.keys(attributes).length > 0 && { attributes }),
        ...(stamp !== '' && { stamp }),
      }
      checkSnapshot(name, snapshot)
      return snapshot
    },
    fromSession: snapshot => {
      try {
        return new DetachedUser({ ...(snapshot as DetachedUserInit), backend: name })
      } catch {
        return null
      }
    },
  }
}

/** The session would refuse it as well, and name what no application has put there. */
function checkSnapshot(backend: string, snapshot: SessionData): void {
  try {
    exactSnapshot(snapshot)
    refuseOversize(snapshot, null)
  } catch (error) {
    const problem = (error as Error).message.replace('ctx.session.', '')
    throw new BackendInvalid(backend, `answered a user whom the session cannot carry: ${problem} Or give load().`)
  }
}

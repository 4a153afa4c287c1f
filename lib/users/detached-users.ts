import type { ParameterizedContext } from 'koa'
import { BackendInvalid, LoginInvalid, OptionInvalid } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { type Credentials, checkBackendName, type UserBackend } from './backend.ts'
import { DetachedUser, type DetachedUserInit } from './detached.ts'

/** What a backend of detached users answers: a DetachedUser, or who it is without the backend's name. */
export type DetachedIdentity = DetachedUser | Omit<DetachedUserInit, 'backend'>

/** Options of `detachedUsers()`. */
export interface DetachedUsersOptions {
  /** The backend's name: part of the users' keys. */
  name: string
  /** Who has these credentials, or null. Throw `AccessDenied` to refuse them for every backend; throw anything else where nobody can say. */
  authenticate(credentials: Credentials, ctx: ParameterizedContext): Promise<DetachedIdentity | null>
  /** Who has this id now, or null where they are gone. @default none: the session carries what `authenticate` answered */
  load?: ((id: string) => Promise<DetachedIdentity | null>) | undefined
}

/**
 * A backend of users without a record here. With `load` they are asked for at each request; without it the session carries them as they were
 * at login.
 * @throws OptionInvalid naming the option that is wrong
 */
export function detachedUsers(options: DetachedUsersOptions): UserBackend {
  const where = 'detachedUsers()'
  knownOptions(where, options, ['name', 'authenticate', 'load'])
  const { name, authenticate, load } = options
  checkBackendName(where, name)
  if (typeof authenticate !== 'function') throw new OptionInvalid(where, 'authenticate', 'must be a function.')
  if (load !== undefined && typeof load !== 'function') throw new OptionInvalid(where, 'load', 'must be a function.')

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
    authenticate: async (credentials, ctx) => asUser(await authenticate(credentials, ctx)),
    load: async id => asUser(load ? await load(id) : null),
  }
  if (load) return backend
  return {
    ...backend,
    toSession: user => {
      if (!(user instanceof DetachedUser)) throw new LoginInvalid(`a user of backend '${name}' must be a DetachedUser.`)
      const { id, username, email, permissions, attributes, stamp } = user
      // Only what differs from the defaults: a cookie has room for little.
      return {
        id,
        ...(username !== id && { username }),
        ...(email !== null && { email }),
        ...(permissions.size > 0 && { permissions: [...permissions] }),
        ...(Object.keys(attributes).length > 0 && { attributes }),
        ...(stamp !== '' && { stamp }),
      }
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

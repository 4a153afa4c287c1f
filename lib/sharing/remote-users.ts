import type { ParameterizedContext } from 'koa'
import { OptionInvalid } from '../errors.ts'
import { checkOptionalFunction, knownOptions } from '../options.ts'
import { checkBackendName, type UserBackend } from '../users/backend.ts'
import { type DetachedIdentity, detachedUsers } from '../users/detached-users.ts'

/** Options of `remoteUsers()`. */
export interface RemoteUsersOptions {
  /** The backend's name: part of the users' keys. @default 'remote' */
  name?: string | undefined
  /**
   * What the user whom the proxy names may do. It is asked when the header logs them in, and holds as long as that session: to have a change
   * hold at the next request, call `ctx.endSessions(user)`, whereupon the header logs in anew; or give `load`. @default nothing
   */
  permissions?: ((name: string, ctx: ParameterizedContext) => Iterable<string> | Promise<Iterable<string>>) | undefined
  /**
   * Who goes by this name, or has this id, now; null where nobody does. It is asked at the login and at each request, and stands in place of
   * `permissions`. @default none: whomever the proxy names is taken as they are, and the session carries them
   */
  load?: ((id: string) => Promise<DetachedIdentity | null>) | undefined
}

/**
 * A backend of users whom a proxy vouches for and no table knows, for `remoteUser()`: detached users, whose id is the name in the header. Nobody
 * logs in to it by credentials.
 * @throws OptionInvalid naming the option that is wrong
 */
export function remoteUsers(options: RemoteUsersOptions = {}): UserBackend {
  const where = 'remoteUsers()'
  knownOptions(where, options, ['name', 'permissions', 'load'])
  const { name = 'remote', permissions, load } = options
  checkBackendName(where, name)
  checkOptionalFunction(where, 'permissions', permissions)
  checkOptionalFunction(where, 'load', load)
  if (permissions && load)
    throw new OptionInvalid(where, 'permissions', 'cannot stand beside load, which says what a user may do.')

  const named = async (id: string, ctx: ParameterizedContext): Promise<DetachedIdentity> => ({
    id,
    permissions: await permissions?.(id, ctx),
  })
  return detachedUsers({ name, identify: load ?? named, load })
}

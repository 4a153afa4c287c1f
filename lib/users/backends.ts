import { coalesce } from '../coalesce.ts'
import { OptionInvalid } from '../errors.ts'
import { checkOneOf, checkOptionalFunction } from '../options.ts'
import { checkBackendName, type UserBackend } from './backend.ts'
import type { AuthenticatedUser } from './user.ts'

const OPTIONAL = ['authenticate', 'loadMany', 'identify', 'endSessions', 'toSession', 'fromSession'] as const

type Load = (id: string) => Promise<AuthenticatedUser | null>

/** The user backends of a layer, in their order, with concurrent loads made one call where a backend can load many. */
export class Backends implements Iterable<UserBackend> {
  readonly #entries = new Map<string, { backend: UserBackend; load: Load }>()

  /** @throws OptionInvalid, naming `where`, for what is no backend and for a name that comes twice */
  constructor(where: string, backends: unknown) {
    if (!Array.isArray(backends) || backends.length === 0) {
      throw new OptionInvalid(where, 'backends', 'must be an array of at least one user backend, as sqlUsers(knex).')
    }
    backends.forEach((backend: UserBackend | null, index) => {
      const option = `backends[${index}]`
      if (typeof backend?.load !== 'function')
        throw new OptionInvalid(where, option, 'must be a user backend: an object with name and load().')
      checkBackendName(where, backend.name, `${option}.name`)
      for (const method of OPTIONAL) checkOptionalFunction(where, `${option}.${method}`, backend[method])
      checkOneOf(where, `${option}.stampFollowsPassword`, backend.stampFollowsPassword ?? false, [true, false])
      if (!backend.toSession !== !backend.fromSession)
        throw new OptionInvalid(where, option, 'must have both of toSession() and fromSession(), or neither.')
      if (this.#entries.has(backend.name))
        throw new OptionInvalid(where, `${option}.name`, `'${backend.name}' is another backend's name already.`)
      const load: Load = backend.loadMany
        ? coalesce(
            ids => backend.loadMany!(ids),
            id => id,
          )
        : id => backend.load(id)
      this.#entries.set(backend.name, { backend, load })
    })
  }

  *[Symbol.iterator](): Generator<UserBackend> {
    for (const { backend } of this.#entries.values()) yield backend
  }

  get(name: string): UserBackend | undefined {
    return this.#entries.get(name)?.backend
  }

  /** The user with this id in a backend of these. */
  load(backend: UserBackend, id: string): Promise<AuthenticatedUser | null> {
    return this.#entries.get(backend.name)!.load(id)
  }
}

import type { Knex } from 'knex'
import { isDuplicate } from '../../database/conflicts.ts'
import { OptionInvalid } from '../../errors.ts'
import { checkMethods, knownOptions } from '../../options.ts'
import { userKey } from '../../sessions/content.ts'
import { idProblem, isBackendName } from '../backend.ts'
import type { AuthenticatedUser } from '../user.ts'
import type { UserRecord } from './columns.ts'
import type { UserTable } from './table.ts'
import { storingError } from './taken.ts'

/** Who somebody is to a backend. */
export interface Identity {
  backend: string
  id: string
}

/** Profiles that can be handed over to another user, as those of `sqlProfiles()`. */
export interface CarriedProfiles {
  /** Gives `to` the profile of the user whose key is `from`, if there is one, as a part of a transaction. */
  carry(from: string, to: string, trx: Knex.Transaction): Promise<void>
}

/** Options of `attach()`. */
export interface AttachOptions {
  /** @default the detached user's */
  username?: string | undefined
  /** @default the detached user's */
  email?: string | null | undefined
  /** The sources in the same database whose profiles go over to the local user. @default none */
  profiles?: readonly CarriedProfiles[] | undefined
}

/** Whose local users people of other backends are. */
export class Identities {
  readonly #knex: Knex
  readonly #table: UserTable
  readonly #backend: string

  /** @param backend the name of the backend that the local users are of */
  constructor(knex: Knex, table: UserTable, backend: string) {
    this.#knex = knex
    this.#table = table
    this.#backend = backend
  }

  /** The local user of an identity. */
  async userOf(where: string, identity: Identity): Promise<UserRecord | undefined> {
    const { identities } = this.#table.companionsFor(where)
    const key = keyOf(identity)
    if (key === null) return undefined
    const user_key = this.#table.dialect.toBytes(key)
    const attached = () => this.#knex(identities).where({ user_key }).select('user_id')
    const [user] = await this.#table.select(query => query.whereIn('id', attached()))
    return user
  }

  /** Makes a user the local one of an identity, to whom its profiles go; or answers the one there is. @throws UserExists */
  async attach(
    where: string,
    identity: Identity,
    user: Omit<UserRecord, 'id'>,
    options: AttachOptions,
    isFirstTry = true,
  ): Promise<UserRecord> {
    const { identities } = this.#table.companionsFor(where)
    const key = keyOf(identity)!
    let step = ''
    try {
      return await this.#table.transaction(async trx => {
        step = 'user'
        const id = await this.#table.insert(user, trx)
        step = 'identity'
        await trx(identities).insert({
          user_key: this.#table.dialect.toBytes(key),
          user_id: id,
          created_at: user.createdAt,
        })
        step = 'profiles'
        for (const source of options.profiles ?? []) await source.carry(key, userKey(this.#backend, id), trx)
        return { ...user, id }
      })
    } catch (error) {
      if (!isDuplicate(error) || step === 'profiles') throw error
      const attached = await this.userOf(where, identity)
      if (attached) return attached
      if (step === 'user') throw await storingError(this.#table, error, user)
      // Whoever was attached at the same time has been deleted since, or cannot be seen from within the application's own transaction.
      if (isFirstTry) return this.attach(where, identity, user, options, false)
      throw error
    }
  }

  /** @throws OptionInvalid in the name of `where` for what cannot be attached */
  check(where: string, user: AuthenticatedUser, options: AttachOptions): void {
    if (keyOf(user) === null)
      throw new OptionInvalid(where, 'user', 'must be a user of another backend, as a DetachedUser.')
    if (user.backend === this.#backend)
      throw new OptionInvalid(where, 'user', 'is of this very backend, and has a record.')
    knownOptions(where, options, ['username', 'email', 'profiles'])
    const { profiles = [] } = options
    if (!Array.isArray(profiles)) throw new OptionInvalid(where, 'profiles', 'must be an array of sources.')
    profiles.forEach((source, index) => {
      checkMethods(where, `profiles[${index}]`, source, ['carry'])
    })
  }
}

function keyOf(identity: Identity | null): string | null {
  if (identity === null || typeof identity !== 'object') return null
  const { backend, id } = identity
  return isBackendName(backend) && idProblem(id) === null ? userKey(backend, id) : null
}

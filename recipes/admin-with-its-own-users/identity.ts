import type { Knex } from 'knex'
import { type ContextOf, type SigningKey, type StateOf, sessions, stack, users } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'

/** What applications that share a login agree on. */
export interface SharedLogin {
  /** Where users and sessions live. */
  readonly database: Knex
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  readonly keys: readonly SigningKey[]
  /** The domain below which they are. @default the one host of all, as on one machine */
  readonly domain?: string | undefined
}

/** Readers: users and sessions of the publisher, in its database. */
export function readers({ database, keys, domain }: SharedLogin) {
  return stack(
    sessions({ store: sqlStore(database), keys, cookie: { domain } }),
    users({ backends: [sqlUsers(database)] }),
  )
}

/** A working day. */
const SHIFT = 8 * 3_600_000

/** Editors: users and sessions of the magazine alone, in its own database, by a cookie of their own and for a working day. */
export function editors(database: Knex, keys: readonly SigningKey[]) {
  return stack(
    sessions({ store: sqlStore(database), keys, cookie: { name: 'desk' }, absoluteTimeout: SHIFT }),
    users({ backends: [sqlUsers(database, { name: 'staff' })] }),
  )
}

export type PeopleState = StateOf<ReturnType<typeof readers>>
export type PeopleContext = ContextOf<ReturnType<typeof readers>>

import type { Knex } from 'knex'
import { type ContextOf, type SigningKey, type StateOf, sessions, stack, users } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'

/** Who is there, on every request: people with a record in the database. */
export function createIdentity(database: Knex, keys: readonly SigningKey[]) {
  return stack(sessions({ store: sqlStore(database), keys }), users({ backends: [sqlUsers(database)] }))
}

export type LibraryState = StateOf<ReturnType<typeof createIdentity>>
export type LibraryContext = ContextOf<ReturnType<typeof createIdentity>>

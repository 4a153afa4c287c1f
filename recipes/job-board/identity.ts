import type { Knex } from 'knex'
import type { ParameterizedContext } from 'koa'
import {
  type ContextOf,
  profiles,
  type SigningKey,
  type StateOf,
  sessions,
  stack,
  type UserBackend,
  users,
} from 'koa-strata'
import { sqlStore } from 'koa-strata/stores/sql'
import type { ProfileSources } from './board/profiles.ts'
import { forms } from './web/form.ts'

/** What the identity of the board's people is made of. */
export interface IdentityOptions {
  database: Knex
  /** Who knows users, in the order in which they are asked. */
  backends: readonly UserBackend[]
  /** Who is what on the board. */
  sources: ProfileSources
  keys: readonly SigningKey[]
  secure: boolean
  now: () => number
}

/**
 * Who is there: sessions, users, profiles, each layer on the one before. The forms come last, so that a body is read only after the session
 * was. `BoardState` and `BoardContext` are what the layers give, for the routers.
 */
export function createIdentity({ database, backends, sources, keys, secure, now }: IdentityOptions) {
  return stack(
    sessions({ store: sqlStore(database, { now }), keys, cookie: { secure }, now }),
    users({ backends }),
    profiles(sources),
    forms,
  )
}

type Identity = ReturnType<typeof createIdentity>

/** `ctx.state` of the board's routes. */
export type BoardState = StateOf<Identity>
/** What the layers add to `ctx`. */
export type BoardContext = ContextOf<Identity>
/** `ctx` in the board's routes. */
export type BoardCtx = ParameterizedContext<BoardState, BoardContext>
/** Whoever asks. */
export type BoardUser = BoardState['user']

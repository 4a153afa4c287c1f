import type { Knex } from 'knex'
import {
  type ContextOf,
  type ProfileSource,
  profiles,
  type SigningKey,
  type StateOf,
  sessions,
  stack,
  type UserBackend,
  users,
} from 'koa-strata'
import { sqlProfiles } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'
import type { Employee } from './employee.ts'
import { loginRoutes } from './login.ts'
import { type Supplier, suppliersTable } from './suppliers.ts'
import type { Temp } from './temps.ts'

/** What the identity of the canteen's people is made of. */
export interface IdentityOptions {
  /** With the tables that `migrate(knex)` and `createSuppliers(knex)` make. It stays yours to destroy. */
  database: Knex
  /** Who knows users, in the order in which they are asked. */
  backends: readonly UserBackend[]
  temps: ProfileSource<Temp>
  employees: ProfileSource<Employee>
  /** How long one look-up of profiles may take, in milliseconds. @default 5000 */
  deadline?: number | undefined
  /** What becomes of the requests of people whose profile cannot be looked up. @default 'fail' */
  onUnavailable?: 'fail' | 'without' | undefined
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
}

/**
 * Who is there, and what they are to the works: the first of three kinds that has a profile for them. `CanteenState` and `CanteenContext` are
 * what the layers give, for the router.
 */
export function createIdentity(options: IdentityOptions) {
  const { database, backends, temps, employees, deadline, onUnavailable, keys } = options
  return stack(
    sessions({ store: sqlStore(database), keys }),
    users({ backends }),
    loginRoutes().routes(),
    profiles(
      {
        // The service comes last: about people whom the others know it is not asked, so that for them it may be away.
        temp: temps,
        supplier: sqlProfiles<Supplier>(database, { table: suppliersTable }),
        employee: employees,
      },
      { deadline, onUnavailable },
    ),
  )
}

type Identity = ReturnType<typeof createIdentity>

/** `ctx.state` of the canteen's pages. */
export type CanteenState = StateOf<Identity>
/** What the layers add to `ctx`. */
export type CanteenContext = ContextOf<Identity>

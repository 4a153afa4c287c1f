import type { Knex } from 'knex'
import { type ContextOf, type SigningKey, type StateOf, sessions, stack, users } from 'koa-strata'
import { remoteUser, remoteUsers } from 'koa-strata/sharing'
import { sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'

/** Where Apache connects from: from anywhere else the header is nobody's. */
export const PROXY = '127.0.0.1'

/** Who may do what here, by the names that Apache knows people by. Whoever is not listed may look. */
const PERMISSIONS = new Map([['grace', ['ledger.read']]])

/** Everybody whom Apache lets in, without a record here. */
export function knownToApache(keys: readonly SigningKey[]) {
  return stack(
    sessions({ keys }),
    users({ backends: [remoteUsers({ permissions: name => PERMISSIONS.get(name) ?? [] })] }),
    remoteUser({ trust: [PROXY] }),
  )
}

/** People with a record here who go by the same name at Apache: their permissions, groups and e-mail address are the record's. Others are nobody. */
export function knownHere(keys: readonly SigningKey[], database: Knex) {
  return stack(
    sessions({ keys, store: sqlStore(database) }),
    users({ backends: [sqlUsers(database)] }),
    // This line links the names of Apache to the users of the table.
    remoteUser({ trust: [PROXY], backend: 'sql' }),
  )
}

export type Identity = ReturnType<typeof knownToApache>
export type LedgerState = StateOf<Identity>
export type LedgerContext = ContextOf<Identity>

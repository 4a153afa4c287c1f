import type { ExecutionContext } from 'ava'
import { memoryStore } from '../../../lib/sessions/stores/memory.ts'
import { sqlStore } from '../../../lib/sessions/stores/sql.ts'
import type { SessionStoreSetup } from '../../../lib/testing/index.ts'
import { migratedSqlite, openSqlite } from '../../database/sqlite.ts'

/** A clock that only the test moves. */
export function handedClock(): { now: () => number; advance: (milliseconds: number) => void } {
  let moment = Date.UTC(2026, 10, 1)
  return {
    now: () => moment,
    advance: milliseconds => {
      moment += milliseconds
    },
  }
}

/** Sessions in memory, where a further store on the same ones can only be the same. */
export async function memorySetup(): Promise<SessionStoreSetup> {
  const clock = handedClock()
  const store = memoryStore({ now: clock.now })
  return { ...clock, open: async () => store }
}

/** Sessions in an SQLite file, each store with a connection of its own. */
export async function sqliteSetup(t: ExecutionContext): Promise<SessionStoreSetup> {
  const clock = handedClock()
  const first = await migratedSqlite(t)
  const { filename } = first.client.config.connection
  return { ...clock, open: async () => sqlStore(openSqlite(t, filename), { now: clock.now }) }
}

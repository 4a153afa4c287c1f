import type { ExecutionContext } from 'ava'
import type { SessionStoreSetup } from '../../lib/testing/index.ts'
import { memorySetup, sqliteSetup } from './stores/setups.ts'

/** Every store that the session layer's promises are shown on, with the clock that it goes by. */
export const STORES: Readonly<Record<string, (t: ExecutionContext) => Promise<SessionStoreSetup>>> = {
  memory: memorySetup,
  sqlite: sqliteSetup,
}

import type { ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { sqlStore } from '../../../../lib/sessions/stores/sql.ts'
import type { SessionStoreSetup } from '../../../../lib/testing/index.ts'
import { type DatabaseName, migratedDatabase } from '../../../database/servers.ts'
import { file } from '../../../servers/file-owner.ts'
import { handedClock } from '../setups.ts'

/** How knex instances of a setup are made: those of two processes, so to speak. */
interface Pools {
  readonly knexes: readonly Knex[]
  /** Makes a table as `sessions` is. */
  newTable(): Promise<string>
}

const LIKE: Record<Exclude<DatabaseName, 'sqlite'>, string> = {
  mariadb: 'create table ?? like sessions',
  postgresql: 'create table ?? (like sessions including all)',
}

const pools = new Map<string, Promise<Pools>>()

/** Sessions in MariaDB, each test's in a table of its own. */
export function mariadbSetup(_t?: ExecutionContext): Promise<SessionStoreSetup> {
  return sqlSetup('mariadb')
}

/** Sessions in PostgreSQL, each test's in a table of its own. */
export function postgresqlSetup(_t?: ExecutionContext): Promise<SessionStoreSetup> {
  return sqlSetup('postgresql')
}

/** @param more what the knex instances are made with besides; those of one `as` are shared */
export async function sqlSetup(
  name: keyof typeof LIKE,
  more: Knex.Config = {},
  as: string = name,
): Promise<SessionStoreSetup> {
  const opened = pools.get(as) ?? openPools(name, more)
  pools.set(as, opened)
  const { knexes, newTable } = await opened
  const table = await newTable()
  const clock = handedClock()
  let opens = 0
  return { ...clock, open: async () => sqlStore(knexes[opens++ % knexes.length]!, { table, now: clock.now }) }
}

async function openPools(name: keyof typeof LIKE, more: Knex.Config): Promise<Pools> {
  const { knex, open } = await migratedDatabase(file, name)
  let tables = 0
  return {
    knexes: [open(more), open(more)],
    async newTable() {
      const table = `sessions_${++tables}`
      await knex.raw(LIKE[name], table)
      return table
    },
  }
}

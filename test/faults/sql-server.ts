import type { Knex } from 'knex'
import type { Server } from '../servers/server.ts'

/** What the faults of a kind of server differ in. */
export interface SqlServer {
  start(): Promise<Server>
  /** Ends every other connection to the database of `admin`, by force. */
  cutConnections(admin: Knex): Promise<unknown>
  /** An account of the application, which may not do everything; the administrator, who is asked, makes it. */
  appUrl(admin: Knex, url: string): Promise<string>
  setReadOnly(admin: Knex, readOnly: boolean): Promise<unknown>
  /** Keeps what the next transaction writes from being read or written by anybody else, until that one ends. */
  lockSessions(trx: Knex.Transaction): Promise<unknown>
  unlock(trx: Knex.Transaction): Promise<unknown>
  /** How many connections the server has. */
  connections(admin: Knex): Promise<number>
  /** Moves the sessions, of whom there are none yet, to a disk of their own. */
  moveSessions(admin: Knex, directory: string): Promise<unknown>
  /** What the server says when the disk is full. */
  diskFull: string
}

import { StrataError } from '../errors.ts'

/** What an error is told by, in the names of the drivers; none of it quotes a value. */
const KEPT = ['code', 'errno', 'sqlState', 'constraint', 'severity']
/** What only errors of knex and the drivers have. */
const TRAITS = ['code', 'sql', 'bindings']

/**
 * MariaDB gets its values within the statement, and may quote a piece of it in whatever it says. In these messages it does not: names of tables,
 * columns and options are all they hold.
 */
const PLAIN = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_BAD_FIELD_ERROR',
  'ER_BAD_NULL_ERROR',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  'ER_CHECKREAD',
  'ER_COLUMNACCESS_DENIED_ERROR',
  'ER_CON_COUNT_ERROR',
  'ER_DATA_TOO_LONG',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_DISK_FULL',
  'ER_ERROR_ON_WRITE',
  'ER_GET_ERRNO',
  'ER_HOST_IS_BLOCKED',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_TABLE_FULL',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_NET_PACKET_TOO_LARGE',
  'ER_NO_DB_ERROR',
  'ER_NO_DEFAULT_FOR_FIELD',
  'ER_NO_SUCH_TABLE',
  'ER_OPEN_AS_READONLY',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_OUT_OF_RESOURCES',
  'ER_QUERY_INTERRUPTED',
  'ER_READ_ONLY_MODE',
  'ER_RECORD_FILE_FULL',
  'ER_SERVER_SHUTDOWN',
  'ER_SPECIFIC_ACCESS_DENIED_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_USER_LIMIT_REACHED',
  'ER_WARN_DATA_OUT_OF_RANGE',
])

/**
 * A database's error without the statement, into whose text knex and the drivers put its values: session data, hashes, names. What is left is
 * what the database itself said, where it cannot have quoted a value, and its codes.
 */
export function withoutStatement(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StrataError || !TRAITS.some(name => name in error)) return error
  const kept: Record<string, unknown> = Object.fromEntries(
    KEPT.filter(name => name in error).map(name => [name, Reflect.get(error, name)]),
  )
  if (kept.code === 'ER_DUP_ENTRY') kept.constraint = takenKey(error)
  return Object.assign(new Error(plainMessage(error, kept)), kept)
}

function plainMessage(error: Error & { sqlMessage?: string }, { code, constraint }: Record<string, unknown>): string {
  if (code === 'ER_DUP_ENTRY') return `Duplicate entry for key '${constraint}'`
  if (mayQuote(code, 'sqlMessage' in error)) return `The database refused the statement: ${code}`
  // knex writes '<statement> - <message>' over the driver's message.
  return (error.sqlMessage ?? error.message.split(' - ').at(-1)) || String(code)
}

function mayQuote(code: unknown, isMariadb: boolean): boolean {
  if (isMariadb) return !PLAIN.has(String(code))
  // PostgreSQL's classes of wrong data and of what functions raise, and its syntax errors.
  return typeof code === 'string' && /^(22|P0|42601)/.test(code)
}

/** The key that has such an entry already: MariaDB names it behind the entry, MySQL with its table before it. */
function takenKey({ sqlMessage }: Error & { sqlMessage?: string }): string {
  return /for key '([^']+)'$/.exec(sqlMessage ?? '')?.[1] ?? 'unknown'
}

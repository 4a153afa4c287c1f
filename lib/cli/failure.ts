import { withoutStatement } from '../database/failure.ts'
import { OptionInvalid, SessionContended, SessionStoreUnavailable, StrataError, UserInvalid } from '../errors.ts'

/** How the process ends; `--help` says the same. 130 and 143 are added by signals: 128 and their number, as shells do. */
export const EXIT = {
  done: 0,
  /** `doctor` found a problem, or the program itself failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The command was understood and cannot be carried out: no such user, a name that is taken, a password that will not do. */
  refused: 3,
  /** The database or the store cannot be used: unreachable, not migrated, its package not installed. */
  unreachable: 4,
} as const

/** Why a command did not do what it was asked, in words for whoever typed it. It is told without a stack trace. */
export class CommandFailed extends Error {
  readonly exitCode: number
  /** A stable, upper-case name to branch on. */
  readonly code: string
  /** What is wrong with each field of a user. */
  readonly fields: Readonly<Record<string, string>> | undefined

  constructor(exitCode: number, code: string, message: string, fields?: Readonly<Record<string, string>>) {
    super(message)
    this.name = 'CommandFailed'
    this.exitCode = exitCode
    this.code = code
    this.fields = fields
  }
}

/** The command line is wrong. */
export function wrongUsage(message: string): CommandFailed {
  return new CommandFailed(EXIT.usage, 'USAGE', message)
}

/** Somebody or something that was named is not there. */
export function notFound(message: string): CommandFailed {
  return new CommandFailed(EXIT.refused, 'NOT_FOUND', message)
}

/** What was asked for cannot be done. */
export function refused(message: string): CommandFailed {
  return new CommandFailed(EXIT.refused, 'REFUSED', message)
}

/** A database or store that cannot be used. @param what it, as 'The database at …' @param error what was said by it, or by its driver */
export function unreachable(what: string, error: unknown): CommandFailed {
  return new CommandFailed(EXIT.unreachable, 'UNREACHABLE', `${what} cannot be used: ${reasonOf(error)}`)
}

/** What an error says, without anything secret, and never nothing. */
export function reasonOf(error: unknown): string {
  const told = withoutStatement(error)
  if (told instanceof SessionStoreUnavailable && told.cause !== undefined) return reasonOf(told.cause)
  // Of several addresses that were tried Node tells only by the list.
  if (told instanceof AggregateError && told.message === '') return told.errors.map(reasonOf).join('; ')
  const { message, code } = told instanceof Error ? (told as Error & { code?: unknown }) : { message: '', code: '' }
  return withoutCredentials(message || String(code || 'it does not say why')).trim()
}

/** Takes user names and passwords out of addresses in a text. */
export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z\d+.-]*:\/\/)\S*@/gi, '$1')
}

/** What to tell of whatever was thrown; null where that is a mistake in this program. */
export function failureOf(error: unknown): CommandFailed | null {
  if (error instanceof CommandFailed) return error
  if (error instanceof SessionStoreUnavailable || error instanceof SessionContended)
    return unreachable('The store', error)
  if (error instanceof UserInvalid)
    return new CommandFailed(EXIT.refused, error.code, 'The user is not as it must be.', error.fields)
  if (error instanceof OptionInvalid)
    return new CommandFailed(EXIT.usage, error.code, withoutCredentials(error.message))
  if (error instanceof StrataError) return new CommandFailed(EXIT.refused, error.code, error.message)
  return isOfDriver(error) ? unreachable('The database or the store', error) : null
}

/** Drivers and the system tell their errors by a code; so does Node of mistakes, by its own. */
function isOfDriver(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as Error & { code?: unknown }
  return (typeof code === 'string' && !code.startsWith('ERR_')) || error.name === 'KnexTimeoutError'
}

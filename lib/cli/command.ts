import { type Command, Option } from 'commander'
import type { Connections } from './connections.ts'
import type { Output } from './output.ts'

/** What a command works with. */
export interface Tools {
  readonly output: Output
  readonly connections: Connections
}

/** Carries a command out, and answers its exit code. */
export type Run<Arguments extends unknown[], Options> = (
  tools: Tools,
  options: Options,
  ...given: Arguments
) => Promise<number>

/** Adds a command to the program. */
export type AddCommand = (program: Command, carryOut: CarryOut) => void

/** Makes an action of what a command does. */
export type CarryOut = <Arguments extends unknown[], Options>(
  run: Run<Arguments, Options>,
) => (...given: unknown[]) => Promise<void>

/** Options of commands that need a database. */
export interface DatabaseOptions {
  readonly database?: string | undefined
}

/** Options of commands about users. */
export interface UsersOptions extends DatabaseOptions {
  readonly backend: string
}

/** Options of commands about sessions. */
export interface SessionsOptions extends UsersOptions {
  readonly store?: string | undefined
  readonly storePrefix?: string | undefined
}

const HERE = 'Where:'

/** A new command of the program. What each has beside its own: `--json`. */
export function newCommand(program: Command, name: string): Command {
  return program.command(name).option('--json', 'print one JSON document instead of text')
}

/** Adds `--database`. */
export function withDatabase(command: Command): Command {
  return command.addOption(
    new Option('--database <url>', 'the database (sqlite:./app.db, mysql://…, postgresql://…)')
      .env('DATABASE_URL')
      .helpGroup(HERE),
  )
}

/** Adds `--database` and `--backend`. */
export function withUsers(command: Command): Command {
  return withDatabase(command).addOption(
    new Option('--backend <name>', 'what the application calls its sqlUsers()').default('sql').helpGroup(HERE),
  )
}

/** Adds `--store` and `--store-prefix`. */
export function withStore(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--store <url>',
        "the sessions (redis://…, memcached://…, file:./dir, a database; default: the database's sessions table)",
      ).helpGroup(HERE),
    )
    .addOption(new Option('--store-prefix <text>', "what the store's keys begin with, if not 'sess:'").helpGroup(HERE))
}

/** Lines below the help of a command, each example with the `$` of a shell. */
export function examples(...lines: string[]): string {
  return ['', 'Examples:', ...lines.map(line => `  $ ${line}`)].join('\n')
}

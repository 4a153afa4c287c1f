import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import type { CarryOut } from './command.ts'
import { addClearSessions } from './commands/clear-sessions.ts'
import { addCreateUser } from './commands/create-user.ts'
import { addDeactivate } from './commands/deactivate.ts'
import { addDoctor } from './commands/doctor.ts'
import { addMigrate } from './commands/migrate.ts'
import { addRevoke } from './commands/revoke.ts'
import { addSessions } from './commands/sessions.ts'
import { addSetPassword } from './commands/set-password.ts'
import { Connections } from './connections.ts'
import { EXIT, wrongUsage } from './failure.ts'
import { Output } from './output.ts'

/** How a run ended. */
export interface Ended {
  readonly exitCode: number
  /** Whether nothing of it keeps the process: what was opened has closed. */
  readonly isClosed: boolean
}

const WIDEST = 80
const GROUPS = [
  { heading: 'Database:', commands: [addMigrate] },
  { heading: 'Users:', commands: [addCreateUser, addSetPassword, addDeactivate] },
  { heading: 'Sessions:', commands: [addSessions, addRevoke, addClearSessions] },
  { heading: 'Deployment:', commands: [addDoctor] },
]
const EXIT_CODES = `
Exit codes:
  0    done
  1    doctor found a problem, or this program failed
  2    the command line is wrong
  3    refused, or not found: no such user, a name that is taken, a bad password
  4    the database or the store cannot be used
  130  stopped by Ctrl-C

With --json there is one JSON document on stdout, and errors are one on stderr:
{ "error": { "code", "message", "fields"? } }. Passwords are asked for, or read
from stdin: never arguments. An address with a password in it belongs into
DATABASE_URL, since others on the machine can see arguments.`

/** Carries a command line out: the words behind the program's name. What goes wrong is told and becomes an exit code; nothing is thrown. */
export async function run(words: readonly string[]): Promise<Ended> {
  let ended: Ended = { exitCode: EXIT.done, isClosed: true }
  const carryOut: CarryOut =
    command =>
    async (...given) => {
      // commander hands over the arguments, then the options and the command itself.
      const [options] = given.splice(-2) as [{ json?: true }, Command]
      ended = await carriedOut(options.json === true, (output, connections) =>
        command({ output, connections }, options as never, ...(given as never)),
      )
    }
  const help: string[] = []
  try {
    await programOf(carryOut, help).parseAsync(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return ended
    if (error.code === 'commander.help') process.stderr.write(help.join(''))
    else new Output(words.includes('--json')).error(wrongUsage(usageProblem(error)))
    return { exitCode: EXIT.usage, isClosed: true }
  }
  return ended
}

async function carriedOut(
  isJson: boolean,
  command: (output: Output, connections: Connections) => Promise<number>,
): Promise<Ended> {
  const [output, connections] = [new Output(isJson), new Connections()]
  const exitCode = await command(output, connections).catch(error => output.error(error))
  return { exitCode, isClosed: await connections.close() }
}

/** @param errors takes what commander writes to stderr */
function programOf(carryOut: CarryOut, errors: string[]): Command {
  const program = new Command('koa-strata')
    .description(
      "Manages the users and sessions of koa-strata in a database or session store, and checks an application's deployment.",
    )
    .version(versionOf(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .configureHelp({ helpWidth: Math.min(WIDEST, process.stdout.columns ?? WIDEST), showGlobalOptions: false })
    .configureOutput({ writeErr: text => errors.push(text), outputError: () => {} })
    .exitOverride()
    .addHelpText('after', EXIT_CODES)
  for (const { heading, commands } of GROUPS) {
    program.commandsGroup(heading)
    for (const add of commands) add(program, carryOut)
  }
  program.commandsGroup('Help:').helpCommand('help [command]', "show a command's help")
  return program
}

/** What commander finds wrong, without what was typed where no password belongs. */
function usageProblem({ code, message }: CommanderError): string {
  const problem = message.replace(/^error: /, '')
  const shortened =
    code === 'commander.excessArguments'
      ? `${problem.replace(/: .*$/s, '.')} Passwords are asked for, or read from stdin.`
      : problem
          .replace(/^(unknown option '--[^'=]*)=.*'(\n\(Did you mean .*\))?$/s, "$1'$2")
          .replace(/^(unknown option '-[^-]).*'$/s, "$1'")
  return `${shortened}\nSee koa-strata --help.`
}

function versionOf(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}

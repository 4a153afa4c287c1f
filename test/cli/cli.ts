import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { turns } from '../turns.ts'

/** The command of the checkout, and what Node runs it with. */
export const COMMAND = [
  process.execPath,
  '--conditions=koa-strata:source',
  new URL('../../lib/cli/main.ts', import.meta.url).pathname,
]
/** A password that the policy takes, and that is nowhere else in any output. */
export const PASSWORD = 'vierzehn Pinguine ☃ tanzen'
export const OTHER_PASSWORD = 'acht Wale ⚓ singen leise'
/** A password of a server, as a URL carries it; half of it needs to be written with percent signs. */
export const SERVER_PASSWORD = 'm@e:e/r#s?c%h w3in'

const { DATABASE_URL, FORCE_COLOR, NODE_ENV, ...inherited } = process.env
/** What the command runs in. Where Node keeps what it has compiled, a hundred runs take a third of the time. */
export const ENVIRONMENT = { ...inherited, NO_COLOR: '1', NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') }

/** How a run of the command is different. */
export interface Circumstances {
  /** What comes on stdin, which is no terminal. */
  input?: string | Uint8Array
  env?: Record<string, string>
  cwd?: string
  /** What stands before the command. */
  node?: readonly string[]
}

/** What came of it. */
export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts the command, with no address of a database in its environment. */
export function start(
  words: readonly string[],
  { env, cwd, node = [] }: Circumstances = {},
): ChildProcessWithoutNullStreams {
  const [program, ...rest] = COMMAND as [string, string, string]
  return spawn(program, [...node, ...rest, ...words], { cwd, env: { ...ENVIRONMENT, ...env } })
}

/** Waits until a command has ended by itself, and holds that nothing it printed has a password in it. */
export async function ended(t: ExecutionContext, child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  t.teardown(() => child.kill('SIGKILL'))
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  assertNoSecret(t, stdout + stderr)
  return { code: code as number | null, stdout, stderr }
}

/** The tests beside a file of these have servers that are to answer in time. */
const inTurn = turns(3)

/** Runs the command to its end, a few at once. */
export function cli(t: ExecutionContext, words: readonly string[], how: Circumstances = {}): Promise<Outcome> {
  return inTurn(() => {
    const child = start(words, how)
    child.stdin.on('error', () => {})
    child.stdin.end(how.input ?? '')
    return ended(t, child)
  })
}

/** The same with `--json`: the document on stdout where it went well, the error on stderr where not, and nothing else anywhere. */
export async function cliJson(t: ExecutionContext, words: readonly string[], how: Circumstances = {}) {
  const { code, stdout, stderr } = await cli(t, [...words, '--json'], how)
  const [document, nothing] = stderr === '' ? [stdout, stderr] : [stderr, stdout]
  t.is(nothing, '')
  t.is(document.trimEnd().split('\n').length, 1, document)
  return { code, json: JSON.parse(document) as ReturnType<typeof JSON.parse> }
}

/** Holds that no password of these tests, of users or of servers, stands in what was printed. */
export function assertNoSecret(t: ExecutionContext, printed: string): void {
  for (const secret of [PASSWORD, OTHER_PASSWORD, SERVER_PASSWORD, encodeURIComponent(SERVER_PASSWORD)])
    t.false(printed.includes(secret), printed)
}

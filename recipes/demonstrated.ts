import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'

const run = promisify(execFile)

/** A recipe that runs, for a test that does what it says to try. */
export interface Demonstrated {
  /** What it has printed, up to the line that says how to end it. */
  readonly said: string
  /** What of that is for a shell. */
  readonly commands: readonly string[]
  /** What it prints from then on, line by line. */
  readonly lines: AsyncIterator<string, undefined>
  /** What it has written to stderr by now. */
  complaints(): string
  /** Runs a command in a folder of this test, and answers what it printed. */
  shell(command: string): Promise<string>
  /** Ends it as Ctrl-C does, and answers its exit code and the signal that it ended by. */
  end(): Promise<unknown[]>
}

/** Starts the `main.ts` at a URL on a free port. */
export async function demonstrated(t: ExecutionContext, main: URL): Promise<Demonstrated> {
  await run('curl', ['--version']).catch(() => {
    throw new Error('This test runs curl. On Debian, as root: apt-get install --yes curl')
  })
  const cwd = await mkdtemp(join(tmpdir(), 'recipe-'))
  t.teardown(() => rm(cwd, { recursive: true, force: true }))
  const child = spawn(process.execPath, ['--conditions=koa-strata:source', fileURLToPath(main)], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  let complaints = ''
  child.stderr.on('data', data => {
    complaints += data
  })
  const lines: AsyncIterator<string, undefined> = createInterface(child.stdout)[Symbol.asyncIterator]()
  let said = ''
  while (!said.includes('Ctrl-C')) {
    const { done, value } = await lines.next()
    if (done) throw new Error(`It ended before it had started: ${said}${complaints}`)
    said += `${value}\n`
  }
  return {
    said,
    commands: [...said.matchAll(/^ {2}((?:curl|env|kill|printf|redis-cli) .*)$/gm)].map(([, command]) => command!),
    lines,
    complaints: () => complaints,
    shell: async command => (await run('sh', ['-c', command], { cwd })).stdout,
    end: () => {
      child.kill('SIGINT')
      return exit
    },
  }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'
import { COMMAND, ENVIRONMENT } from './cli.ts'

/** What somebody types, and behind which words of the terminal. */
export type Typed = readonly [behind: string, keys: string]

/**
 * Runs a program on a terminal of its own (by `script`, which is on every Linux) and types as told. Answers all that the terminal has shown, in
 * the order in which it did, and the exit code.
 */
export async function onTerminal(t: ExecutionContext, program: readonly string[], typed: readonly Typed[]) {
  const line = program.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
    env: ENVIRONMENT,
  })
  t.teardown(() => child.kill('SIGKILL'))
  let shown = ''
  let looked = 0
  const left = [...typed]
  child.stdout.on('data', chunk => {
    shown += chunk
    for (let [next] = left; next && shown.indexOf(next[0], looked) >= 0; [next] = left) {
      looked = shown.indexOf(next[0], looked) + next[0].length
      child.stdin.write(next[1])
      left.shift()
    }
  })
  const [code] = await once(child, 'close')
  return { code: code as number, shown }
}

/** The same with the command. */
export function cliOnTerminal(t: ExecutionContext, words: readonly string[], typed: readonly Typed[]) {
  return onTerminal(t, [...COMMAND, ...words], typed)
}

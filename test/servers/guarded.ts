import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'

/** How a process is started. */
export interface Start {
  program: string
  args: readonly string[]
  /** Where its output goes. */
  log: string
  /** Whom it runs as. @default who runs this */
  as?: { uid: number; gid: number } | undefined
}

/**
 * Starts "$2 …" with its output in $1, says its process id, and kills it when this shell's input ends: when whoever started it is gone. Its
 * children go with it: nginx's workers would go on without it.
 */
const GUARD = `
  log=$1; shift
  "$@" </dev/null >>"$log" 2>&1 & server=$!
  echo $server
  exec 3<&0
  (cat <&3 >/dev/null; kill -9 $server $(cat /proc/$server/task/$server/children)) >/dev/null 2>&1 & guard=$!
  wait $server
  kill $guard
`

/** A process that ends with the one that started it, however that ends. */
export class Guarded {
  readonly pid: number
  /** Resolves when it has ended. */
  readonly exited: Promise<void>
  readonly #shell: ChildProcess

  private constructor(shell: ChildProcess, pid: number) {
    this.#shell = shell
    this.pid = pid
    this.exited = new Promise(resolve => shell.once('exit', () => resolve()))
  }

  static async start({ program, args, log, as }: Start): Promise<Guarded> {
    const shell = spawn('/bin/sh', ['-c', GUARD, 'guard', log, program, ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
      ...as,
    })
    const [line] = await once(shell.stdout!, 'data')
    // It must not keep alive the process that it is to end with.
    shell.unref()
    for (const pipe of [shell.stdin, shell.stdout]) (pipe as unknown as { unref(): void }).unref()
    ;(shell.stdout as Readable).resume()
    return new Guarded(shell, Number(String(line)))
  }

  /** Whether it has not ended. */
  get runs(): boolean {
    return this.#shell.exitCode === null && this.#shell.signalCode === null
  }

  /** Sends a signal to it and to the processes that it started. */
  signal(signal: NodeJS.Signals): void {
    for (const pid of [this.pid, ...childrenOf(this.pid)]) {
      try {
        process.kill(pid, signal)
      } catch {}
    }
  }

  /** SIGKILL, and waits until it has ended. */
  async kill(): Promise<void> {
    if (!this.runs) return
    this.#shell.ref()
    this.signal('SIGKILL')
    await this.exited
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What the processes have in common. */
export interface ProcessesOptions {
  /** Where the sessions are. */
  directory: string
  /** The key that signs the session cookies. */
  key: string
  /** What people see the site at. */
  origin: string
  /** How long one that ends goes on, in milliseconds, so that HAProxy passes it by. */
  notice: number
  /** How long a call of the store may take, in milliseconds. @default 500 */
  deadline?: number | undefined
  /** Is told when a process has ended, and when there is another one. */
  log: (line: string) => void
}

/** One process of the site, and those that take its place. */
export interface PoolProcess {
  readonly port: number
  /** The number of the one that runs. */
  readonly pid: number
  /** Ends it by a signal, and answers when another one listens in its place. */
  replace(signal: NodeJS.Signals): Promise<void>
}

/** Whoever the processes belong to, and end with. */
interface Owner {
  teardown(end: () => unknown): void
}

interface Running {
  readonly child: ChildProcess
  readonly port: number
  /** Resolves when it has ended. */
  readonly exit: Promise<unknown[]>
}

/** Starts a process, and another one on the same port whenever it ends, as a service manager does. */
export async function keepProcess(owner: Owner, name: string, options: ProcessesOptions): Promise<PoolProcess> {
  let running = await launch(name, options, 0)
  let isEnding = false
  let next = Promise.withResolvers<void>()

  async function keep(): Promise<void> {
    for (;;) {
      const [code, signal] = await running.exit
      if (isEnding) return
      const { pid } = running.child
      running = await launch(name, options, running.port)
      options.log(`Process ${name} (${pid}) has ended with ${signal ?? code}; ${running.child.pid} has its place.`)
      next.resolve()
      next = Promise.withResolvers()
    }
  }
  const kept = keep()
  owner.teardown(async () => {
    isEnding = true
    if (running.child.connected) running.child.disconnect()
    await kept
  })

  return {
    port: running.port,
    get pid() {
      return running.child.pid!
    },
    async replace(signal) {
      const replaced = next.promise
      running.child.kill(signal)
      await replaced
    },
  }
}

async function launch(name: string, options: ProcessesOptions, port: number): Promise<Running> {
  const { directory, key, origin, notice, deadline = 500 } = options
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), {
    execArgv: ['--conditions=koa-strata:source'],
    env: {
      ...process.env,
      PORT: String(port),
      DIRECTORY: directory,
      SESSION_KEYS: key,
      ORIGIN: origin,
      NAME: name,
      NOTICE: String(notice),
      DEADLINE: String(deadline),
    },
  })
  const exit = once(child, 'exit')
  const [said] = (await Promise.race([once(child, 'message'), exit])) as [number]
  if (!child.connected) throw new Error(`Process ${name} of the app did not start.`)
  return { child, port: said, exit }
}

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What the processes have in common. */
export interface ProcessesOptions {
  /** The SQLite file of the singers. */
  database: string
  /** Where the sessions are. */
  directory: string
  /** The key that signs the session cookies. */
  key: string
  /** What people see the site at. */
  origin: string
  /** How long a call of the session store may take, in milliseconds. @default 500 */
  deadline?: number | undefined
}

/** One process of the app. */
export interface AppProcess {
  readonly port: number
  readonly pid: number
  /** Ends it as a crash would, and waits until it has. */
  kill(): Promise<void>
}

/** Whoever a process belongs to, and ends with. */
interface Owner {
  teardown(end: () => unknown): void
}

/** Starts one process of the app. @param name what it is called on the page */
export async function startProcess(owner: Owner, name: string, options: ProcessesOptions): Promise<AppProcess> {
  const { database, directory, key, origin, deadline = 500 } = options
  const child = fork(fileURLToPath(new URL('process.ts', import.meta.url)), {
    execArgv: ['--conditions=koa-strata:source'],
    env: {
      ...process.env,
      DATABASE: database,
      DIRECTORY: directory,
      KEY: key,
      ORIGIN: origin,
      NAME: name,
      DEADLINE: String(deadline),
    },
  })
  const exit = once(child, 'exit')
  owner.teardown(async () => {
    if (child.connected) child.disconnect()
    await exit
  })
  const [port] = (await Promise.race([once(child, 'message'), exit])) as [number]
  if (!child.connected) throw new Error(`Process ${name} of the app did not start.`)
  return {
    port,
    pid: child.pid!,
    async kill() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

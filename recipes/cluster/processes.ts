import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Owner } from '../../test/servers/owner.ts'

/** What the processes have in common. */
export interface Shared {
  /** Nodes of the Redis Cluster. */
  readonly redis: readonly string[]
  /** The database, by its HAProxy. */
  readonly database: string
  /** The key that signs the session cookie. */
  readonly key: string
}

/** A process of the site. */
export interface AppProcess {
  readonly name: string
  readonly port: number
  readonly pid: number
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same port, as systemd would. */
  restart(): Promise<void>
}

/** Starts a process on a free port, which ends with its owner. In production systemd does (`club@.service`). */
export async function startProcess(owner: Owner, shared: Shared, name: string): Promise<AppProcess> {
  let { child, port } = await launch(shared, name, 0)
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  owner.teardown(kill)
  return {
    name,
    get port() {
      return port
    },
    get pid() {
      return child.pid!
    },
    kill,
    async restart() {
      await kill()
      ;({ child, port } = await launch(shared, name, port))
    },
  }
}

async function launch({ redis, database, key }: Shared, name: string, port: number) {
  const child: ChildProcess = fork(fileURLToPath(new URL('process.ts', import.meta.url)), {
    execArgv: ['--conditions=koa-strata:source'],
    env: {
      ...process.env,
      REDIS_NODES: redis.join(','),
      DATABASE_URL: database,
      SESSION_KEYS: key,
      PROXIES: '127.0.0.1',
      NAME: name,
      PORT: String(port),
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  // What it says of each lost connection is of interest where it does not start.
  let complaints = ''
  child.stderr!.on('data', data => {
    complaints = `${complaints}${data}`.slice(-2000)
  })
  const exit = once(child, 'exit')
  const [said] = await Promise.race([once(child, 'message'), exit])
  if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} did not start:\n${complaints}`)
  return { child, port: Number(said) }
}

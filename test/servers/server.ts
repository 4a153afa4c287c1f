import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Guarded, type Start } from './guarded.ts'
import type { Owner } from './owner.ts'
import { freePort } from './port.ts'

/** How a kind of server is started. */
export interface ServerKind {
  readonly name: string
  /** Its data. */
  readonly folder: string
  start(port: number): Omit<Start, 'log'>
  url(port: number): string
  /** Whether it takes requests. */
  answers(port: number): Promise<boolean>
}

/** How long a server may take to start, in milliseconds. */
const PATIENCE = 60_000
const MOST_PORTS = 5

/** A private server on a free port of the loopback. It ends with its owner, and with this process at the latest. */
export class Server {
  readonly port: number
  readonly #kind: ServerKind
  #process: Guarded

  private constructor(kind: ServerKind, port: number, process: Guarded) {
    this.#kind = kind
    this.port = port
    this.#process = process
  }

  static async start(owner: Owner, kind: ServerKind): Promise<Server> {
    for (let tries = 1; ; tries++) {
      const port = await freePort()
      try {
        const server = new Server(kind, port, await launch(kind, port))
        owner.teardown(() => server.kill())
        return server
      } catch (error) {
        // Somebody else may have taken the port in between.
        if (tries === MOST_PORTS) throw error
      }
    }
  }

  get url(): string {
    return this.#kind.url(this.port)
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Sends a signal to the server and the processes that it started: SIGSTOP freezes all of it, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal)
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#process.kill()
  }

  /** Starts it again on the same port and data, and waits until it takes requests. Kills it first where it still runs. */
  async restart(): Promise<void> {
    await this.kill()
    const deadline = performance.now() + PATIENCE
    for (;;) {
      try {
        this.#process = await launch(this.#kind, this.port)
        return
      } catch (error) {
        // What the killed one has left behind may still be on its way out.
        if (performance.now() > deadline) throw error
      }
    }
  }
}

async function launch(kind: ServerKind, port: number): Promise<Guarded> {
  const log = join(kind.folder, 'log')
  const process = await Guarded.start({ ...kind.start(port), log })
  const deadline = performance.now() + PATIENCE
  while (!(await kind.answers(port))) {
    if (!process.runs || performance.now() > deadline) {
      await process.kill()
      throw new Error(`${kind.name} did not start:\n${readFileSync(log, 'utf8').slice(-2000)}`)
    }
    await wait(20)
  }
  if (!process.runs) throw new Error(`Another server answers on port ${port}.`)
  return process
}

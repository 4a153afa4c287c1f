import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What the processes have in common. */
export interface ProcessesOptions {
  /** How many there are. */
  count: number
  /** The nodes of the Cluster. */
  nodes: readonly string[]
  /** The key that signs the session cookie. */
  key: string
  /** The port of the first one, the others follow; 0 takes free ones. @default 0 */
  port?: number
}

/** Whoever the processes belong to, and end with. */
interface Owner {
  teardown(end: () => unknown): void
}

/** Starts processes of the app, and answers where they listen. */
export async function startProcesses(owner: Owner, options: ProcessesOptions): Promise<string[]> {
  return Promise.all(Array.from({ length: options.count }, (_, index) => startProcess(owner, options, index)))
}

async function startProcess(owner: Owner, { nodes, key, port = 0 }: ProcessesOptions, index: number): Promise<string> {
  const child = fork(fileURLToPath(new URL('process.ts', import.meta.url)), {
    execArgv: ['--conditions=koa-strata:source'],
    env: {
      ...process.env,
      NODES: nodes.join(','),
      KEYS: key,
      NAME: `process ${index + 1}`,
      PORT: String(port === 0 ? 0 : port + index),
    },
  })
  const exit = once(child, 'exit')
  owner.teardown(async () => {
    if (child.connected) child.disconnect()
    await exit
  })
  const [said] = (await Promise.race([once(child, 'message'), exit])) as [{ port?: number; code?: string }]
  if (said?.port) return `http://127.0.0.1:${said.port}`
  throw Object.assign(new Error('A process of the app did not start.'), { code: said?.code })
}

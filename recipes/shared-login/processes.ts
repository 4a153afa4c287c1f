import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Databases } from './example.ts'

/** What the applications are started with. */
export interface OrganisationOptions {
  databases: Databases
  /** Where the sessions are, as `openStore()` has it. */
  sessions: string
  keys: readonly string[]
  /** The domain whose hosts they are. */
  domain: string
  /** Where they listen on this machine. */
  ports: Readonly<Record<'shop' | 'forum', number>>
}

/** Whoever the processes belong to, and end with. */
interface Owner {
  teardown(end: () => unknown): void
}

/** What a process says when it listens, or cannot. */
interface Said {
  port?: number
  code?: string
  message?: string
}

/** Starts one of the applications in a process of its own, and answers what people see it at. */
export async function startApplication(
  owner: Owner,
  name: 'shop' | 'forum',
  { databases, sessions, keys, domain, ports }: OrganisationOptions,
): Promise<string> {
  const originOf = (app: 'shop' | 'forum') => `http://${app}.${domain}:${ports[app]}`
  const child = fork(new URL('process.ts', import.meta.url), {
    execArgv: ['--conditions=koa-strata:source'],
    env: {
      ...process.env,
      APP: name,
      DATABASE: databases[name],
      PEOPLE: databases.people,
      SESSIONS: sessions,
      KEYS: keys.join(','),
      DOMAIN: domain,
      OTHER: `${originOf(name === 'shop' ? 'forum' : 'shop')}/`,
      PORT: String(ports[name]),
    },
  })
  const exit = once(child, 'exit')
  owner.teardown(async () => {
    if (child.connected) child.disconnect()
    await exit
  })
  const [said] = (await Promise.race([once(child, 'message'), exit])) as [Said | undefined]
  if (said?.port) return originOf(name)
  throw Object.assign(new Error(said?.message ?? `The ${name} did not start.`), { code: said?.code })
}

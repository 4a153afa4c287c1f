import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashSync } from '@node-rs/bcrypt'
import { startApache } from '../../test/servers/apache.ts'
import { type Certificate, makeCertificate } from '../../test/servers/certificate.ts'
import { newFolder } from '../../test/servers/folder.ts'
import type { Owner } from '../../test/servers/owner.ts'
import { freePort } from '../../test/servers/port.ts'
import type { Server } from '../../test/servers/server.ts'
import { PREFIX } from './address.ts'
import { MODULES, proxyConfiguration } from './proxy.ts'

/** Who passes Apache to the drafts, and the passwords. */
export const STAFF: Readonly<Record<string, string>> = { grace: 'grace-demo-password' }

/** One process of the app on this machine. */
export interface AppProcess {
  readonly port: number
  readonly pid: number
  /** Ends it as a crash would. */
  kill(): Promise<void>
  /** Starts another in its place. */
  restart(): Promise<void>
}

/** Two processes of the app, and what they and their Apache share. */
export interface App {
  /** What PUBLIC_ORIGIN is. */
  readonly origin: string
  readonly certificate: Certificate
  readonly processes: readonly AppProcess[]
}

/** An Apache in front of them. */
export interface Proxy {
  readonly apache: Server
  /** What people see the site at, as `https://127.0.0.1:3000/webapps`. */
  readonly address: string
  /** What Apache sends on to https. */
  readonly plain: string
}

export type Site = App & Proxy

/** Starts two processes of the app and an Apache in front of them, with the very apache.conf. @param port of 127.0.0.1 for https; a free one where it is left out */
export async function startSite(owner: Owner, port?: number): Promise<Site> {
  const https = port ?? (await freePort())
  const shared = {
    PUBLIC_ORIGIN: `https://127.0.0.1:${https}`,
    DIRECTORY: join(newFolder('harbour'), 'sessions'),
    KEYS: randomBytes(32).toString('base64url'),
  }
  const [certificate, ...processes] = await Promise.all([
    makeCertificate(),
    ...['process 1', 'process 2'].map(NAME => startProcess(owner, { ...shared, NAME })),
  ])
  const app = { origin: shared.PUBLIC_ORIGIN, certificate, processes }
  return { ...app, ...(await startProxy(owner, app, { https })) }
}

/** Starts an Apache in front of processes that run. @param adapt what to make of apache.conf before it is used */
export async function startProxy(
  owner: Owner,
  { certificate: { certificate, key }, processes }: App,
  { https, adapt = text => text }: { https?: number; adapt?: (configuration: string) => string },
): Promise<Proxy> {
  const port = https ?? (await freePort())
  const apache = await startApache(owner, {
    modules: MODULES,
    configuration({ port: http, folder }) {
      const passwords = join(folder, 'webapps.htpasswd')
      const lines = Object.entries(STAFF).map(([name, password]) => `${name}:${hashSync(password, 5)}\n`)
      writeFileSync(passwords, lines.join(''))
      const apps = processes.map(one => one.port)
      const places = { http, https: port, apps, passwords, certificate, key }
      return `Listen 127.0.0.1:${port}\n${adapt(proxyConfiguration(places))}`
    },
  })
  return { apache, address: `https://127.0.0.1:${port}${PREFIX}`, plain: apache.url }
}

async function startProcess(owner: Owner, variables: Record<string, string>): Promise<AppProcess> {
  const port = await freePort()
  const launch = async () => {
    const child = fork(fileURLToPath(new URL('process.ts', import.meta.url)), {
      execArgv: ['--conditions=koa-strata:source'],
      env: { ...process.env, ...variables, PORT: String(port) },
    })
    const exit = once(child, 'exit')
    const isUp = await Promise.race([once(child, 'message').then(() => true), exit.then(() => false)])
    if (!isUp) throw new Error('A process of the app did not start.')
    return { child, exit }
  }
  let running = await launch()
  owner.teardown(async () => {
    if (running.child.connected) running.child.disconnect()
    await running.exit
  })
  return {
    port,
    get pid() {
      return running.child.pid!
    },
    async kill() {
      running.child.kill('SIGKILL')
      await running.exit
    },
    async restart() {
      running = await launch()
    },
  }
}

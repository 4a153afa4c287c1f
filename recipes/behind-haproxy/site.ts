import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Certificate, makeCertificate } from '../../test/servers/certificate.ts'
import { newFolder } from '../../test/servers/folder.ts'
import { startHaproxy } from '../../test/servers/haproxy.ts'
import type { Owner } from '../../test/servers/owner.ts'
import { freePort } from '../../test/servers/port.ts'
import type { Server } from '../../test/servers/server.ts'
import { keepProcess, type PoolProcess } from './processes.ts'
import { proxyConfiguration } from './proxy.ts'

/** The site with its HAProxy, on this machine. */
export interface Site {
  /** What people see it at over plain http, and over https. */
  readonly http: string
  readonly https: string
  readonly certificate: Certificate
  readonly processes: readonly PoolProcess[]
  readonly haproxy: Server
}

export interface SiteOptions {
  /** The port of 127.0.0.1 for plain http, the next one is for https; 0 takes free ones. @default 0 */
  port?: number
  /** How long a process that ends goes on, in milliseconds: HAProxy looks twice within 700. @default 1500 */
  notice?: number
  /** How long a call of the store may take, in milliseconds. @default 500 */
  deadline?: number
  log: (line: string) => void
}

/** Starts two processes of the site and a HAProxy in front of them, with the very haproxy.cfg. */
export async function startSite(owner: Owner, { port = 0, notice = 1500, deadline, log }: SiteOptions): Promise<Site> {
  const certificate = await makeCertificate()
  const [http, https] = port === 0 ? [await freePort(), await freePort()] : [port, port + 1]
  const origin = `https://127.0.0.1:${https}`
  const key = randomBytes(32).toString('base64url')
  const options = { directory: join(newFolder('pool'), 'sessions'), key, origin, notice, deadline, log }
  const processes = await Promise.all(['one', 'two'].map(name => keepProcess(owner, name, options)))
  const apps = processes.map(one => one.port)
  const haproxy = await startHaproxy(owner, {
    configuration: () => proxyConfiguration({ ports: { http, https }, apps, certificate: certificate.both }),
  })
  return { http: `http://127.0.0.1:${http}`, https: origin, certificate, processes, haproxy }
}

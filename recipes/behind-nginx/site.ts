import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { makeCertificate } from '../../test/servers/certificate.ts'
import { newFolder } from '../../test/servers/folder.ts'
import { startNginx } from '../../test/servers/nginx.ts'
import type { Owner } from '../../test/servers/owner.ts'
import { freePort } from '../../test/servers/port.ts'
import type { Server } from '../../test/servers/server.ts'
import { createArchive } from './archive.ts'
import { makeDatabase } from './database.ts'
import { type AppProcess, startProcess } from './processes.ts'
import { passwordFile, proxyConfiguration } from './proxy.ts'

/** Whom nginx lets in to /staff, and their passwords. */
export const STAFF: Readonly<Record<string, string>> = { joan: 'joan-demo' }

/** The choir with its nginx, on this machine. */
export interface Site {
  /** What people see it at: https. */
  readonly origin: string
  /** Who asks here is sent on to `origin`. */
  readonly http: string
  /** The file of the certificate, for clients to believe. */
  readonly certificate: string
  readonly nginx: Server
  /** The processes of the app, behind nginx. */
  readonly processes: readonly AppProcess[]
  /** The SQLite file of the singers. */
  readonly database: string
}

export interface SiteOptions {
  /** The port of https, and the next one is http's; 0 takes free ones. @default 0 */
  port?: number
  /** How long a call of the session store may take, in milliseconds. @default 500 */
  deadline?: number
}

/** Starts two processes of the app, the archive, and an nginx in front of them, with the very nginx.conf. */
export async function startSite(owner: Owner, { port = 0, deadline }: SiteOptions = {}): Promise<Site> {
  const folder = newFolder('choir')
  const database = join(folder, 'singers.sqlite')
  const certificate = await makeCertificate()
  await makeDatabase(database)
  const https = port || (await freePort())
  const origin = `https://127.0.0.1:${https}`

  const archive = createArchive().listen(0, '127.0.0.1')
  await once(archive, 'listening')
  owner.teardown(() => archive.close())
  const key = randomBytes(32).toString('base64url')
  const options = { database, directory: join(folder, 'sessions'), key, origin, deadline }
  const processes = await Promise.all(['one', 'two'].map(name => startProcess(owner, name, options)))

  const staff = join(folder, 'staff')
  writeFileSync(staff, passwordFile(STAFF))
  const nginx = await startNginx(owner, {
    http: place =>
      proxyConfiguration({
        http: [place.port, ...(port === 0 ? [] : [port + 1])].map(one => `127.0.0.1:${one}`),
        https: [`127.0.0.1:${https} ssl`],
        apps: processes.map(one => one.port),
        archive: (archive.address() as AddressInfo).port,
        ...{ origin, certificate, staff },
      }),
  })
  const http = port === 0 ? nginx.url : `http://127.0.0.1:${port + 1}`
  return { origin, http, certificate: certificate.certificate, nginx, processes, database }
}

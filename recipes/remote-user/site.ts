import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import { startApache } from '../../test/servers/apache.ts'
import { type Certificate, makeCertificate } from '../../test/servers/certificate.ts'
import type { Owner } from '../../test/servers/owner.ts'
import { freePort } from '../../test/servers/port.ts'
import type { Server } from '../../test/servers/server.ts'
import { createLedger } from './app.ts'
import type { Identity } from './identity.ts'
import { MODULES, proxyConfiguration } from './proxy.ts'

/** Whom Apache lets in, and the passwords. */
export const PEOPLE: Readonly<Record<string, string>> = { grace: 'grace-demo-password', noor: 'noor-demo-password' }

/** The app with its Apache, on this machine. */
export interface Site {
  /** What people see it at. */
  readonly origin: string
  /** The app's own port, behind Apache. */
  readonly app: number
  readonly certificate: Certificate
  readonly apache: Server
}

export interface SiteOptions {
  identity: Identity
  /** The port of 127.0.0.1 for https. @default a free one */
  port?: number
  /** What to make of apache.conf before it is used. */
  adapt?: (configuration: string) => string
}

/** Starts the app and an Apache in front of it, with the very apache.conf. */
export async function startSite(owner: Owner, { identity, port, adapt = text => text }: SiteOptions): Promise<Site> {
  const server = createServer(createLedger(identity).callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port: app } = server.address() as AddressInfo
  const https = port ?? (await freePort())
  const certificate = await makeCertificate()
  const apache = await startApache(owner, {
    modules: MODULES,
    configuration({ port: http, folder }) {
      const passwords = join(folder, 'keys.htpasswd')
      const lines = Object.entries(PEOPLE).map(([name, password]) => `${name}:${hashSync(password, 5)}\n`)
      writeFileSync(passwords, lines.join(''))
      const places = { http, https, app, passwords, certificate: certificate.certificate, key: certificate.key }
      return `Listen 127.0.0.1:${https}\n${adapt(proxyConfiguration(places))}`
    },
  })
  return { origin: `https://127.0.0.1:${https}`, app, certificate, apache }
}

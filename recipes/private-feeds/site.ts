import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Knex } from 'knex'
import { startNginx } from '../../test/servers/nginx.ts'
import type { Owner } from '../../test/servers/owner.ts'
import type { Server } from '../../test/servers/server.ts'
import { createToolLibrary } from './app.ts'
import { exampleDatabase } from './example.ts'
import { proxyConfiguration } from './proxy.ts'

/** The tool library with its nginx, on this machine. */
export interface Site {
  /** What people see it at. */
  readonly origin: string
  /** Where the app is, behind nginx. */
  readonly app: string
  readonly nginx: Server
  readonly database: Knex
  /** Where nginx keeps its logs and its cache. */
  readonly folder: string
  /** Ends the app alone, as a crash would. */
  stopApp(): void
}

export interface SiteOptions {
  /** Where the app's own log goes. */
  log: (line: string) => void
  /** A port of 127.0.0.1 for nginx, beside the one that it has anyway. @default none */
  port?: number
  /** What to make of nginx.conf before it is used. */
  adapt?: (configuration: string) => string
}

/** Starts the app and an nginx in front of it, with the very nginx.conf. */
export async function startSite(owner: Owner, { log, port, adapt = text => text }: SiteOptions): Promise<Site> {
  const database = await exampleDatabase(owner)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stopApp = () => {
    server.close()
    server.closeAllConnections()
  }
  owner.teardown(stopApp)
  const { port: app } = server.address() as AddressInfo
  let folder = ''
  const nginx = await startNginx(owner, {
    http(place) {
      folder = place.folder
      const ports = port === undefined ? [place.port] : [port, place.port]
      return adapt(proxyConfiguration({ ports, app, folder }))
    },
  })
  const origin = port === undefined ? nginx.url : `http://127.0.0.1:${port}`
  server.on('request', createToolLibrary({ database, keys: [randomBytes(32)], origin, log }).callback())
  return {
    origin,
    app: `http://127.0.0.1:${app}`,
    nginx,
    database,
    folder,
    stopApp,
  }
}

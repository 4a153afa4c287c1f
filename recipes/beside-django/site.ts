import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import knexFactory, { type Knex } from 'knex'
import type { UserBackend } from 'koa-strata'
import { newFolder } from '../../test/servers/folder.ts'
import { startNginx } from '../../test/servers/nginx.ts'
import type { Owner } from '../../test/servers/owner.ts'
import { firstWords } from '../../test/servers/port.ts'
import { program } from '../../test/servers/program.ts'
import { Server } from '../../test/servers/server.ts'
import { createFeeds } from './app.ts'
import { ADA, GRACE, type Person, partners } from './example.ts'
import { proxyConfiguration } from './proxy.ts'

/** The Django site and the Koa application beside it, behind an nginx, on this machine. */
export interface Site {
  /** What people see both at. */
  readonly origin: string
  readonly nginx: Server
  readonly django: Server
  /** Where the Koa application is, behind nginx. */
  readonly koa: string
  /** Django's. */
  readonly database: Knex
}

export interface SiteOptions {
  /** A port of 127.0.0.1 for nginx, beside the one that it has anyway. @default none */
  port?: number
  /** The module of Django's settings. @default 'jobs.settings' */
  settings?: string | undefined
  /** Whom Django knows. @default ADA and GRACE of example.ts */
  people?: readonly Person[]
  /** Whom the Koa application knows besides. @default the partners of example.ts */
  guests?: readonly UserBackend[]
}

/** Starts all three, with the very nginx.conf. */
export async function startSite(
  owner: Owner,
  { port, settings = 'jobs.settings', people = [ADA, GRACE], guests = [partners] }: SiteOptions = {},
): Promise<Site> {
  const folder = newFolder('jobs')
  const filename = join(folder, 'db.sqlite3')
  const staticFiles = join(folder, 'static')
  const secretKey = randomBytes(32).toString('base64url')
  const django = await startDjango(owner, folder, {
    DJANGO_SETTINGS_MODULE: settings,
    DJANGO_SECRET_KEY: secretKey,
    DJANGO_DATABASE: filename,
    DJANGO_STATIC_ROOT: staticFiles,
    EXAMPLE: JSON.stringify(people),
  })

  const database = knexFactory({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true })
  owner.teardown(() => database.destroy())
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port: koa } = server.address() as AddressInfo
  const nginx = await startNginx(owner, {
    http: place => {
      const ports = port === undefined ? [place.port] : [port, place.port]
      // As Debian's own nginx.conf has it around what is in conf.d.
      return `include /etc/nginx/mime.types;\n${proxyConfiguration({ ports, django: django.port, koa, staticFiles })}`
    },
  })
  const origin = port === undefined ? nginx.url : `http://127.0.0.1:${port}`
  server.on('request', createFeeds({ database, keys: { secretKey }, origin, guests }).callback())
  return { origin, nginx, django, koa: `http://127.0.0.1:${koa}`, database }
}

/** A gunicorn with the site, which has made its tables when it answers. @param environment what the site reads there */
function startDjango(owner: Owner, folder: string, environment: Record<string, string>): Promise<Server> {
  const gunicorn = program('gunicorn', 'gunicorn python3-django')
  const [recipe, project, example] = ['.', 'site', 'example.py'].map(name =>
    fileURLToPath(new URL(name, import.meta.url)),
  )
  return Server.start(owner, {
    name: 'gunicorn',
    folder,
    start: port => ({
      program: program('env', 'coreutils'),
      args: [
        ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
        'PYTHONDONTWRITEBYTECODE=1',
        `PYTHONPATH=${[project, recipe, process.env.PYTHONPATH].filter(Boolean).join(':')}`,
        gunicorn,
        `--config=${example}`,
        `--bind=127.0.0.1:${port}`,
      ],
    }),
    url: port => `http://127.0.0.1:${port}`,
    answers: async port => (await firstWords(port, 'GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n')).startsWith('HTTP/'),
  })
}

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { newDatabase, type TestDatabase } from '../database/servers.ts'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { firstWords } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

/** Django's settings by their names, as JSON has them; beside those, `QUICK_PASSWORDS: true` for passwords hashed with few rounds. */
export type DjangoSettings = Record<string, unknown>

export interface DjangoOptions {
  /** Where Django keeps sessions. @default 'db' */
  sessions?: 'db' | 'file' | 'signed_cookies' | 'cached_db'
  /** @default a new SQLite file */
  database?: TestDatabase
  /** A memcached. @default a cache in each of Django's processes, which is none that `cached_db` works with */
  cache?: { url: string; keyPrefix?: string; version?: number }
  /** @default a random one */
  secretKey?: string
  /** They win over what the other options say. */
  settings?: DjangoSettings
  /** Whether Django's tables are made. @default true */
  migrate?: boolean
}

/** A user to be made. */
export interface DjangoPerson {
  /** The username; the email address where AUTH_USER_MODEL is `members.Member`. */
  name: string
  /** @default one that nobody can log in with */
  password?: string
  /** As `['openings.publish_opening']`. */
  permissions?: readonly string[]
  /** The groups that the user is in, each with its permissions. */
  groups?: Record<string, readonly string[]>
  /** A further column, as `is_staff`. */
  [column: string]: unknown
}

/** The Django site of the folder `django`, private and served by gunicorn. */
export interface Django {
  readonly server: Server
  readonly url: string
  /** The one it runs with now. */
  readonly secretKey: string
  /** The output of gunicorn, with the site's errors, is in its `log`. */
  readonly folder: string
  /** Where the sessions are that it keeps in files. */
  readonly sessionsDirectory: string
  readonly database: TestDatabase
  /** Starts it again on the same port. @param changed settings that are others from now on */
  restart(changed?: DjangoSettings): Promise<void>
  /**
   * Runs Python in the site, and resolves to what its last call of `answer` was given: `answer(User.objects.count())`.
   * @param given what `given` is there, as JSON
   * @throws Error with Python's traceback
   */
  run(python: string, given?: unknown): Promise<unknown>
  /** Makes users, and resolves to their ids by name. */
  people(people: readonly DjangoPerson[]): Promise<Record<string, number | string>>
}

const PROJECT = new URL('django', import.meta.url).pathname
const PACKAGES =
  'gunicorn python3-django python3-mysqldb python3-psycopg2 python3-argon2 python3-bcrypt python3-pymemcache'

/** Files of SQLite with Django's tables, by the settings that decide on those: making the tables takes longer than copying them. */
const templates = new Map<string, Promise<string>>()

/** Starts a Django site. `STRATA_DJANGO` names a folder with another Django than the installed one. */
export async function startDjango(owner: Owner, options: DjangoOptions = {}): Promise<Django> {
  const { sessions = 'db', database = await newDatabase(owner, 'sqlite'), cache, migrate = true } = options
  const gunicorn = program('gunicorn', PACKAGES)
  const folder = newFolder('django')
  const sessionsDirectory = join(folder, 'sessions')
  mkdirSync(sessionsDirectory)
  const shell = join(folder, 'shell')
  const settings: DjangoSettings = {
    SECRET_KEY: options.secretKey ?? randomBytes(32).toString('base64url'),
    DATABASES: { default: databaseSettings(database) },
    SESSION_ENGINE: `django.contrib.sessions.backends.${sessions}`,
    SESSION_FILE_PATH: sessionsDirectory,
    ...(cache && { CACHES: { default: cacheSettings(cache) } }),
    ...options.settings,
  }
  const run = async (code: string, given: unknown = null) => {
    const socket = net.connect(shell)
    socket.end(JSON.stringify({ code, given }))
    const { answer, failed } = JSON.parse(Buffer.concat(await socket.toArray()).toString())
    if (failed) throw new Error(failed)
    return answer
  }
  let migrates = false
  const start = (first: { migrates: boolean }) => {
    migrates = first.migrates
    return Server.start(owner, {
      name: 'gunicorn',
      folder,
      start: port => ({
        program: program('env', 'coreutils'),
        args: [
          'PYTHONDONTWRITEBYTECODE=1',
          `PYTHONPATH=${[process.env.STRATA_DJANGO, PROJECT].filter(Boolean).join(':')}`,
          `SITE_SETTINGS=${JSON.stringify(settings)}`,
          `SITE_SHELL=${shell}`,
          `SITE_MIGRATES=${migrates ? 'yes' : ''}`,
          gunicorn,
          `--config=${join(PROJECT, 'gunicorn.conf.py')}`,
          `--bind=127.0.0.1:${port}`,
        ],
      }),
      url: port => `http://127.0.0.1:${port}`,
      answers: async port =>
        (await firstWords(port, 'GET /whoami HTTP/1.0\r\nHost: localhost\r\n\r\n')).startsWith('HTTP/') &&
        (await run('answer(True)').catch(() => false)) === true,
    })
  }
  const server = await (migrate ? startMigrated(database, settings, start) : start({ migrates: false }))
  // Starting it again changes nothing in the database.
  migrates = false
  return {
    server,
    url: server.url,
    get secretKey() {
      return String(settings.SECRET_KEY)
    },
    folder,
    sessionsDirectory,
    database,
    async restart(changed) {
      Object.assign(settings, changed)
      await server.restart()
    },
    run,
    people: people => run('import people; answer(people.make(given))', people),
  }
}

/** Starts a site with Django's tables: from the copy of another site's where a file of SQLite is new. */
async function startMigrated(
  { name, config }: TestDatabase,
  settings: DjangoSettings,
  start: (first: { migrates: boolean }) => Promise<Server>,
): Promise<Server> {
  const { filename = '' } = config.connection as { filename?: string }
  if (name !== 'sqlite' || existsSync(filename)) return start({ migrates: true })
  const tables = JSON.stringify([settings.AUTH_USER_MODEL, settings.INSTALLED_APPS])
  const template = templates.get(tables)
  if (template) {
    await copyFile(await template, filename)
    return start({ migrates: false })
  }
  const started = start({ migrates: true })
  const copied = started.then(async () => {
    const copy = join(newFolder('django'), 'template')
    await copyFile(filename, copy)
    return copy
  })
  templates.set(tables, copied)
  await copied
  return started
}

/** Django's DATABASES['default']. */
function databaseSettings({ name, config }: TestDatabase): object {
  if (name === 'sqlite') {
    const { filename } = config.connection as { filename: string }
    return { ENGINE: 'django.db.backends.sqlite3', NAME: filename, OPTIONS: { timeout: 20 } }
  }
  const { host, port, user, password, database } = config.connection as Record<string, string | number>
  const server = { HOST: host, PORT: port, USER: user, PASSWORD: password, NAME: database }
  if (name === 'mariadb') return { ...server, ENGINE: 'django.db.backends.mysql', OPTIONS: { charset: 'utf8mb4' } }
  const options = `-c search_path=${[config.searchPath].flat().join()}`
  return { ...server, ENGINE: 'django.db.backends.postgresql', OPTIONS: { options } }
}

/** Django's CACHES['default']. */
function cacheSettings({ url, keyPrefix = '', version = 1 }: NonNullable<DjangoOptions['cache']>): object {
  const BACKEND = 'django.core.cache.backends.memcached.PyMemcacheCache'
  return { BACKEND, LOCATION: new URL(url).host, KEY_PREFIX: keyPrefix, VERSION: version }
}

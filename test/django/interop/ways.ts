import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { memoryStore } from 'koa-strata'
import type { DjangoSessionsOptions } from 'koa-strata/django'
import { MemcacheClient } from 'memcache-client'
import { type DatabaseName, newDatabase } from '../../database/servers.ts'
import { type Django, type DjangoOptions, type DjangoSettings, startDjango } from '../../servers/django.ts'
import type { Owner } from '../../servers/owner.ts'
import { sharedServer } from '../../servers/shared.ts'

/** What a way gives that not every one does: sessions that end on the server, or whole in the cookie; in rows; with copies in a cache. */
export type Trait = 'server' | 'cookie' | 'rows' | 'cache'

/** A way in which Django keeps its sessions. */
export interface Way {
  readonly name: string
  readonly traits: readonly Trait[]
  /** @param settings those of Django that are others than the tests' own */
  start(owner: Owner, settings?: DjangoSettings): Promise<Stage>
}

/** A live Django, and how to share its sessions. */
export interface Stage {
  readonly way: Way
  readonly site: Django
  /** The site's database. */
  readonly knex: Knex
  /** What `djangoSessions()` is told, but for the keys. */
  readonly options: Omit<DjangoSessionsOptions, 'secretKey'>
  /** What is stored of a session, byte for byte, and when it ends or was written; null: nothing. In cookies nothing ever is. */
  stored(cookie: string): Promise<string | null>
  /** Makes a session too old, and answers its cookie. */
  expire(cookie: string): Promise<string>
}

export const DAY = 86_400_000
/** SESSION_COOKIE_AGE, in milliseconds: another than Django's own. */
export const AGE = 3 * DAY
export const MODEL_BACKEND = 'django.contrib.auth.backends.ModelBackend'
/** A second way to log in to Django, which counts here only where it is listed. */
export const OTHER_BACKEND = 'django.contrib.auth.backends.AllowAllUsersModelBackend'

const SETTINGS: DjangoSettings = {
  QUICK_PASSWORDS: true,
  SESSION_COOKIE_AGE: AGE / 1000,
  AUTHENTICATION_BACKENDS: [MODEL_BACKEND, OTHER_BACKEND],
  // Both leave what they have in the session.
  CSRF_USE_SESSIONS: true,
  MESSAGE_STORAGE: 'django.contrib.messages.storage.session.SessionStorage',
}

/** The past, in Python: longer ago than any session lasts. */
const LONG_AGO = `
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
long_ago = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE + 60)`

const rows = (name: DatabaseName): Way =>
  way(`db on ${name}`, ['server', 'rows'], async (owner, settings) => {
    const stage = await opened(owner, { settings, sessions: 'db', database: await newDatabase(owner, name) })
    return { ...stage, ...inRows(stage), options: { database: stage.knex } }
  })

const cachedRows: Way = way('cached_db', ['server', 'rows', 'cache'], async (owner, settings) => {
  const [url] = await sharedServer('memcached')
  const keyPrefix = randomBytes(8).toString('hex')
  const stage = await opened(owner, { settings, sessions: 'cached_db', cache: { url: url!, keyPrefix, version: 2 } })
  const memcached = new MemcacheClient({ server: new URL(url!).host })
  owner.teardown(() => memcached.shutdown())
  const cache = { delete: (key: string) => memcached.delete(key), keyPrefix, version: 2 }
  return { ...stage, ...inRows(stage), options: { database: stage.knex, cache } }
})

const files: Way = way('file', ['server'], async (owner, settings) => {
  const stage = await opened(owner, { settings, sessions: 'file' })
  const { site } = stage
  const pathOf = (key: string) => join(site.sessionsDirectory, `sessionid${key}`)
  return {
    ...stage,
    options: { directory: site.sessionsDirectory },
    async stored(key) {
      const path = pathOf(key)
      if (!existsSync(path)) return null
      const [text, { mtimeMs }] = await Promise.all([readFile(path, 'latin1'), stat(path)])
      return JSON.stringify([text, mtimeMs])
    },
    async expire(key) {
      const touch = 'import os; os.utime(given, (long_ago.timestamp(), long_ago.timestamp()))'
      await site.run(`${LONG_AGO}\n${touch}`, pathOf(key))
      return key
    },
  }
})

const cookies: Way = way('signed_cookies', ['cookie'], async (owner, settings) => {
  const stage = await opened(owner, { settings, sessions: 'signed_cookies' })
  const sign = `
from unittest import mock
from django.contrib.sessions.backends.signed_cookies import SessionStore
session = SessionStore(given)
session.items()
with mock.patch('time.time', long_ago.timestamp):
    session.save()
answer(session.session_key)`
  return {
    ...stage,
    options: { signedCookies: true, epochs: memoryStore() },
    stored: async () => null,
    expire: async cookie => String(await stage.site.run(LONG_AGO + sign, cookie)),
  }
})

/** Whether everything is tried in every way: in `npm test` a way does not repeat what another one like it has shown. */
export const THOROUGH = process.env.STRATA_SOAK === '1'

/** Django's ways to keep sessions that can be shared. */
export const WAYS: readonly Way[] = [
  rows('sqlite'),
  rows('mariadb'),
  ...(THOROUGH ? [rows('postgresql')] : []),
  cachedRows,
  files,
  cookies,
]

/** The way of this name. */
export function wayOf(name: string): Way {
  const found = WAYS.find(one => one.name === name)
  if (!found) throw new Error(`there is no way '${name}'`)
  return found
}

type Start = (owner: Owner, settings: DjangoSettings | undefined) => Promise<Omit<Stage, 'way'>>

function way(name: string, traits: readonly Trait[], start: Start): Way {
  const own: Way = {
    name,
    traits,
    start: async (owner, settings) => ({ ...(await start(owner, settings)), way: own }),
  }
  return own
}

async function opened(owner: Owner, options: DjangoOptions): Promise<Pick<Stage, 'site' | 'knex'>> {
  const site = await startDjango(owner, { ...options, settings: { ...SETTINGS, ...options.settings } })
  return { site, knex: site.database.open() }
}

function inRows({ site, knex }: Pick<Stage, 'site' | 'knex'>): Pick<Stage, 'stored' | 'expire'> {
  return {
    async stored(key) {
      const row = await knex('django_session').where({ session_key: key }).first()
      return row ? JSON.stringify(row) : null
    },
    async expire(key) {
      const end = `
from django.contrib.sessions.backends import cached_db
from django.contrib.sessions.models import Session
Session.objects.filter(pk=given).update(expire_date=long_ago)
session = cached_db.SessionStore(given)
session._cache.delete(session.cache_key)`
      await site.run(LONG_AGO + end, key)
      return key
    },
  }
}

import type { AddressInfo } from 'node:net'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import knexFactory, { type Knex } from 'knex'
import Koa from 'koa'
import {
  type ContextOf,
  detachedUsers,
  nextPath,
  permissionOrBasicAuth,
  profiles,
  requireLogin,
  requireProfile,
  type StateOf,
  sameOrigin,
  sessionOrBasicAuth,
  sessions,
  stack,
  UserExists,
  UserInvalid,
  users,
} from 'koa-strata'
import { migrate, sqlProfiles, sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'
import { newSessionId, storeId } from '../lib/sessions/id.ts'
import { Signer } from '../lib/sessions/signature.ts'
import { sendRaw } from './feeds/raw.ts'

/** The keys that sign its cookies. */
export const KEYS = ['the key that signs, 32 bytes or more', 'the key before it, 32 bytes or more']
const NOW = Date.UTC(2026, 10, 7)
const DAY = 86_400_000
/** The password of Ada, who is an employer. */
export const PASSWORD = 'pässwörd☃ of Ada'

interface Employer {
  company: string
}

/** A running application with all the layers, and what can be sent to it. */
export interface Site {
  port: number
  /** Errors whose message Koa does not show to the client: faults of the application. */
  hidden: Error[]
  /** Everything that is stored: every row of every table, as JSON. */
  dump(): Promise<string[]>
  /** Cookies of people who are logged in. */
  ada: string
  partner: string
  /** The id in Ada's cookie. */
  id: string
  /** Cookies of sessions that are stored and hold no login any more. */
  stale: Record<string, string>
  close(): Promise<void>
}

/** A request, byte for byte where it matters. */
export interface Sent {
  method?: string
  path?: string
  headers?: readonly (string | Buffer)[]
  body?: string | Buffer
  /** In place of a request made of the above. */
  raw?: string
}

/** A cookie's value with its signature. */
export function signed(value: string, purpose = 'id', name = 'sid', key = KEYS[0]!): string {
  return `${value}.${new Signer('test', [key]).sign(`koa-strata ${purpose} ${name}=${value}`)}`
}

function application(db: Knex): Koa {
  const accounts = sqlUsers(db, { now: () => NOW })
  const partners = detachedUsers({
    name: 'partners',
    authenticate: async ({ username, password }) => (password === 'partner pw' ? { id: username! } : null),
  })
  const identity = stack(
    sessions({ store: sqlStore(db, { now: () => NOW }), keys: KEYS, now: () => NOW }),
    users({ backends: [accounts, partners] }),
    profiles({ employer: sqlProfiles<Employer>(db, { table: 'employers' }) }),
  )
  const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
  router.get('/me', requireLogin(), ctx => {
    ctx.body = ctx.state.user.username
  })
  router.get('/feed', sessionOrBasicAuth({ realm: 'Jobs' }), ctx => {
    ctx.session.polls = (ctx.session.polls ?? 0) + 1
    ctx.body = ctx.state.user.username
  })
  router.get('/reports', permissionOrBasicAuth('reports.read', { realm: 'Reports' }), ctx => {
    ctx.body = 'reports'
  })
  router.get('/login', ctx => {
    ctx.body = `next: ${nextPath(ctx.query.next)}`
  })
  router.post('/login', async ctx => {
    const { username, password, next } = (ctx.request.body ?? {}) as Record<string, unknown>
    const user = await ctx.authenticate({ username, password })
    if (!user) return ctx.throw(401, 'The name or the password is wrong.')
    await ctx.login(user)
    ctx.redirect(nextPath(next))
  })
  router.post('/note', requireLogin(), ctx => {
    const { note } = (ctx.request.body ?? {}) as Record<string, unknown>
    if (typeof note !== 'string' || note === '' || note.length > 100)
      ctx.throw(422, 'Write a note of 1 to 100 characters.')
    ctx.session.note = note
    ctx.body = 'noted'
  })
  router.post('/openings', requireProfile('employer'), ctx => {
    ctx.session.openings = 1
    ctx.body = ctx.state.user.profile
  })
  router.post('/accounts', async ctx => {
    const { username, email, password } = (ctx.request.body ?? {}) as Record<string, string>
    try {
      await accounts.create({ username: username!, email: email || undefined, password: password! })
      ctx.status = 201
    } catch (error) {
      if (!(error instanceof UserInvalid) && !(error instanceof UserExists)) throw error
      ctx.status = error.status
      ctx.body = error.message
    }
  })
  const app = new Koa()
  app.use(identity)
  app.use(sameOrigin({ origins: ['https://partner.example'] }))
  app.use(
    bodyParser({
      onError(error) {
        // What cannot be unpacked is the client's mistake, which the parser does not say.
        throw Object.assign(error, { status: (error as { status?: number }).status ?? 400, expose: true })
      },
    }),
  )
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

async function dumpOf(db: Knex): Promise<string[]> {
  const tables: string[] = await db('sqlite_master').where({ type: 'table' }).orderBy('name').pluck('name')
  const rows = await Promise.all(tables.map(name => db(name).select().orderByRaw('1, 2')))
  return tables.flatMap((name, index) => rows[index]!.map(row => `${name} ${JSON.stringify(row)}`))
}

/** Sends a request, and reads the answer. */
export function send(port: number, { method = 'GET', path = '/me', headers = [], body, raw }: Sent) {
  if (raw !== undefined) return sendRaw(port, raw)
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const head = [`${method} ${path} HTTP/1.1`, 'Host: jobs.example', 'Connection: close', ...length, ...headers, '']
  const lines = head.map(line => Buffer.concat([Buffer.from(line), Buffer.from('\r\n')]))
  return sendRaw(port, Buffer.concat([...lines, Buffer.from(body ?? '')]))
}

/** A POST of a form. */
export function form(path: string, body: string | Buffer, headers: string[] = []): Sent {
  return { method: 'POST', path, body, headers: ['Content-Type: application/x-www-form-urlencoded', ...headers] }
}

/** A POST of JSON, or of text that is said to be JSON. */
export function json(path: string, body: unknown, headers: string[] = []): Sent {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { method: 'POST', path, body: text, headers: ['Content-Type: application/json', ...headers] }
}

/** The cookie of a login that went well. */
async function login(port: number, username: string, password: string): Promise<string> {
  const answer = await send(port, json('/login', { username, password }))
  return /set-cookie: ([^;]+)/i.exec(answer.head)?.[1] ?? ''
}

/** Starts it, with Ada and a partner logged in. */
export async function startSite(): Promise<Site> {
  const db = knexFactory({
    client: 'better-sqlite3',
    connection: ':memory:',
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  })
  await migrate(db)
  await db.schema.createTable('employers', table => {
    table.string('user_key').primary()
    table.string('company')
  })
  const accounts = sqlUsers(db, { now: () => NOW })
  const ada = await accounts.create({ username: 'Ada', email: 'ada@example.org', password: PASSWORD })
  await db('employers').insert({ user_key: ada.key, company: 'Engines' })

  const app = application(db)
  const hidden: Error[] = []
  app.on('error', (error: Error & { expose?: boolean; code?: string }) => {
    // What Node's parser says of a broken request has been answered with 400 by Node.
    if (!error.expose && !error.code?.startsWith('HPE_')) hidden.push(error)
  })
  const server = app.listen(0, '127.0.0.1')
  const close = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    await db.destroy()
  }
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo

  const stale: Record<string, string> = {}
  const stored = async (what: string, data: unknown, expiresAt = NOW + DAY) => {
    const id = newSessionId()
    const row = { id: storeId(id), user_key: null, data: JSON.stringify(data), version: what, expires_at: expiresAt }
    await db('sessions').insert(row)
    stale[what] = `sid=${signed(id)}`
  }
  const valid = { _created: NOW, _login: { backend: 'sql', id: ada.id, stamp: `${ada.stamp}.` } }
  await stored('valid', valid)
  await stored('expired', valid, NOW)
  await stored('too old', { ...valid, _created: NOW - 31 * DAY })
  await stored('ended', { _ended: true }, NOW + 60_000)
  // Without a move of its expiry due: where the backend is another application's, its session goes on.
  await stored('of another backend', { _created: NOW, _login: { backend: 'gone', id: '1', stamp: '' } }, NOW + 14 * DAY)
  await stored('without a begin', { _login: valid._login })
  await stored('a begin that is text', { ...valid, _created: String(NOW) })
  await stored('a login that is text', { _created: NOW, _login: 'sql:1' })
  await stored('a login without a stamp', { _created: NOW, _login: { backend: 'sql', id: ada.id } })
  await stored('a list', [valid])
  await stored('text', 'valid')
  await stored('null', null)
  await stored('too deep', { ...valid, deep: JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`) })
  stale.absent = `sid=${signed(newSessionId())}`

  const cookie = await login(port, 'Ada', PASSWORD)
  const id = /^sid=([\w-]{43})\./.exec(cookie)![1]!
  const partner = await login(port, 'ACME/42', 'partner pw')
  return { port, hidden, dump: () => dumpOf(db), ada: cookie, partner, id, stale, close }
}

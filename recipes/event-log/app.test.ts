import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { memoryStore, type SessionStore } from 'koa-strata'
import { createApp, PEOPLE } from './app.ts'
import { logEvents } from './event-log.ts'
import { createLog } from './log.ts'

const ADA = { username: 'ada', password: PEOPLE.get('ada')! }
const START = Date.UTC(2026, 10, 7, 12)

type Line = Record<string, unknown>

/** The app, its log, and a clock that stands still. Channels are the process's own, so the tests of this file take turns. */
async function start(t: ExecutionContext, store: SessionStore = memoryStore()) {
  const text: string[] = []
  const log = createLog({ write: line => text.push(line) })
  const clock = { now: START }
  const stop = logEvents(log, () => clock.now)
  t.teardown(stop)
  const koa = createApp({ store, keys: ['k'.repeat(32)], log })
  const server = koa.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const app = {
    /** The session cookie, as it is sent. */
    cookie: '',
    clock,
    stop,
    koa,
    log,
    text,
    lines: () => text.map(line => JSON.parse(line) as Line),
    async send(path: string, fields?: Record<string, string>): Promise<number> {
      const init = fields && { method: 'POST', body: new URLSearchParams(fields) }
      const headers = { origin, ...(app.cookie && { cookie: app.cookie }) }
      const response = await fetch(origin + path, { ...init, headers, redirect: 'manual' })
      const [line] = response.headers.getSetCookie()
      if (line) app.cookie = line.includes('Max-Age=0') ? '' : line.split(';', 1)[0]!
      return response.status
    },
  }
  return app
}

test.serial('A login, a logout and what is refused are one line each, with a level, a name and who.', async t => {
  const app = await start(t)
  await app.send('/login', { ...ADA, password: 'guessed' })
  await app.send('/login', { username: 'mallory', password: 'whatever' })
  await app.send('/login', ADA)
  await app.send('/logout', {})
  await app.send('/')
  t.deepEqual(
    app.lines().map(({ level, event, user, msg }) => [level, event, user, msg]),
    [
      ['warn', 'login-failed', undefined, 'login refused: unknown'],
      ['warn', 'login-failed', undefined, 'login refused: denied'],
      ['info', 'login', 'people:ada', 'logged in'],
      ['info', 'logout', 'people:ada', 'logged out'],
    ],
  )
  for (const { time, ip } of app.lines()) {
    t.regex(String(time), /^\d{4}-\d\d-\d\dT/)
    t.regex(String(ip), /127\.0\.0\.1$/)
  }
})

test.serial('A cookie that was made up is a warning, one whose session has ended is not.', async t => {
  const app = await start(t)
  await app.send('/login', ADA)
  const { cookie } = app
  await app.send('/logout', {})
  app.text.length = 0
  for (const sent of [`${cookie}x`, cookie]) {
    app.cookie = sent
    await app.send('/')
  }
  t.like(app.lines(), [
    { level: 'warn', event: 'session-gone', reason: 'bad-cookie' },
    { level: 'info', event: 'session-gone', reason: 'ended' },
  ])
})

test.serial('Ten refused logins of a minute are lines, the others are counted when the minute is over.', async t => {
  const app = await start(t)
  const guess = () => app.send('/login', { username: `nobody ${Math.random()}`, password: 'guessed' })
  for (let count = 0; count < 25; count++) await guess()
  t.is(app.lines().length, 10)
  app.clock.now += 60_000
  await guess()
  t.like(app.lines().slice(10), [
    { level: 'warn', event: 'login-failed', count: 15, msg: '15 more of these within a minute' },
    { level: 'warn', event: 'login-failed', reason: 'unknown' },
  ])
  for (let count = 0; count < 12; count++) await guess()
  app.stop()
  t.like(app.lines().at(-1), { event: 'login-failed', count: 3 })
  t.is(app.lines().length, 22)
})

test.serial('Logins are all told, however many there are.', async t => {
  const app = await start(t)
  for (let count = 0; count < 12; count++) await app.send('/login', ADA)
  t.is(app.lines().filter(({ event }) => event === 'login').length, 12)
})

test.serial('A store that fails is an error, with what it threw and nothing that a driver adds to that.', async t => {
  const store = memoryStore()
  const app = await start(t, store)
  await app.send('/login', ADA)
  const thrown = Object.assign(new Error('connection refused', { cause: new Error('of the network') }), {
    code: 'ECONNREFUSED',
    sql: 'select data from sessions where id = ?',
    bindings: ['SECRET-id'],
  })
  store.read = () => Promise.reject(thrown)
  t.is(await app.send('/'), 503)
  const errors = app.lines().filter(({ level }) => level === 'error')
  t.like(errors[0], {
    event: 'store-error',
    operation: 'read',
    msg: 'session store failed: read',
    err: {
      type: 'Error',
      message: 'connection refused',
      code: 'ECONNREFUSED',
      cause: { type: 'Error', message: 'of the network' },
    },
  })
  t.false(app.text.join('').includes('SECRET'))
})

test.serial('An error of the app is logged with its request, whose cookie and credentials are redacted.', async t => {
  const app = await start(t)
  app.koa.use(() => Promise.reject(new Error('of the app')))
  const server = app.koa.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const headers = { cookie: 'sid=SECRET', authorization: 'Basic SECRET', 'user-agent': 'tests' }
  t.is((await fetch(`http://127.0.0.1:${port}/elsewhere`, { headers })).status, 500)
  const line = app.lines().at(-1)!
  t.like(line, { level: 'error', msg: 'request failed', err: { message: 'of the app' } })
  t.like((line.req as Line).headers as Line, {
    cookie: '[redacted]',
    authorization: '[redacted]',
    'user-agent': 'tests',
  })
  app.log.info({ form: { username: 'ada', password: ADA.password } })
  t.deepEqual(app.lines().at(-1)!.form, { username: 'ada', password: '[redacted]' })
})

test.serial('No line holds a password or a cookie, whatever happens, and none is made up by a name.', async t => {
  const store = memoryStore()
  const app = await start(t, store)
  const secrets = ['SECRET', ADA.password]
  await app.send('/login', { username: 'SECRET', password: 'SECRET guessed' })
  await app.send('/login', { username: 'a\n{"level":"info","event":"login","user":"people:root"}', password: 'x' })
  await app.send('/login', ADA)
  secrets.push(...app.cookie.replace('sid=', '').split('.'))
  store.read = () => Promise.reject(new Error('down'))
  await app.send('/')
  await app.send('/logout', {})
  t.true(app.lines().length > 4)
  for (const secret of secrets) t.false(app.text.join('').includes(secret), secret)
  for (const line of app.text) t.is(line.indexOf('\n'), line.length - 1)
})

test.serial('After the end nothing is logged.', async t => {
  const app = await start(t)
  app.stop()
  await app.send('/login', ADA)
  t.deepEqual(app.lines(), [])
})

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import {
  AccessDenied,
  cookieStore,
  detachedUsers,
  memoryStore,
  profiles,
  type StrataEvents,
  sameOrigin,
  sessionOrBasicAuth,
  type UserBackend,
} from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'
import { publish } from '../lib/events.ts'
import { migratedDatabase } from './database/servers.ts'
import { CARRIERS, directory, logIn, startUsersApp, userOf } from './users/app.ts'

type Name = keyof StrataEvents
const ALL: Record<Name, true> = {
  'koa-strata:login': true,
  'koa-strata:logout': true,
  'koa-strata:login-failed': true,
  'koa-strata:session-gone': true,
  'koa-strata:store-error': true,
  'koa-strata:backend-error': true,
  'koa-strata:cookie-domain': true,
  'koa-strata:throttled': true,
  'koa-strata:throttle-error': true,
}
const NAMES = Object.keys(ALL) as Name[]

interface Told {
  name: string
  message: object
}

// Channels are the process's own, so the tests of this file take turns.
function listen(t: ExecutionContext): Told[] {
  const told: Told[] = []
  const listener = (message: unknown, name: string | symbol) =>
    told.push({ name: String(name), message: message as object })
  for (const name of NAMES) subscribe(name, listener)
  t.teardown(() => {
    for (const name of NAMES) unsubscribe(name, listener)
  })
  return told
}

test.serial('Somebody who logs in, out and out everywhere is told by their key and address.', async t => {
  const told = listen(t)
  const app = await startUsersApp(t)
  const alice = app.browser()
  await logIn(alice, 'alice')
  await alice.get('/logout')
  await alice.get('/logout')
  await logIn(alice, 'alice')
  await alice.get('/everywhere?keep')
  await alice.get('/everywhere')
  const user = 'local:alice'
  const ip = '127.0.0.1'
  t.deepEqual(
    told.map(({ name, message }) => [name, { ...message, ip: Reflect.get(message, 'ip').replace('::ffff:', '') }]),
    [
      ['koa-strata:login', { user, ip }],
      ['koa-strata:logout', { user, ip, everywhere: false }],
      ['koa-strata:login', { user, ip }],
      ['koa-strata:logout', { user, ip, everywhere: true }],
      ['koa-strata:logout', { user, ip, everywhere: true }],
    ],
  )
})

test.serial('Credentials that are refused are told with the reason, and empty ones are not worth telling.', async t => {
  const told = listen(t)
  const strict: UserBackend = {
    name: 'strict',
    async authenticate({ username }) {
      if (username === 'mallory') throw new AccessDenied()
      return null
    },
    load: async () => null,
  }
  const app = await startUsersApp(t, {
    backends: [strict, directory('local', { alice: {}, bob: { isActive: false } })],
  })
  for (const name of ['nobody', 'mallory', 'bob', '']) await logIn(app.browser(), name)
  t.deepEqual(
    told.map(({ name, message }) => [name, Reflect.get(message, 'reason'), Reflect.get(message, 'backend')]),
    [
      ['koa-strata:login-failed', 'unknown', null],
      ['koa-strata:login-failed', 'denied', 'strict'],
      ['koa-strata:login-failed', 'inactive', 'local'],
    ],
  )
})

for (const [reason, change] of Object.entries<(backend: ReturnType<typeof directory>) => void>({
  'stamp-changed': backend => {
    backend.accounts.get('alice')!.stamp = '2'
  },
  'user-inactive': backend => {
    backend.accounts.get('alice')!.isActive = false
  },
  'user-gone': backend => {
    backend.accounts.delete('alice')
  },
})) {
  test.serial(`A session whose login no longer holds is told once, as ${reason}, with the user it was of.`, async t => {
    const backend = directory('local', { alice: {} })
    const app = await startUsersApp(t, { backends: [backend] })
    const alice = app.browser()
    await logIn(alice, 'alice')
    change(backend)
    const told = listen(t)
    await alice.get('/ping')
    t.like(told, [{ name: 'koa-strata:session-gone', message: { reason, user: 'local:alice' } }])
    t.is(told.length, 1)
  })
}

test.serial('A backend and a profile source that fail are told with their names and what they threw.', async t => {
  const told = listen(t)
  const down = new Error('down')
  const broken: UserBackend = { name: 'broken', authenticate: () => Promise.reject(down), load: async () => null }
  const app = await startUsersApp(t, {
    backends: [directory('local', { alice: {} }), broken],
    above: [profiles({ employer: { find: () => Promise.reject(down) } })],
  })
  await logIn(app.browser(), 'nobody')
  await logIn(app.browser(), 'alice')
  t.deepEqual(
    told.filter(({ name }) => name === 'koa-strata:backend-error').map(({ message }) => message),
    [
      { backend: 'broken', error: down },
      { backend: 'profiles.employer', error: down },
    ],
  )
})

test.serial('L6: a session that names a backend which is no longer there is told as backend-gone.', async t => {
  const store = memoryStore()
  const before = await startUsersApp(t, { store, backends: [directory('old', { alice: {} })] })
  const alice = before.browser()
  await logIn(alice, 'alice')
  const app = await startUsersApp(t, { store })
  const told = listen(t)
  await app.browser().get('/ping', { cookie: alice.cookie })
  t.like(told, [{ name: 'koa-strata:session-gone', message: { reason: 'backend-gone', user: 'old:alice' } }])
})

/** Everything that leaves the process beside the answers: events, errors of the app, the console and warnings. */
function overhear(t: ExecutionContext, told: Told[]): { text(errors: unknown[]): string } {
  const lines: unknown[] = []
  const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const
  const originals = methods.map(method => console[method])
  for (const method of methods) {
    console[method] = (...parts: unknown[]) => {
      lines.push(parts)
    }
  }
  const warned = (warning: Error) => lines.push(warning)
  process.on('warning', warned)
  t.teardown(() => {
    methods.forEach((method, index) => {
      console[method] = originals[index]!
    })
    process.off('warning', warned)
  })
  return {
    text: errors => inspect([lines, told, errors], { depth: 20, maxStringLength: null, maxArrayLength: null }),
  }
}

for (const [name, open] of Object.entries(CARRIERS)) {
  test.serial(
    `L9: ${name}: no event, error, warning or console line holds a password, a cookie, an id or an Authorization header.`,
    async t => {
      const told = listen(t)
      const heard = overhear(t, told)
      let down = false
      const flaky: UserBackend = {
        name: 'flaky',
        authenticate: async () => (down ? Promise.reject(new Error('down')) : null),
        load: async () => null,
      }
      const local = directory('local', {
        alice: { password: 'MARKER-right' },
        bob: { password: 'MARKER-right', isActive: false },
      })
      const ldap = detachedUsers({
        name: 'ldap',
        authenticate: async ({ username, password }) => {
          if (username === 'denied') throw new AccessDenied()
          return password === 'MARKER-ldap' ? { id: username! } : null
        },
      })
      const guard = sessionOrBasicAuth({ realm: 'Test' })
      const app = await startUsersApp(t, {
        ...(await open(t)),
        backends: [flaky, local, ldap],
        above: [
          profiles({
            employer: { find: async ({ username }) => (username === 'broken' ? Promise.reject(new Error('x')) : null) },
          }),
          sameOrigin(),
        ],
        handlers: {
          async '/feed'(ctx) {
            await guard(ctx as never, async () => {})
            return 'feed'
          },
          async '/wrong-type'(ctx) {
            await ctx.authenticate({ username: 'alice', password: ['MARKER-list'] })
          },
          async '/refused'(ctx) {
            await ctx.login(userOf('nowhere', 'alice'))
          },
          '/throws'(ctx) {
            ctx.session.seen = 1
            throw new Error('of the handler')
          },
        },
      })
      const secrets = new Set(['MARKER'])
      const remember = (cookie: string) => {
        for (const value of cookie.split('; ')) {
          const [, id = ''] = value.split('=')
          if (id === '') continue
          secrets.add(id)
          for (const part of id.split('.')) secrets.add(part)
        }
      }
      const browser = app.browser()
      const visit = async (path: string, headers: Record<string, string> = {}, method?: string) => {
        remember(browser.cookie)
        await browser.get(path, headers, method)
        remember(browser.cookie)
      }
      const login = (user: string, password: string) =>
        visit(`/login?u=${encodeURIComponent(user)}&p=${encodeURIComponent(password)}`)
      const basic = (pair: string) => {
        const encoded = Buffer.from(pair).toString('base64')
        secrets.add(encoded)
        return { authorization: `Basic ${encoded}` }
      }
      await login('alice', 'MARKER-wrong')
      await login('bob', 'MARKER-right')
      await login('denied', 'MARKER-denied')
      await login('nobody', 'MARKER\r\nx')
      await visit('/wrong-type')
      await visit('/refused')
      await login('alice', 'MARKER-right')
      await visit('/throws')
      await visit('/feed')
      await visit('/sessions')
      await visit('/everywhere?keep')
      const stale = browser.cookie
      await visit('/logout')
      await visit('/me', { cookie: stale })
      await visit('/me', { cookie: `${stale}x` })
      await visit('/me', { cookie: `${stale}; ${stale}` })
      await visit('/me', { cookie: 'sid=MARKER.MARKER' })
      await visit('/feed', basic('alice:MARKER-right'))
      await visit('/feed', basic('alice:MARKER-no'))
      await visit('/feed', { authorization: 'Basic MARKER!' })
      await visit('/feed', { authorization: 'Bearer MARKER' })
      await login('ldap user', 'MARKER-ldap')
      local.accounts.get('alice')!.stamp = '2'
      await login('broken', 'MARKER-ldap')
      await visit('/me', { 'sec-fetch-site': 'cross-site', cookie: stale }, 'POST')
      down = true
      await login('alice', 'MARKER-down')
      await visit('/feed', basic('alice:MARKER-down'))

      const text = heard.text(app.errors)
      t.true(told.length > 12, `${told.length} events`)
      t.true(app.errors.length > 8, `${app.errors.length} errors`)
      t.true(secrets.size > 10)
      for (const secret of secrets) t.false(text.includes(secret), secret)
    },
  )
}

test.serial('L9: what an application logs or throws itself is overheard, which is the control.', async t => {
  const heard = overhear(t, listen(t))
  const app = await startUsersApp(t, {
    handlers: {
      '/careless'() {
        console.error('MARKER-logged')
        process.emitWarning('MARKER-warned')
        throw new Error('MARKER-thrown', { cause: { cookie: 'MARKER-cause' } })
      },
    },
  })
  t.is((await app.browser().get('/careless')).status, 500)
  const text = heard.text(app.errors)
  for (const what of ['logged', 'warned', 'thrown', 'cause']) t.true(text.includes(`MARKER-${what}`), what)
})

test.serial('L9: a store that fails is told with its operation, without the id of the cookie.', async t => {
  const told = listen(t)
  const store = memoryStore()
  const app = await startUsersApp(t, { store })
  const alice = app.browser()
  await logIn(alice, 'alice')
  store.read = async () => Promise.reject(new Error('down'))
  t.is((await alice.get('/me')).status, 503)
  const failed = told.find(({ name }) => name === 'koa-strata:store-error')
  t.is(Reflect.get(failed!.message, 'operation'), 'read')
  const id = alice.cookies.get('sid')!.split('.')[0]!
  t.false(inspect([told, app.errors], { depth: 20 }).includes(id))
})

test.serial('L9: a database that fails is told without what it was handed.', async t => {
  const told = listen(t)
  const { knex } = await migratedDatabase(t, 'sqlite')
  const app = await startUsersApp(t, { store: sqlStore(knex), backends: [sqlUsers(knex)] })
  const browser = app.browser()
  await knex.schema.renameTable('users', 'users_elsewhere')
  t.is((await logIn(browser, 'MARKER typed as a name', 'MARKER of a password')).status, 503)
  await knex.schema.renameTable('sessions', 'sessions_elsewhere')
  t.is((await browser.get('/set?note=MARKER-data')).status, 503)
  t.deepEqual(new Set(told.map(({ name }) => name)), new Set(['koa-strata:backend-error', 'koa-strata:store-error']))
  for (const table of ['users', 'sessions']) t.regex(inspect(told, { depth: 5 }), new RegExp(`no such table: ${table}`))
  t.false(inspect([told, app.errors], { depth: 20, maxStringLength: null }).includes('MARKER'))
})

test.serial('L9: control characters of an id are escaped in events, so that no line of a log is made up.', async t => {
  const told = listen(t)
  const ids = ['a\nkoa-strata:login root', '\u001b[2Jx', 'a\r\nb', '\0', '\u0085', '\u2028\u2029', '\u007f']
  const app = await startUsersApp(t, {
    backends: [detachedUsers({ name: 'ldap', authenticate: async ({ username }) => ({ id: username! }) })],
  })
  for (const id of ids) {
    const browser = app.browser()
    t.is((await logIn(browser, id)).text, `ldap:${id}`)
    await browser.get('/logout')
  }
  const texts = told.map(({ message }) => String(Reflect.get(message, 'user')))
  t.is(texts.length, 2 * ids.length)
  for (const text of texts) t.notRegex(text, /[\p{Cc}\p{Zl}\p{Zp}]/u)
  t.is(texts[0], 'ldap:a\\u000akoa-strata:login root')
})

test.serial('Text of an event is escaped, and whatever else is in it stays what it was.', t => {
  const told = listen(t)
  const error = new Error('a\nb')
  publish('koa-strata:store-error', { operation: 'read\n', error })
  publish('koa-strata:session-gone', { reason: 'absent', user: null, ip: '::1' })
  t.deepEqual(
    told.map(({ message }) => message),
    [
      { operation: 'read\\u000a', error },
      { reason: 'absent', user: null, ip: '::1' },
    ],
  )
  t.is(Reflect.get(told[0]!.message, 'error'), error)
})

test.serial('Where nobody listens nothing is made of the message.', t => {
  const message = {
    get user(): string {
      return t.fail() as never
    },
    ip: '',
  }
  t.notThrows(() => publish('koa-strata:login', message))
})

test.serial('A listener that throws does not fail the request.', async t => {
  const thrown: unknown[] = []
  const uncaught = (error: unknown) => thrown.push(error)
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', uncaught)
  const broken = () => {
    throw new Error('of the listener')
  }
  subscribe('koa-strata:login', broken)
  t.teardown(() => {
    unsubscribe('koa-strata:login', broken)
    process.off('uncaughtException', uncaught)
    for (const listener of listeners) process.on('uncaughtException', listener)
  })
  const app = await startUsersApp(t, { store: cookieStore({ epochs: memoryStore() }) })
  t.is((await logIn(app.browser(), 'alice')).status, 200)
  t.is(thrown.length, 1)
})

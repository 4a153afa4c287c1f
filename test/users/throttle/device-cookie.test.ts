import type { IncomingMessage } from 'node:http'
import test from 'ava'
import { sessions, users } from 'koa-strata'
import { type CookieOptions, SessionCookie } from '../../../lib/sessions/cookie.ts'
import { Signer } from '../../../lib/sessions/signature.ts'
import { DeviceCookie } from '../../../lib/users/throttle/device-cookie.ts'
import { KEY, OTHER_KEY, startApp } from '../../sessions/app.ts'
import { handedClock } from '../../sessions/stores/setups.ts'
import { directory, userOf } from '../app.ts'
import { ELSEWHERE, HOME, inTurn, slowDirectory, startLimitedApp, statuses } from './app.ts'

const MONTH = 30 * 86_400_000

function setup(cookie: CookieOptions = {}) {
  const clock = handedClock()
  const of = (...keys: string[]) =>
    new DeviceCookie(new SessionCookie('test', cookie), new Signer('test', keys), MONTH, clock.now)
  return { ...clock, of, device: of(KEY) }
}

function requestWith(...lines: string[]): IncomingMessage {
  return { headers: { cookie: lines.map(line => line.split(';')[0]).join('; ') } } as IncomingMessage
}

const NOTHING = requestWith()

test('L4: A browser is known to the account that logged in with it, and to no other.', t => {
  const { device } = setup()
  const line = device.line('alice', NOTHING)
  t.regex(device.deviceFor('alice', requestWith(line)) ?? '', /^[\w-]{22}$/)
  t.is(device.deviceFor('bob', requestWith(line)), null)
  t.is(device.deviceFor('alice', NOTHING), null)
})

test('L4: Four accounts know one browser, by one id; a fifth takes the place of the first.', t => {
  const { device } = setup()
  let line = ''
  const ids = new Set<string | null>()
  for (const account of ['one', 'two', 'three', 'four', 'two', 'five']) {
    line = device.line(account, requestWith(line))
    ids.add(device.deviceFor(account, requestWith(line)))
  }
  const known = ['one', 'two', 'three', 'four', 'five'].filter(account => device.deviceFor(account, requestWith(line)))
  t.deepEqual(known, ['two', 'three', 'four', 'five'])
  t.is(ids.size, 1)
  t.true(line.length < 512)
})

test('L4: No other account, id, moment, name or key makes a device cookie count.', t => {
  const { device, of } = setup()
  const value = device.line('alice', NOTHING).split(';')[0]!.slice('sid-device='.length)
  const [id = '', since = '', signature = ''] = value.split('.')
  const later = (Number.parseInt(since, 36) + MONTH).toString(36)
  const forged = [
    '',
    id,
    `${id}.${since}`,
    `${id}.${since}.`,
    `${'A'.repeat(22)}.${since}.${signature}`,
    `${id}.${later}.${signature}`,
    `${id}.${since}.${'A'.repeat(43)}`,
    `${id}.${since}.${signature}A`,
    `${id}.${since}.${signature}.`,
    `${value}.${Array.from({ length: 4 }, () => `${since}.${signature}`).join('.')}`,
    `"${value}"`,
    'x'.repeat(100_000),
  ]
  for (const one of forged) t.is(device.deviceFor('alice', requestWith(`sid-device=${one}`)), null, one.slice(0, 100))
  const twice = requestWith(`sid-device=${value}`, `sid-device=${value}`)
  t.is(device.deviceFor('alice', twice), null)
  t.is(setup({ name: 'other' }).device.deviceFor('alice', requestWith(`other-device=${value}`)), null)
  t.is(of(OTHER_KEY).deviceFor('alice', requestWith(`sid-device=${value}`)), null)
  t.is(of(OTHER_KEY, KEY).deviceFor('alice', requestWith(`sid-device=${value}`)), id)
})

test('L4: An id that somebody has planted is of no use to them.', t => {
  const { device } = setup()
  const planted = device.line('mallory', NOTHING)
  const line = device.line('alice', requestWith(planted))
  t.is(device.deviceFor('alice', requestWith(planted)), null)
  t.truthy(device.deviceFor('alice', requestWith(line)))
})

test('L4: A login counts for a month, whatever the browser does.', t => {
  const { device, advance } = setup()
  const line = device.line('alice', NOTHING)
  advance(MONTH - 1)
  t.truthy(device.deviceFor('alice', requestWith(line)))
  advance(1)
  t.is(device.deviceFor('alice', requestWith(line)), null)
})

test("C4: The device cookie has the attributes of the session's, and its prefix.", t => {
  const lineOf = (options: CookieOptions) =>
    setup(options)
      .device.line('alice', NOTHING)
      .replace(/=[^;]*/, '=…')
  t.is(lineOf({ secure: true }), '__Host-sid-device=…; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Lax')
  t.is(
    lineOf({ name: 'app', domain: 'example.com', path: '/x', secure: true, sameSite: 'none', partitioned: true }),
    '__Secure-app-device=…; Max-Age=2592000; Path=/x; Domain=example.com; HttpOnly; Secure; SameSite=None; Partitioned',
  )
  t.is(lineOf({ name: 'n'.repeat(128) }).split('=')[0], `${'n'.repeat(121)}-device`)
})

test('C3: A device cookie passes for no session, nor a session for a device.', async t => {
  const { logIn, browser } = await startLimitedApp(t, { backends: [directory('local', { alice: {} })] })
  const visitor = browser()
  await logIn('alice', 'pw', HOME, visitor)
  const [sid, device] = [visitor.cookies.get('sid')!, visitor.cookies.get('sid-device')!]
  t.is((await browser().get('/me', { cookie: `sid=${device}` })).json.key, '')
  t.is((await browser().get('/me', { cookie: `sid=${device.split('.')[2]}` })).json.key, '')
  t.is((await browser().get('/me', { cookie: `sid-device=${sid}` })).json.key, '')
})

test('L4: A login with the right password gives the browser a device cookie, and nothing else does.', async t => {
  const { logIn, poll, browser } = await startLimitedApp(t, {
    backends: [slowDirectory({ alice: {} })],
    handlers: {
      '/look': async ctx => (await ctx.authenticate({ username: 'alice', password: 'pw' }))?.key,
      '/enter': async ctx => {
        await ctx.login(userOf('local', 'alice'))
        return 'in'
      },
      '/other': async ctx => {
        await ctx.authenticate({ username: 'alice', password: 'pw' })
        await ctx.login(userOf('local', 'bob'))
        return 'in'
      },
    },
  })
  const names = (lines: string[]) => lines.map(line => line.split('=')[0]).sort()
  const visitor = browser()
  t.deepEqual(names((await logIn('alice', 'pw', HOME, visitor)).setCookies), ['sid', 'sid-device'])
  t.deepEqual((await visitor.get('/me')).setCookies, [])
  t.deepEqual(names((await visitor.get('/logout')).setCookies), ['sid'])
  t.deepEqual([...visitor.cookies.keys()], ['sid-device'])
  t.deepEqual((await logIn('alice', 'wrong')).setCookies, [])
  t.deepEqual((await poll('alice', 'pw')).setCookies, [])
  t.deepEqual((await browser().get('/look')).setCookies, [])
  t.deepEqual(names((await browser().get('/enter')).setCookies), ['sid'])
  t.deepEqual(names((await browser().get('/other')).setCookies), ['sid'])
})

test('L4: Without device cookies, or without limits, a login sets the cookie of the session alone.', async t => {
  for (const throttle of [false, { deviceCookie: false }] as const) {
    const { logIn } = await startLimitedApp(t, { backends: [directory('local', { alice: {} })], throttle })
    t.is((await logIn('alice', 'pw')).setCookies.length, 1)
  }
})

test("L4: A stranger in the owner's own network does not lock out the owner's browser, nor use what it has.", async t => {
  const { logIn, browser } = await startLimitedApp(t, { backends: [slowDirectory({ alice: {} })] })
  const owner = browser()
  await logIn('alice', 'pw', HOME, owner)
  await owner.get('/logout')
  t.deepEqual(statuses(await inTurn(12, index => logIn('alice', `wrong ${index}`))), { 401: 10, 429: 2 })
  t.is((await logIn('alice', 'pw')).status, 429)
  t.is((await logIn('alice', 'pw', HOME, owner)).status, 200)
  t.is((await logIn('alice', 'pw', ELSEWHERE, owner)).status, 200)
})

test('L4: Somebody with the browser of the owner has the limit of one client, wherever they go.', async t => {
  const { logIn, browser } = await startLimitedApp(t, { backends: [slowDirectory({ alice: {} })] })
  const owner = browser()
  await logIn('alice', 'pw', HOME, owner)
  const answers = await inTurn(15, index => logIn('alice', `wrong ${index}`, `198.51.100.${index}`, owner.copy()))
  t.deepEqual(statuses(answers), { 401: 10, 429: 5 })
})

test('L4: The keys of the application sign it, and no second key set is needed.', async t => {
  const app = await startApp(t, {
    layers: [sessions(), users({ backends: [directory('local', { alice: {} })] })],
    handlers: {
      '/login': async ctx => {
        // biome-ignore lint/suspicious/noExplicitAny: what users() adds is not in the type of this app
        const { authenticate, login } = ctx as any
        await login(await authenticate({ username: 'alice', password: 'pw' }))
        return 'in'
      },
    },
  })
  app.koa.keys = [KEY]
  t.is((await app.browser().get('/login')).setCookies.length, 2)
})

import test from 'ava'
import { LayerMissing, memoryStore, OptionInvalid } from 'koa-strata'
import { type AuthRequestOptions, authRequest } from '../../lib/sharing/auth-request.ts'
import { type Answer, recorded, startApp } from '../sessions/app.ts'
import { logIn } from '../users/app.ts'
import { startAskedApp } from './auth-request-app.ts'
import { ProxiedClient, startProxiedApp } from './proxied.ts'

const USER = 'x-remote-user'
const basic = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString('base64')}` })

/** What an answer names as the user, as whoever reads bytes of UTF-8 reads it. */
function named({ headers }: Answer, header = USER): string | undefined {
  const value = headers[header]
  return value === undefined ? undefined : Buffer.from(String(value), 'latin1').toString()
}

test('Nobody is 401, somebody is 204 with their name, and who lacks the permission is 403.', async t => {
  const { browser } = await startAskedApp(t)
  const [nobody, alice, bob] = [browser(), browser(), browser()]
  await logIn(alice, 'alice')
  await logIn(bob, 'bob')
  const ask = async (path: string, who: typeof nobody) => {
    const answer = await who.get(path)
    return [answer.status, named(answer)]
  }
  t.deepEqual(await ask('/auth', nobody), [401, undefined])
  t.deepEqual(await ask('/auth', alice), [204, 'alice'])
  t.deepEqual(await ask('/auth/reports', nobody), [401, undefined])
  t.deepEqual(await ask('/auth/reports', alice), [403, undefined])
  t.deepEqual(await ask('/auth/reports', bob), [204, 'bob'])
  t.is((await nobody.get('/auth')).headers['www-authenticate'], 'Cookie realm="login"')
})

test('Whatever the method, the answer is the same, and has no body.', async t => {
  const { browser } = await startAskedApp(t)
  const alice = browser()
  await logIn(alice, 'alice')
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const answer = await alice.get('/auth', {}, method)
    t.deepEqual([answer.status, named(answer), answer.text], [204, 'alice', ''], method)
    t.is((await browser().get('/auth', {}, method)).status, 401, method)
  }
})

test('The name stands in the header that was chosen, and what a client sends there is not repeated.', async t => {
  const { browser } = await startAskedApp(t)
  const alice = browser()
  await logIn(alice, 'alice')
  const answer = await alice.get('/auth/named', { 'x-login': 'mallory', 'x-remote-user': 'mallory' })
  t.deepEqual([answer.status, named(answer, 'x-login'), named(answer)], [204, 'alice', undefined])
  const nobody = await browser().get('/auth', { 'x-remote-user': 'mallory', x_remote_user: 'mallory' })
  t.deepEqual([nobody.status, named(nobody)], [401, undefined])
})

test('C7: no cache may keep an answer, which depends on the cookie, and none sets one or makes a session.', async t => {
  const store = recorded(memoryStore())
  const { browser } = await startAskedApp(t, { store })
  const alice = browser()
  await logIn(alice, 'alice')
  store.calls.length = 0
  const answers = [
    await alice.get('/auth'),
    await alice.get('/auth/reports'),
    await alice.get('/auth/basic'),
    await browser().get('/auth'),
    await browser().get('/auth/basic', basic('alice:pw')),
  ]
  t.deepEqual(
    answers.map(({ status }) => status),
    [204, 403, 204, 401, 204],
  )
  for (const { status, headers, setCookies } of answers) {
    if (status === 204) t.regex(String(headers['cache-control']), /no-store/)
    t.regex(String(headers.vary), /\bCookie\b/)
    t.deepEqual(setCookies, [])
  }
  t.deepEqual(new Set(store.calls), new Set(['read']), 'it asks, and writes nothing')
})

test('X4: a logout, a lost permission and a deactivated user hold at the next question.', async t => {
  const { browser, people } = await startAskedApp(t, {
    people: { alice: {}, bob: { permissions: ['reports.read'] }, carol: {} },
  })
  const [alice, bob, carol] = [browser(), browser(), browser()]
  for (const [who, name] of [
    [alice, 'alice'],
    [bob, 'bob'],
    [carol, 'carol'],
  ] as const)
    await logIn(who, name)
  const kept = alice.copy()
  t.is((await kept.get('/auth')).status, 204)
  await alice.get('/logout')
  t.is((await kept.get('/auth')).status, 401)

  t.is((await bob.get('/auth/reports')).status, 204)
  people.accounts.get('bob')!.permissions = []
  t.is((await bob.get('/auth/reports')).status, 403)

  t.is((await carol.get('/auth')).status, 204)
  people.accounts.get('carol')!.isActive = false
  t.is((await carol.get('/auth')).status, 401)
  people.accounts.get('bob')!.stamp = 'of another password'
  t.is((await bob.get('/auth')).status, 401)
})

test('With sessionOrBasicAuth() before it a name and a password pass as well, without a session.', async t => {
  const { browser } = await startAskedApp(t)
  const ask = async (headers: Record<string, string>) => {
    const answer = await browser().get('/auth/basic', headers)
    return [answer.status, named(answer), answer.headers['www-authenticate'], answer.setCookies.length]
  }
  const challenge = 'Basic realm="Reports", charset="UTF-8"'
  t.deepEqual(await ask(basic('alice:pw')), [204, 'alice', undefined, 0])
  t.deepEqual(await ask(basic('alice:wrong')), [401, undefined, challenge, 0])
  t.deepEqual(await ask({}), [401, undefined, challenge, 0])
  t.is((await browser().get('/auth', basic('alice:pw'))).status, 401, 'without it they do not')
})

const NAMES = [
  'zoë',
  'Ægir ☃',
  'Ζωή',
  '爱丽丝',
  '🦊',
  'zo\u0308e',
  'a, b; c="d"',
  'alice@example.org',
  '%61lice',
  'ÿþ',
  'x'.repeat(1024),
]

test('Names of any script arrive as they are in another app’s remoteUser().', async t => {
  const people = Object.fromEntries(NAMES.map((username, index) => [`u${index}`, { username }]))
  const { browser } = await startAskedApp(t, { people })
  const other = await startProxiedApp(t)
  for (const [index, name] of NAMES.entries()) {
    const person = browser()
    await logIn(person, `u${index}`)
    const { status, headers } = await person.get('/auth')
    t.is(status, 204, name)
    const line = Buffer.from(`X-Remote-User: ${headers[USER]}`, 'latin1')
    const told = await new ProxiedClient(other.port).get('/me', { lines: [line] })
    t.is(JSON.parse(told.text).key, `remote:${name}`)
  }
})

test('X3: a name that would arrive as another one, or as nobody’s, lets nobody pass: 400.', async t => {
  const names = [
    'alice\r\nX-Remote-User: bob',
    'alice\0',
    'alice\u0085',
    ' alice',
    'alice ',
    'alice\t',
    '(null)',
    '',
    'x'.repeat(1025),
    '\ud800',
  ]
  const people = Object.fromEntries(names.map((username, index) => [`u${index}`, { username }]))
  const { browser, errors } = await startAskedApp(t, { people })
  for (const [index, name] of names.entries()) {
    const person = browser()
    await logIn(person, `u${index}`)
    const answer = await person.get('/auth')
    t.deepEqual([answer.status, named(answer)], [400, undefined], JSON.stringify(name))
  }
  t.deepEqual(
    errors.map(({ code }) => code).filter(code => code !== 'REMOTE_USER_INVALID'),
    [],
  )
})

test('Whatever a backend answers in place of true to a permission, the user does not pass.', async t => {
  const { browser, people } = await startAskedApp(t)
  const alice = browser()
  await logIn(alice, 'alice')
  const { load } = people
  for (const answer of [Promise.resolve(true), 1, 'yes', {}]) {
    people.load = async id => ({ ...(await load(id))!, hasPermission: () => answer as never })
    t.is((await alice.get('/auth/reports')).status, 403)
  }
})

test('Its options are checked at construction.', t => {
  const wrong: [unknown, RegExp][] = [
    [{ permission: '' }, /permission/],
    [{ permission: 7 }, /permission/],
    [{ header: 'X_Remote_User' }, /header/],
    [{ header: 'X-Remote-User: a' }, /header/],
    [{ header: '' }, /header/],
    [{ headers: 'X-Remote-User' }, /'headers' is unknown/],
    [null, /options/],
  ]
  for (const [options, message] of wrong)
    t.throws(() => authRequest(options as AuthRequestOptions), { instanceOf: OptionInvalid, message })
  t.notThrows(() => authRequest({ permission: undefined, header: undefined }))
})

test('Without users() before it, it says which layer is missing.', async t => {
  const { errors, browser } = await startApp(t, { layers: [authRequest()] })
  t.is((await browser().get('/auth')).status, 500)
  t.true(errors[0] instanceof LayerMissing)
})

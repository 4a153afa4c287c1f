import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import { logIn } from '../users/app.ts'
import { startAskedApp } from './auth-request-app.ts'
import { deadPort, MINUTES, type ProtectedSite, startProgram, startProtectedSite } from './protected-site.ts'
import { startProxiedApp } from './proxied.ts'

const PEOPLE = { alice: {}, bob: { permissions: ['documents.read'] } }
const DOCUMENT = '/documents/minutes.txt'
const SET_USER = 'proxy_set_header X-Remote-User $choir_user;'
const NO_USER = 'proxy_set_header X-Remote-User "";'

interface Started extends ProtectedSite {
  /** What the program has received. */
  received: Awaited<ReturnType<typeof startProgram>>['received']
  /** What nginx has asked the app with. */
  asked: { method: string; headers: IncomingHttpHeaders }[]
}

/** The app that is asked, and a program that knows nothing of it, behind an nginx. */
async function start(t: ExecutionContext, without?: readonly string[]): Promise<Started> {
  const asked: Started['asked'] = []
  const asking: Middleware = (ctx, next) => {
    if (ctx.path.startsWith('/auth')) asked.push({ method: ctx.method, headers: ctx.headers })
    return next()
  }
  const [{ port: app }, { port: archive, received }] = await Promise.all([
    startAskedApp(t, { people: PEOPLE, outside: [asking] }),
    startProgram(t, (_, response) => response.setHeader('Set-Cookie', 'sid=of-the-archive').end('the archive')),
  ])
  return { ...(await startProtectedSite(t, { app, archive, without })), received, asked }
}

test('nginx serves a file to whom the app permits, sends others to its login, and tells the rest that they may not.', async t => {
  const { browser } = await start(t)
  const [nobody, alice, bob] = [browser(), browser(), browser()]
  await logIn(alice, 'alice')
  await logIn(bob, 'bob')

  const sent = await nobody.get(`${DOCUMENT}?page=1&line=%26`)
  t.is(sent.status, 303)
  t.is(sent.headers.location, `/login?next=${encodeURIComponent(`${DOCUMENT}?page=1&line=%26`)}`)
  t.is((await alice.get(DOCUMENT)).status, 403)
  const file = await bob.get(DOCUMENT)
  t.deepEqual([file.status, file.text, file.headers['cache-control']], [200, MINUTES, 'private, no-cache'])

  const condition = { 'if-none-match': String(file.headers.etag) }
  const range = { range: 'bytes=0-2' }
  const answers = [
    [200, 303, await bob.get(DOCUMENT, {}, 'HEAD'), await nobody.get(DOCUMENT, {}, 'HEAD')],
    [304, 303, await bob.get(DOCUMENT, condition), await nobody.get(DOCUMENT, condition)],
    [206, 303, await bob.get(DOCUMENT, range), await nobody.get(DOCUMENT, range)],
    [404, 303, await bob.get('/documents/none'), await nobody.get('/documents/none')],
  ] as const
  for (const [theirs, others, permitted, refused] of answers)
    t.deepEqual([permitted.status, refused.status], [theirs, others])
})

test('X4: a logout holds at the next request for a file.', async t => {
  const { browser } = await start(t)
  const bob = browser()
  await logIn(bob, 'bob')
  const kept = bob.copy()
  t.is((await kept.get(DOCUMENT)).status, 200)
  await bob.get('/logout')
  t.is((await kept.get(DOCUMENT)).status, 303)
})

test('While the app is down, or fails, nobody passes.', async t => {
  const cookie = 'sid=anything'
  const { port: archive, received } = await startProgram(t)
  const down = await startProtectedSite(t, { app: await deadPort(), archive })
  for (const path of [DOCUMENT, '/archive/'])
    t.is((await down.browser().get(path, { cookie })).status, 500, `${path} of nobody`)

  let status = 0
  const { port: app } = await startProgram(t, (request, response) => {
    if (status === 0) request.socket.destroy()
    else response.writeHead(status, { 'X-Remote-User': 'mallory', Location: '/elsewhere' }).end()
  })
  const failing = await startProtectedSite(t, { app, archive })
  for (status of [0, 302, 303, 304, 400, 404, 407, 421, 429, 500, 502, 503]) {
    for (const path of [DOCUMENT, '/archive/'])
      t.is((await failing.browser().get(path, { cookie })).status, 500, `${path} at ${status}`)
  }
  t.deepEqual(received, [])
  // The control: it is the answer that counts.
  status = 204
  t.is((await failing.browser().get(DOCUMENT, { cookie })).text, MINUTES)
})

test('A program learns who it is, and neither their cookie nor their password; nor may it set cookies.', async t => {
  const { browser, received } = await start(t)
  const alice = browser()
  await logIn(alice, 'alice')
  const { status, text, setCookies } = await alice.get('/archive/tapes?year=1999', { authorization: 'Basic c2VjcmV0' })
  t.deepEqual([status, text, setCookies], [200, 'the archive', []])
  const [{ url, headers }] = received as [(typeof received)[0]]
  t.is(url, '/archive/tapes?year=1999')
  t.is(headers['x-remote-user'], 'alice')
  t.deepEqual([headers.cookie, headers.authorization], [undefined, undefined])
})

const CLAIMS = {
  'X-Remote-User': 'mallory',
  'x-remote-USER': 'mallory',
  X_Remote_User: 'mallory',
  'X.Remote.User': 'mallory',
  Connection: 'X-Remote-User',
}

test('X1: whatever user header a client sends, a program learns of the one who is logged in alone.', async t => {
  const { browser, received } = await start(t)
  const alice = browser()
  await logIn(alice, 'alice')
  for (const [name, value] of Object.entries(CLAIMS)) {
    await alice.get('/archive/', { [name]: value })
    const said = received.pop()!.raw.filter((_, index, raw) => /remote.user/i.test(raw[index - (index % 2)]!))
    t.deepEqual(said, ['X-Remote-User', 'alice'], name)
    t.is((await browser().get('/archive/', { [name]: value })).status, 303, name)
  }
  t.deepEqual(received, [], 'nothing of whoever is not logged in')
})

test('X1: whatever user header a client sends, the app hears of nobody, when it is asked and when it answers itself.', async t => {
  const { port: app, received } = await startProgram(t)
  const { browser } = await startProtectedSite(t, { app, archive: app })
  for (const [name, value] of Object.entries(CLAIMS)) {
    for (const path of ['/', '/staffing', DOCUMENT]) {
      await browser().get(path, { [name]: value })
      const { raw } = received.pop()!
      t.false(
        raw.some(one => /mallory|remote.user/i.test(one)),
        `${name} at ${path}`,
      )
    }
  }
})

test('X1: the control: an nginx that sets no user header passes on what a client says.', async t => {
  const { browser, received } = await start(t, [SET_USER, NO_USER])
  const alice = browser()
  await logIn(alice, 'alice')
  await alice.get('/archive/', { 'X-Remote-User': 'mallory' })
  t.is(received[0]!.headers['x-remote-user'], 'mallory')
})

test('The body of a request reaches the program whole, and the app is not asked with it.', async t => {
  const { origin, browser, received, asked } = await start(t)
  const alice = browser()
  await logIn(alice, 'alice')
  const body = randomBytes(300_000)
  const chunks = new ReadableStream({
    start(controller) {
      for (let at = 0; at < body.length; at += 50_000) controller.enqueue(body.subarray(at, at + 50_000))
      controller.close()
    },
  })
  for (const sent of [{ body }, { body: chunks, duplex: 'half' as const }]) {
    const answer = await fetch(`${origin}/archive/`, { method: 'POST', headers: { cookie: alice.cookie }, ...sent })
    t.is(answer.status, 200)
    const last = received.pop()!
    t.deepEqual([last.method, last.headers['x-remote-user']], ['POST', 'alice'])
    t.true(last.body.equals(body))
  }
  const refused = await fetch(`${origin}/archive/`, { method: 'POST', body })
  t.is(refused.status, 401)
  t.deepEqual(received, [])
  const questions = asked.map(({ method, headers }) => [
    method,
    headers['content-length'],
    headers['transfer-encoding'],
  ])
  t.deepEqual(questions, Array(3).fill(['GET', undefined, undefined]))
})

test('Where nginx asks, nobody else can, in whatever spelling.', async t => {
  const { browser } = await start(t)
  const bob = browser()
  await logIn(bob, 'bob')
  const spellings = [
    '/auth',
    '/auth/',
    '/AUTH',
    '/auth/documents',
    '/Auth/Documents',
    '/%61uth',
    '//auth',
    '/x/../auth',
  ]
  for (const path of [...spellings, '/auth?x', '/./auth/', '/auth%2f', '/x%2f..%2fauth']) {
    const { status, headers } = await bob.get(path)
    t.deepEqual([status, headers['x-remote-user']], [404, undefined], path)
  }
})

test('Names of any script arrive through nginx in another Koa app’s remoteUser().', async t => {
  const names = [
    'zoë',
    'Ægir ☃',
    'Ζωή',
    '爱丽丝',
    '🦊',
    'zo\u0308e',
    'a, b; c="d"',
    '$document_root',
    'ÿþ',
    'x'.repeat(1024),
  ]
  const people = Object.fromEntries(names.map((username, index) => [`u${index}`, { username }]))
  const key = (ctx: { state: { user: { key: string } } }) => ctx.state.user.key
  const [{ port: app }, { port: archive }] = await Promise.all([
    startAskedApp(t, { people }),
    startProxiedApp(t, { handlers: { '/archive/me': key } }),
  ])
  const { browser } = await startProtectedSite(t, { app, archive })
  for (const [index, name] of names.entries()) {
    const person = browser()
    await logIn(person, `u${index}`)
    t.is((await person.get('/archive/me')).text, `remote:${name}`)
  }
})

test('A name that no header can say lets nobody pass, and reaches nobody.', async t => {
  const names = ['alice ', ' alice', 'alice\r\nX-Remote-User: bob', '(null)']
  const people = Object.fromEntries(names.map((username, index) => [`u${index}`, { username }]))
  const [{ port: app }, { port: archive, received }] = await Promise.all([
    startAskedApp(t, { people }),
    startProgram(t),
  ])
  const { browser } = await startProtectedSite(t, { app, archive })
  for (const [index, name] of names.entries()) {
    const person = browser()
    await logIn(person, `u${index}`)
    t.is((await person.get('/archive/')).status, 500, JSON.stringify(name))
  }
  t.deepEqual(received, [])
})

test('Feed readers pass by a name and a password where sessionOrBasicAuth() stands before it, and are challenged.', async t => {
  // They are to see the challenge, and not the login page.
  const { port: app } = await startAskedApp(t, { people: PEOPLE, basic: true })
  const { port: archive, received } = await startProgram(t)
  const { browser } = await startProtectedSite(t, { app, archive, without: ['error_page 401 = @login;'] })
  const ask = async (credentials?: string) => {
    const headers = credentials && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
    const answer = await browser().get('/archive/feed', headers || {})
    return [answer.status, answer.headers['www-authenticate'], answer.setCookies.length]
  }
  const challenge = 'Basic realm="Reports", charset="UTF-8"'
  t.deepEqual(await ask(), [401, challenge, 0])
  t.deepEqual(await ask('alice:wrong'), [401, challenge, 0])
  t.deepEqual(await ask('alice:pw'), [200, undefined, 0])
  t.deepEqual(
    received.map(({ headers }) => [headers['x-remote-user'], headers.authorization]),
    [['alice', undefined]],
  )
})

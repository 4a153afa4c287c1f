import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { type JWTPayload, UnsecuredJWT } from 'jose'
import { type Reply, STRANGERS_KEY, startTestProvider, type TestProvider } from './test-provider.ts'
import { Browser, CLIENT, DEADLINE, startRoom, type TestRoom } from './test-room.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

function started(t: ExecutionContext): Promise<TestRoom & { provider: TestProvider }> {
  return startRoom(t, () => startTestProvider(t))
}

/** Goes to the provider, comes back, and answers with what they are told then. */
async function logIn(browser: Browser): Promise<{ status: number; text: string }> {
  const toProvider = await browser.ask('/login', {})
  const { location } = await browser.ask(toProvider.location)
  return browser.ask(location)
}

async function loggedIn(room: { origin: string }): Promise<Browser> {
  const browser = new Browser(room)
  const { status } = await logIn(browser)
  if (status !== 303) throw new Error(`The login was answered ${status}.`)
  return browser
}

const now = () => Math.floor(Date.now() / 1000)
const idTokens: Record<string, JWTPayload> = {
  'without a nonce': { nonce: undefined },
  'with the nonce of another login': { nonce: 'another' },
  'for another application': { aud: 'another' },
  'of another issuer': { iss: 'https://evil.example' },
  'that has expired': { iat: now() - 7200, exp: now() - 3600 },
  'without a subject': { sub: undefined },
  'with a subject of 2,000 characters': { sub: 'a'.repeat(2000) },
}
for (const [what, claims] of Object.entries(idTokens)) {
  test(`An ID token ${what} logs nobody in.`, async t => {
    const room = await started(t)
    room.provider.claims = claims
    const browser = new Browser(room)
    const { status, text } = await logIn(browser)
    t.is(status, 400)
    t.regex(text, /could not be verified/)
    t.is(await browser.greeting(), 'anonymous')
    room.provider.claims = {}
    await logIn(browser)
    t.is(await browser.greeting(), 'Ada', 'the control')
  })
}

test('An ID token that somebody else has signed, or nobody, logs nobody in.', async t => {
  const room = await started(t)
  const claims = { iss: room.provider.issuer, aud: CLIENT.id, sub: 'ada', iat: now(), exp: now() + 60 }
  const forged = [
    (nonce: string) => room.provider.sign({ ...claims, nonce }, { key: STRANGERS_KEY }),
    (nonce: string) => new UnsecuredJWT({ ...claims, nonce }).encode(),
    (nonce: string) =>
      room.provider.sign({ ...claims, nonce }, { key: Buffer.from(CLIENT.secret), header: { alg: 'HS256' } }),
  ]
  for (const forge of forged) {
    const browser = new Browser(room)
    const toProvider = await browser.ask('/login', {})
    const nonce = new URL(toProvider.location).searchParams.get('nonce')!
    const tokens = { access_token: 'an access token', token_type: 'Bearer', id_token: await forge(nonce) }
    room.provider.replies.set('/token', { body: tokens })
    const { location } = await browser.ask(toProvider.location)
    t.is((await browser.ask(location)).status, 400)
    t.is(await browser.greeting(), 'anonymous')
  }
})

test('What the provider knows of somebody else is not taken for theirs.', async t => {
  const room = await started(t)
  room.provider.replies.set('/me', { body: { sub: 'another', name: 'Another' } })
  const browser = new Browser(room)
  t.is((await logIn(browser)).status, 400)
  t.is(await browser.greeting(), 'anonymous')
})

const failures: Reply[] = [{ status: 500, body: {} }, { status: 502, body: 'Bad Gateway' }, null]
for (const path of ['/.well-known/openid-configuration', '/token', '/me', '/keys']) {
  test(`L5: A provider that fails at ${path}, or freezes there, is 503 within the deadline.`, async t => {
    const { provider, origin } = await started(t)
    const whole = provider.replies.get(path)!
    for (const reply of failures) {
      provider.replies.set(path, reply)
      const browser = new Browser({ origin })
      const began = performance.now()
      const toProvider = await browser.ask('/login', {})
      const last = toProvider.location
        ? await browser.ask((await browser.ask(toProvider.location)).location)
        : toProvider
      t.is(last.status, 503, JSON.stringify(reply))
      t.regex(last.text, /cannot be reached/)
      t.true(performance.now() - began < 10 * DEADLINE)
    }
    provider.replies.set(path, whole)
    t.is((await logIn(new Browser({ origin }))).status, 303)
  })
}

/** Tells the app that somebody has logged out. */
async function tell(room: TestRoom, logout_token: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${room.origin}/backchannel-logout`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token }),
    headers,
  })
}

function logoutClaims(): JWTPayload {
  return { sub: 'ada', jti: randomUUID(), events: { [EVENT]: {} } }
}

test('S4: A logout token ends every session of its subject here, and is good once.', async t => {
  const room = await started(t)
  const [one, two] = [await loggedIn(room), await loggedIn(room)]
  room.provider.claims = { sub: 'another' }
  const other = await loggedIn(room)
  room.provider.claims = {}
  const token = await room.provider.sign(logoutClaims(), { header: { typ: 'logout+jwt' } })
  const response = await tell(room, token)
  t.is(response.status, 204)
  t.is(response.headers.get('cache-control'), 'no-store')
  t.deepEqual([await one.greeting(), await two.greeting(), await other.greeting()], ['anonymous', 'anonymous', 'Ada'])

  const again = await loggedIn(room)
  t.is((await tell(room, token)).status, 400, 'played once more')
  t.is(await again.greeting(), 'Ada')
  t.is((await tell(room, await room.provider.sign(logoutClaims()))).status, 204)
  t.is(await again.greeting(), 'anonymous')
})

const logoutTokens: Record<string, JWTPayload> = {
  'of another issuer': { iss: 'https://evil.example' },
  'for another application': { aud: 'another' },
  'that has expired': { exp: now() - 60 },
  'that is an hour old': { iat: now() - 3600 },
  'from the future': { iat: now() + 3600, exp: now() + 7200 },
  'that does not say when it was made': { iat: undefined },
  'that never expires': { exp: undefined },
  'without an id': { jti: undefined },
  'without a subject': { sub: undefined },
  'with a subject that is empty': { sub: '' },
  'with a nonce, as an ID token has': { nonce: 'n' },
  'with a nonce that is null': { nonce: null },
  'without events': { events: undefined },
  'with events that are a list': { events: [EVENT] },
  'about another event': { events: { 'http://schemas.openid.net/event/other': {} } },
  'about the event, as text': { events: { [EVENT]: 'yes' } },
}

test('A logout token that is not one is 400, and logs nobody out.', async t => {
  const room = await started(t)
  const browser = await loggedIn(room)
  const { sign } = room.provider
  const whole = { ...logoutClaims(), iss: room.provider.issuer, aud: CLIENT.id, iat: now(), exp: now() + 60 }
  const bad: [what: string, token: string][] = [
    ['empty', ''],
    ['no token', 'a.b.c'],
    ['unsigned', new UnsecuredJWT(whole).encode()],
    ['signed by a stranger', await sign(whole, { key: STRANGERS_KEY })],
    ['signed with the secret', await sign(whole, { key: Buffer.from(CLIENT.secret), header: { alg: 'HS256' } })],
    ['an ID token', await sign({ sub: 'ada', nonce: 'n' })],
  ]
  for (const [what, claims] of Object.entries(logoutTokens))
    bad.push([what, await sign({ ...logoutClaims(), ...claims })])
  for (const [what, token] of bad) {
    const response = await tell(room, token)
    t.is(response.status, 400, what)
    t.is(response.headers.get('cache-control'), 'no-store')
    t.is(((await response.json()) as { error: string }).error, 'invalid_request')
  }
  t.is((await fetch(`${room.origin}/backchannel-logout`, { method: 'POST' })).status, 400, 'no token at all')
  t.is((await fetch(`${room.origin}/backchannel-logout`)).status, 405)
  t.is(await browser.greeting(), 'Ada')
  t.is((await tell(room, await sign(whole))).status, 204, 'the control')
  t.is(await browser.greeting(), 'anonymous')
})

test('L7: A page of another site cannot bring a logout token, and the provider, which is no page, can.', async t => {
  const room = await started(t)
  const browser = await loggedIn(room)
  const token = await room.provider.sign(logoutClaims())
  t.is((await tell(room, token, { origin: 'https://evil.example' })).status, 403)
  t.is((await tell(room, token, { 'sec-fetch-site': 'cross-site' })).status, 403)
  t.is(await browser.greeting(), 'Ada')
  t.is((await tell(room, token)).status, 204)
})

test('While the keys of the provider cannot be had, nobody can say whether a logout token is good: 503, and it is good later.', async t => {
  const room = await started(t)
  const token = await room.provider.sign(logoutClaims())
  const { replies } = room.provider
  const keys = replies.get('/keys')!
  for (const reply of [{ status: 500, body: {} }, null]) {
    replies.set('/keys', reply)
    t.is((await tell(room, token)).status, 503)
  }
  replies.set('/keys', keys)
  t.is((await tell(room, token)).status, 204)
})

import test from 'ava'
import {
  type AuthenticatedUser,
  cookieStore,
  LayerMissing,
  memoryStore,
  profiles,
  requireLogin,
  requirePermission,
  sessionOrBasicAuth,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { remoteUser } from '../../lib/sharing/remote-user.ts'
import { remoteUsers } from '../../lib/sharing/remote-users.ts'
import { KEY, recorded, startApp } from '../sessions/app.ts'
import { CARRIERS, directory } from '../users/app.ts'
import { PROXY, ProxiedClient, STRANGER, startProxiedApp } from './proxied.ts'

const ALICE = 'X-Remote-User: alice'
const BOB = 'X-Remote-User: bob'

for (const [name, open] of Object.entries(CARRIERS)) {
  test(`X1: ${name}: whom the header names is logged in once, and out when it is gone or names another.`, async t => {
    const app = await startProxiedApp(t, await open(t))
    const client = app.client()
    t.is(await client.whoIs(ALICE), 'remote:alice')
    const { cookie } = client
    for (let request = 0; request < 3; request++) {
      const answer = await client.get('/me', { lines: [ALICE] })
      t.is(JSON.parse(answer.text).key, 'remote:alice')
      t.deepEqual(answer.setCookies, [])
    }
    t.is(await client.whoIs(BOB), 'remote:bob')
    t.not(client.cookie, cookie)
    t.is(await client.whoIs(), '')
    t.is(client.cookie, '')
    t.is(await client.whoIs(BOB), 'remote:bob')
    t.is(JSON.parse((await client.get('/me', { lines: [BOB], from: STRANGER })).text).key, '')
    t.is(client.cookie, '')
  })
}

test('A login by the header is stored once, and later requests of the same name ask no backend and write nothing.', async t => {
  const store = recorded(memoryStore())
  const asked: string[] = []
  const permissions = (name: string) => {
    asked.push(name)
    return []
  }
  const app = await startProxiedApp(t, { store, backends: [remoteUsers({ permissions })] })
  const client = app.client()
  await client.whoIs(ALICE)
  t.deepEqual(asked, ['alice'])
  t.is(store.calls.filter(call => call === 'create').length, 2, 'the session, and the epoch it is bound to')
  store.calls.length = 0
  for (let request = 0; request < 5; request++) await client.get('/ping', { lines: [ALICE] })
  t.false(store.calls.some(call => call !== 'read'))
})

test('S1: who was anonymous keeps the data at a login by the header; who was another starts with none.', async t => {
  const app = await startProxiedApp(t)
  const client = app.client()
  const me = async (...lines: string[]) => JSON.parse((await client.get('/me', { lines })).text)
  await client.get('/set?cart=1')
  const planted = client.cookie
  t.deepEqual(await me(ALICE), { key: 'remote:alice', session: { cart: '1' } })
  t.not(client.cookie, planted)
  t.deepEqual(await me(BOB), { key: 'remote:bob', session: {} })
  await client.get('/set?cart=2', { lines: [BOB] })
  t.deepEqual(await me(), { key: '', session: {} })
})

test('After a logout the next request that the header comes with logs in again, to a new session.', async t => {
  const app = await startProxiedApp(t)
  const client = app.client()
  await client.get('/set?cart=1', { lines: [ALICE] })
  const { cookie } = client
  t.is((await client.get('/logout', { lines: [ALICE] })).text, 'out')
  t.is(client.cookie, '')
  const after = await client.get('/me', { lines: [ALICE] })
  t.deepEqual(JSON.parse(after.text), { key: 'remote:alice', session: {} })
  t.not(client.cookie, cookie)
})

test('Who logs in by a form while the header names another is them again at the next request.', async t => {
  const app = await startProxiedApp(t)
  const client = app.client()
  await client.whoIs(ALICE)
  t.is((await client.get('/login?u=dave&p=pw', { lines: [ALICE] })).text, 'local:dave')
  t.is(await client.whoIs(ALICE), 'remote:alice')
})

test('A session by a form is left alone where the header names the same user, and stays when it is gone.', async t => {
  const store = recorded(memoryStore())
  const local = directory('local', { dave: {} }, { identify: async name => local.load(name) })
  const app = await startProxiedApp(t, { store, backends: [local], remote: { backend: 'local' } })
  const client = app.client()
  await client.get('/login?u=dave&p=pw')
  store.calls.length = 0
  t.is(await client.whoIs('X-Remote-User: dave'), 'local:dave')
  t.is(await client.whoIs(), 'local:dave')
  t.false(store.calls.some(call => call !== 'read'))
})

test('Two names of one user are one login: nothing is stored for the other name, and it ends when the header is gone.', async t => {
  const store = recorded(memoryStore())
  const backends = [remoteUsers({ load: async id => ({ id: id.toLowerCase() }) })]
  const app = await startProxiedApp(t, { store, backends })
  const client = app.client()
  t.is(await client.whoIs(ALICE), 'remote:alice')
  store.calls.length = 0
  t.is(await client.whoIs('X-Remote-User: ALICE'), 'remote:alice')
  t.is(await client.whoIs(ALICE), 'remote:alice')
  t.false(store.calls.some(call => call !== 'read'))
  t.is(await client.whoIs(), '')
})

test('S4: sessions by the header are listed and ended like any other, and the one that stays holds no longer than the header.', async t => {
  const app = await startProxiedApp(t)
  const [one, two] = [app.client(), app.client()]
  for (const client of [one, two]) await client.whoIs(ALICE)
  t.is(JSON.parse((await one.get('/sessions', { lines: [ALICE] })).text).length, 2)
  t.is((await one.get('/everywhere?keep', { lines: [ALICE] })).text, 'remote:alice')
  const answer = await one.get('/me', { lines: [ALICE] })
  t.is(JSON.parse(answer.text).key, 'remote:alice')
  t.deepEqual(answer.setCookies, [])
  t.is(JSON.parse((await one.get('/sessions', { lines: [ALICE] })).text).length, 1)
  t.is(await one.whoIs(), '')
  t.is(await two.whoIs(), '')
})

test('X1: of two proxies with headers of their own neither ends nor takes over what the other vouches for.', async t => {
  const app = await startProxiedApp(t, {
    backends: [remoteUsers(), remoteUsers({ name: 'certs' })],
    above: [remoteUser({ trust: [PROXY], header: 'X-Certificate', backend: 'certs' })],
  })
  const [remote, certs] = [app.client(), app.client()]
  const CERTIFICATE = 'X-Certificate: alice'
  t.is(await remote.whoIs(ALICE), 'remote:alice')
  t.is(await certs.whoIs(CERTIFICATE), 'certs:alice')
  for (const [client, line] of [
    [remote, ALICE],
    [certs, CERTIFICATE],
  ] as const)
    t.deepEqual((await client.get('/ping', { lines: [line] })).setCookies, [])
  t.is(await remote.whoIs(CERTIFICATE), 'certs:alice')
  t.is(await certs.whoIs(ALICE), 'remote:alice')
  for (const client of [remote, certs]) t.is(await client.whoIs(), '')
})

test('X1: a login by one header is not taken for one by another that names the same user of the same backend.', async t => {
  const app = await startProxiedApp(t, { above: [remoteUser({ trust: [PROXY], header: 'X-Remote' })] })
  const client = app.client()
  t.is(await client.whoIs('X-Remote: alice'), 'remote:alice')
  t.is(await client.whoIs(), '')
  t.is(await client.whoIs(ALICE), 'remote:alice')
  t.is(await client.whoIs(), '')
})

test('X3: X1: a session from when the header named users of another backend is not taken for one of the user it names now.', async t => {
  const store = memoryStore()
  const local = directory('local', { alice: {} }, { identify: async name => local.load(name) })
  const backends = [remoteUsers(), local]
  const before = await startProxiedApp(t, { store, backends })
  const after = await startProxiedApp(t, { store, backends, remote: { backend: 'local' } })
  const [old, client] = [before.client(), after.client()]
  t.is(await old.whoIs(ALICE), 'remote:alice')
  client.cookie = old.cookie
  t.is(await client.whoIs(ALICE), 'local:alice')
})

test('What the application makes of the header is the name; null and the empty text are nobody.', async t => {
  const clean = (name: string) => (name.startsWith('-') ? null : name.replace(/@.*/, ''))
  const app = await startProxiedApp(t, { remote: { clean } })
  const client = app.client()
  t.is(await client.whoIs('X-Remote-User: alice@EXAMPLE.ORG'), 'remote:alice')
  t.deepEqual((await client.get('/ping', { lines: ['X-Remote-User: alice@example.org'] })).setCookies, [])
  for (const nobody of ['@EXAMPLE.ORG', '-alice']) {
    t.is(await client.whoIs(`X-Remote-User: ${nobody}`), '')
    t.is(await client.whoIs(ALICE), 'remote:alice')
  }
})

test('A name that the application makes is checked as one that came, and what is no text is its mistake.', async t => {
  let answer: unknown = 'a\nb'
  const app = await startProxiedApp(t, { remote: { clean: () => answer as string } })
  const status = async () => (await app.client().get('/me', { lines: [ALICE] })).status
  t.is(await status(), 400)
  answer = 'a'.repeat(1025)
  t.is(await status(), 400)
  answer = '\ud800'
  t.is(await status(), 400)
  answer = { name: 'alice' }
  t.is(await status(), 500)
  t.is(app.errors.at(-1)!.message, "remoteUser(): option 'clean' must answer text, or null.")
})

test('Names arrive as UTF-8, or else as Latin-1, and of 1,024 bytes, whatever carries the session.', async t => {
  const names: [Buffer, string][] = [
    ...[
      'älice',
      'محمد',
      '山田',
      '😀',
      'a b',
      'uid=a,dc=b',
      "'; drop table users; --",
      '__proto__',
      'ä'.repeat(512),
    ].map((name): [Buffer, string] => [Buffer.from(name), name]),
    [Buffer.from('älice', 'latin1'), 'älice'],
    [Buffer.from([0xc3]), 'Ã'],
  ]
  for (const store of [memoryStore(), cookieStore({ epochs: memoryStore() })]) {
    const app = await startProxiedApp(t, { store })
    for (const [bytes, name] of names) {
      const client = app.client()
      const lines = [Buffer.concat([Buffer.from('X-Remote-User: '), bytes])]
      for (let request = 0; request < 2; request++)
        t.is(JSON.parse((await client.get('/me', { lines })).text).key, `remote:${name}`)
    }
  }
})

const SOURCE = { employer: { find: async ({ key }: AuthenticatedUser) => (key === 'remote:alice' ? { n: 1 } : null) } }
for (const [where, layers] of Object.entries({
  before: { above: [profiles(SOURCE)] },
  behind: { between: [profiles(SOURCE)] },
})) {
  test(`A user of the header has a profile, with remoteUser() ${where} profiles().`, async t => {
    const app = await startProxiedApp(t, {
      ...layers,
      handlers: { '/profile': ({ state: { user } }) => ({ key: user.key, profile: user.profile }) },
    })
    const client = app.client()
    const seen = async (...lines: string[]) => JSON.parse((await client.get('/profile', { lines })).text)
    for (let request = 0; request < 2; request++)
      t.deepEqual(await seen(ALICE), { key: 'remote:alice', profile: { n: 1 } })
    t.deepEqual(await seen(BOB), { key: 'remote:bob', profile: null })
    t.deepEqual(await seen(), { key: '', profile: null })
  })
}

test('Guards let users of the header pass, beside sessions by a form and HTTP Basic.', async t => {
  const pass = async () => {}
  const app = await startProxiedApp(t, {
    backends: [
      remoteUsers({ permissions: name => (name === 'alice' ? ['read'] : []) }),
      directory('local', { dave: {}, erin: {} }),
    ],
    handlers: {
      async '/in'(ctx) {
        await requireLogin()(ctx as never, pass)
        return ctx.state.user.key
      },
      async '/read'(ctx) {
        await requirePermission('read')(ctx as never, pass)
        return ctx.state.user.key
      },
      async '/feed'(ctx) {
        await sessionOrBasicAuth({ realm: 'Test' })(ctx as never, pass)
        return ctx.state.user.key
      },
    },
  })
  const basic = `Authorization: Basic ${Buffer.from('dave:pw').toString('base64')}`
  const answer = async (path: string, ...lines: string[]) => {
    const { status, text } = await app.client().get(path, { lines })
    return [status, text]
  }
  t.is((await answer('/in'))[0], 401)
  t.deepEqual(await answer('/in', BOB), [200, 'remote:bob'])
  t.deepEqual(await answer('/read', ALICE), [200, 'remote:alice'])
  t.is((await answer('/read', BOB))[0], 403)
  t.is((await answer('/feed'))[0], 401)
  t.deepEqual(await answer('/feed', ALICE), [200, 'remote:alice'])
  t.deepEqual(await answer('/feed', basic), [200, 'local:dave'])
  t.deepEqual(await answer('/feed', basic, ALICE), [200, 'remote:alice'])
})

test('C7: a response of the proxy varies by the header, whether or not it came, and so does an error.', async t => {
  const app = await startProxiedApp(t, {
    handlers: {
      '/refused': () => {
        throw Object.assign(new Error('Not for you.'), { status: 403, expose: true })
      },
    },
  })
  const refused = await app.client().get('/refused')
  t.is(refused.status, 403)
  t.regex(refused.head, /^Vary: X-Remote-User/m)
  t.regex((await app.client().get('/me')).head, /^Vary: X-Remote-User, Cookie$/m)
  t.regex((await app.client().get('/me', { lines: [ALICE] })).head, /^Vary: X-Remote-User, Cookie$/m)
})

test('remoteUser() without users() before it says what to add.', async t => {
  const app = await startApp(t, { layers: [sessions({ keys: [KEY] }), remoteUser({ trust: [PROXY] })] })
  t.is((await app.browser().get('/me')).status, 500)
  t.true(app.errors[0] instanceof LayerMissing)
  t.regex(app.errors[0]!.message, /^remoteUser\(\) needs ctx\.state\.user\. Add app\.use\(users\(…\)\) before it/)
})

test('In a stack it stands behind users(), and adds nothing that others need.', async t => {
  const identity = stack(
    sessions({ keys: [KEY] }),
    users({ backends: [remoteUsers()] }),
    remoteUser({ trust: [PROXY] }),
    profiles(SOURCE),
  )
  const app = await startApp(t, { layers: [identity], handlers: { '/me': ({ state }) => ({ key: state.user.key }) } })
  t.is(await new ProxiedClient(app.port).whoIs(ALICE), 'remote:alice')
})

import test, { type ExecutionContext } from 'ava'
import { DetachedUser, detachedUsers, memoryStore, type SessionStore } from 'koa-strata'
import { OptionInvalid } from '../../lib/errors.ts'
import { SessionCookie } from '../../lib/sessions/cookie.ts'
import { type ForeignParts, ForeignSessions } from '../../lib/sessions/foreign.ts'
import { dataForm, idForm } from '../../lib/sessions/forms.ts'
import { settleSessions } from '../../lib/sessions/options.ts'
import { Signer } from '../../lib/sessions/signature.ts'
import { directory, logIn, stampingDirectory, startUsersApp, type UsersAppOptions, whoIs } from '../users/app.ts'
import { KEY } from './app.ts'

const AGE = 100_000
const cookie = new SessionCookie('test()', { name: 'theirs', domain: undefined, secure: false, sameSite: false }, true)

/** Sessions that somebody else keeps too, in a store. */
function foreign(store: SessionStore, parts: Partial<ForeignParts> = {}): ForeignSessions {
  return new ForeignSessions({
    where: 'theirSessions()',
    keeping: { store, ids: { ...idForm('theirs'), write: id => id, read: value => value || null, storeId: id => id } },
    cookie,
    signer: new Signer('test()', [KEY]),
    backend: 'local',
    age: AGE,
    slides: false,
    lasts: ({ _lasts = AGE }) => _lasts,
    ...parts,
  })
}

/** The same, in the cookie. */
const carried = (epochs?: SessionStore) =>
  foreign(memoryStore(), { keeping: { store: null, contents: dataForm('theirs'), epochs } })

const start = (t: ExecutionContext, store: ForeignSessions, options: UsersAppOptions = {}) =>
  // What the other framework has said already is not to be said again.
  startUsersApp(t, { keys: undefined, ...options, store })

test('A cookie goes by the name and the attributes of the framework that sets it too.', t => {
  t.is(cookie.set('x', 5000), 'theirs=x; Max-Age=5; Path=/; HttpOnly')
  t.is(cookie.set('x', null), 'theirs=x; Path=/; HttpOnly')
  const secure = new SessionCookie('test()', { name: 'theirs', secure: true, sameSite: 'strict' }, true)
  t.is(secure.set('x', 5000), 'theirs=x; Max-Age=5; Path=/; HttpOnly; Secure; SameSite=Strict')
  t.is(secure.beside('device').set('x', 5000), 'theirs-device=x; Max-Age=5; Path=/; HttpOnly; Secure; SameSite=Strict')
})

for (const [name, options] of Object.entries({
  cookie: { cookie: {} },
  keys: { keys: [KEY] },
  idleTimeout: { idleTimeout: 5000 },
  absoluteTimeout: { absoluteTimeout: 5000 },
}))
  test(`What the framework has said, as ${name}, cannot be said once more.`, t => {
    const error = t.throws(() => settleSessions({ ...options, store: foreign(memoryStore()) }), {
      instanceOf: OptionInvalid,
    })
    t.is(error?.option, name)
    t.regex(error!.message, /theirSessions\(\)/)
  })

test('A login whose user may not log in any more is nobody here, and stays as it is where it is kept.', async t => {
  const store = memoryStore()
  const local = directory('local', { alice: {} })
  const app = await start(t, foreign(store), { backends: [local] })
  const browser = app.browser()
  await logIn(browser, 'alice')
  const id = browser.cookie.split('=')[1]!
  const before = await store.read(id)
  local.accounts.get('alice')!.isActive = false
  t.is(await whoIs(browser), '')
  const answer = await browser.get('/set?guest=1')
  t.deepEqual([answer.status, answer.setCookies], [200, []])
  t.deepEqual(await store.read(id), before)
  local.accounts.get('alice')!.isActive = true
  t.is(await whoIs(browser), 'local:alice')
})

test('What cannot be read stays as it is, nobody is sent a cookie over its own, and a login goes over it.', async t => {
  const store = memoryStore()
  const app = await start(t, foreign(store))
  const browser = app.browser()
  await browser.get('/set?mine=1')
  const id = browser.cookie.split('=')[1]!
  const { version } = (await store.read(id))!
  await store.replace(id, version, { data: { theirs: 'no session of ours' }, user: null, expiresAt: Date.now() + AGE })
  const before = await store.read(id)
  t.deepEqual((await browser.get('/set?again=1')).setCookies, [])
  t.deepEqual(await store.read(id), before)
  t.is((await logIn(browser, 'alice')).setCookies.length, 1)
  t.is(await whoIs(browser), 'local:alice')
})

test('Its end is moved on by requests that change it, and by others only where that was asked for: with its cookie then.', async t => {
  for (const slides of [false, true]) {
    let now = 1_000_000
    const store = memoryStore({ now: () => now })
    const app = await start(t, foreign(store, { slides }), { now: () => now })
    const browser = app.browser()
    await browser.get('/set?a=1')
    const id = browser.cookie.split('=')[1]!
    now += AGE / 2
    const { setCookies } = await browser.get('/me')
    t.is((await store.read(id))?.expiresAt, slides ? now + AGE : 1_000_000 + AGE)
    t.is(setCookies.length, slides ? 1 : 0)
    await browser.get('/set?a=2')
    t.is((await store.read(id))?.expiresAt, now + AGE)
  }
})

test('It lasts as long as its own data says, in the store and in the cookie.', async t => {
  const now = 1_000_000
  const store = memoryStore({ now: () => now })
  const lasts: ForeignParts['lasts'] = ({ days }) =>
    days === undefined ? AGE : days === '0' ? null : Number(days) * 1000
  const app = await start(t, foreign(store, { lasts }), { now: () => now })
  for (const [days, expiresAt, maxAge] of [
    ['7', now + 7000, 'Max-Age=7; '],
    ['0', now + AGE, ''],
  ] as const) {
    const browser = app.browser()
    const { setCookies } = await browser.get(`/set?days=${days}`)
    const id = browser.cookie.split('=')[1]!
    t.is(setCookies[0], `theirs=${id}; ${maxAge}Path=/; HttpOnly`)
    t.is((await store.read(id))?.expiresAt, expiresAt)
  }
})

test("S4: logoutEverywhere() takes the user's sessions out of the store, since nothing can be added to what binds them.", async t => {
  const store = memoryStore()
  const app = await start(t, foreign(store))
  const [one, other, bob] = [app.browser(), app.browser(), app.browser()]
  await logIn(one, 'alice')
  await logIn(other, 'alice')
  await logIn(bob, 'bob')
  t.is((await one.get('/everywhere?keep')).text, 'local:alice')
  t.deepEqual([await whoIs(one), await whoIs(other), await whoIs(bob)], ['local:alice', '', 'local:bob'])
  t.is((await one.get('/everywhere')).text, 'nobody')
  t.deepEqual([await whoIs(one), await whoIs(bob)], ['', 'local:bob'])
  t.deepEqual(await store.list!('local:alice'), [])
})

test('S4: sessions of a user who is not theirs are ended by removal as well, or by the stamp of a backend that has one.', async t => {
  const ldap = detachedUsers({
    name: 'ldap',
    authenticate: async ({ username }) =>
      username === 'zoe' ? new DetachedUser({ backend: 'ldap', id: 'zoe' }) : null,
  })
  const own = stampingDirectory('own', { olaf: {} })
  const app = await start(t, foreign(memoryStore()), { backends: [ldap, own] })
  for (const [name, key] of [
    ['zoe', 'ldap:zoe'],
    ['olaf', 'own:olaf'],
  ] as const) {
    const [one, other] = [app.browser(), app.browser()]
    await logIn(one, name)
    await logIn(other, name)
    t.is(await whoIs(other), key)
    await one.get('/everywhere')
    t.is(await whoIs(other), '')
  }
})

test('S4: where a store cannot remove them, or there is none, ending sessions of theirs is a clear error, and a logout is one of this browser.', async t => {
  const { destroyAll, ...poor } = memoryStore()
  for (const sessions of [foreign(poor), carried()]) {
    const app = await start(t, sessions)
    const [one, other] = [app.browser(), app.browser()]
    await logIn(one, 'alice')
    await logIn(other, 'alice')
    t.is((await one.get('/everywhere')).status, 500)
    t.is(app.errors[0]?.code, 'SESSIONS_NOT_ENDABLE')
    t.deepEqual([await whoIs(one), await whoIs(other)], ['local:alice', 'local:alice'])
    t.is((await one.get('/logout')).status, 200)
    t.deepEqual([await whoIs(one), await whoIs(other)], ['', 'local:alice'])
  }
})

test('S4: in cookies, who is not theirs logs in where epochs are kept, and there alone; theirs need none.', async t => {
  const zoe = detachedUsers({
    name: 'ldap',
    authenticate: async () => new DetachedUser({ backend: 'ldap', id: 'zoe' }),
  })
  const without = await start(t, carried(), { backends: [zoe] })
  t.is((await logIn(without.browser(), 'zoe')).status, 500)
  t.is(without.errors[0]?.code, 'SESSIONS_NOT_ENDABLE')
  const epochs = memoryStore()
  const app = await start(t, carried(epochs), { backends: [directory('local', { alice: {} }), zoe] })
  const [alice, one, other] = [app.browser(), app.browser(), app.browser()]
  await logIn(alice, 'alice')
  await logIn(one, 'zoe')
  await logIn(other, 'zoe')
  await one.get('/everywhere')
  t.deepEqual([await whoIs(alice), await whoIs(other)], ['local:alice', ''])
})

test('In cookies, one that cannot be read is left to the framework that has made it, until somebody logs in or out.', async t => {
  const contents = { ...dataForm('theirs'), read: () => ({}) }
  const app = await start(t, foreign(memoryStore(), { keeping: { store: null, contents, epochs: undefined } }))
  const visitor = app.browser()
  const cookie = { cookie: 'theirs=not-ours-to-read' }
  t.deepEqual((await visitor.get('/set?guest=1', cookie)).setCookies, [])
  t.regex((await visitor.get('/logout', cookie)).setCookies[0]!, /^theirs=; Max-Age=0;/)
  t.regex((await visitor.get('/login?u=alice&p=pw', cookie)).setCookies[0]!, /^theirs=\w+/)
})

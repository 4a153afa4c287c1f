import test from 'ava'
import { AccessDenied, detachedUsers, PasswordsBusy, type UserBackend } from 'koa-strata'
import { VerifiedCredentials } from '../../lib/feeds/verified.ts'
import type { Identification } from '../../lib/users/request-user.ts'
import { handedClock } from '../sessions/stores/setups.ts'
import { type Account, type Directory, directory, stampingDirectory, userOf } from '../users/app.ts'
import { inTurn, statuses } from '../users/throttle/app.ts'
import { startPolledSite, watched } from './polled-site.ts'

const SECOND = 1_000
const HOUR = 3_600_000

/** People whom a backend elsewhere knows, and who may get another password there. */
function elsewhere() {
  const passwords = new Map([['ada', 'pw']])
  const authenticate = async ({ username = '', password }: Readonly<Record<string, string>>) =>
    passwords.get(username) === password ? { id: username } : null
  const load = async (id: string) => (passwords.has(id) ? { id } : null)
  return { passwords, authenticate, load }
}

/** Backends of which nobody can tell that a password has changed but by asking. */
const SILENT: Record<string, () => { backend: UserBackend; change(): void }> = {
  'detached users': () => {
    const { passwords, authenticate } = elsewhere()
    return { backend: detachedUsers({ name: 'ldap', authenticate }), change: () => passwords.set('ada', 'new') }
  },
  'detached users with load': () => {
    const { passwords, authenticate, load } = elsewhere()
    return { backend: detachedUsers({ name: 'ldap', authenticate, load }), change: () => passwords.set('ada', 'new') }
  },
  'a directory': () => {
    const backend = directory('local', { ada: {} })
    return { backend, change: () => Object.assign(backend.accounts.get('ada')!, { password: 'new' }) }
  },
  'a directory that says that stamps follow the password, behind another one': () => {
    const backend = directory('local', { ada: {} }, { stampFollowsPassword: true })
    return { backend, change: () => Object.assign(backend.accounts.get('ada')!, { password: 'new', stamp: '1' }) }
  },
  'sessions that carry users, of a backend that says that stamps follow the password': () => {
    const { passwords, authenticate } = elsewhere()
    const backend = { ...detachedUsers({ name: 'ldap', authenticate }), stampFollowsPassword: true }
    return { backend, change: () => passwords.set('ada', 'new') }
  },
}

for (const [what, make] of Object.entries(SILENT)) {
  test(`B4: ${what}: what was right passes for \`cache\` milliseconds, which polls do not prolong, and not after.`, async t => {
    const { backend, change } = make()
    const asked = watched(backend)
    const { now, advance } = handedClock()
    const feeds = { '/feed': { cache: 60 * SECOND, now }, '/long': { cache: 300 * SECOND, now } }
    const backends = what.endsWith('behind another one') ? [directory('first', {}), asked] : [asked]
    const { poll } = await startPolledSite(t, { backends, feeds })
    t.is((await poll('ada', 'pw')).text, 'ada')
    change()
    advance(30 * SECOND)
    t.is((await poll('ada', 'pw')).text, 'ada')
    advance(30 * SECOND - 1)
    t.is((await poll('ada', 'pw')).text, 'ada')
    t.is(asked.asked.length, 1)
    advance(1)
    // It is the feed that says for how long.
    t.is((await poll('ada', 'pw', { path: '/long' })).status, 200)
    t.is(asked.asked.length, 1)
    t.is((await poll('ada', 'pw')).status, 401)
    t.is((await poll('ada', 'pw', { path: '/long' })).status, 401)
    t.is((await poll('ada', 'new')).text, 'ada')
  })
}

/** What shows in a user who is loaded, and what comes of it when the password is looked at. */
const SHOWN: Record<string, { change: Partial<Account> | null; answer: number }> = {
  'that they are gone': { change: null, answer: 401 },
  'that they may not log in': { change: { isActive: false }, answer: 401 },
  'another name': { change: { username: 'countess' }, answer: 200 },
  'another stamp': { change: { stamp: '2' }, answer: 200 },
}

for (const [what, { change, answer }] of Object.entries(SHOWN)) {
  test(`B4: what was right is looked at anew as soon as the user who is loaded shows ${what}.`, async t => {
    const backend = directory('local', { ada: {} })
    const { poll } = await startPolledSite(t, { backends: [backend] })
    t.deepEqual(statuses(await inTurn(3, () => poll('ada', 'pw'))), { 200: 3 })
    t.is(backend.asked.length, 1)
    if (change) Object.assign(backend.accounts.get('ada')!, change)
    else backend.accounts.delete('ada')
    t.is((await poll('ada', 'pw')).status, answer)
    t.is(backend.asked.length, 2)
  })
}

test('B4: a backend that is asked first has its say again after `cache` milliseconds, whoever was known behind it.', async t => {
  let denied = false
  const gatekeeper: UserBackend = {
    name: 'gatekeeper',
    async authenticate() {
      if (denied) throw new AccessDenied()
      return null
    },
    load: async () => null,
  }
  const backend = directory('local', { ada: {} }, { stampFollowsPassword: true })
  const { now, advance } = handedClock()
  const { poll } = await startPolledSite(t, {
    backends: [gatekeeper, backend],
    feeds: { '/feed': { cache: SECOND, now } },
  })
  t.is((await poll('ada', 'pw')).status, 200)
  denied = true
  advance(SECOND - 1)
  t.is((await poll('ada', 'pw')).status, 200)
  advance(1)
  t.is((await poll('ada', 'pw')).status, 401)
})

test('B4: backends that take no credentials are not in front of the first that does.', async t => {
  const cookies = detachedUsers({ name: 'oidc' })
  const backend = directory('local', { ada: {} }, { stampFollowsPassword: true })
  const { now, advance } = handedClock()
  const { poll } = await startPolledSite(t, {
    backends: [cookies, backend],
    feeds: { '/feed': { cache: SECOND, now } },
  })
  t.is((await poll('ada', 'pw')).status, 200)
  advance(11 * HOUR)
  t.is((await poll('ada', 'pw')).status, 200)
  t.is(backend.asked.length, 1)
})

test('B4: credentials that are wrong are looked at each time and never pass, however near they are to what was right.', async t => {
  const backend = directory('local', { ada: {} })
  const { poll } = await startPolledSite(t, { backends: [backend], throttle: false })
  t.is((await poll('ada', 'pw')).status, 200)
  for (const [name, password] of [
    ['ada', 'PW'],
    ['ada', 'pw '],
    ['Ada', 'pw'],
    ['ad', 'apw'],
    ['ada","pw', 'pw'],
    ['eve', 'pw'],
  ] as const) {
    t.deepEqual(statuses(await inTurn(3, () => poll(name, password))), { 401: 3 }, `${name}:${password}`)
    const { asked } = backend
    t.deepEqual(asked.slice(-3), Array(3).fill({ username: name, password }))
  }
})

for (const [what, error] of Object.entries({
  'a backend that is broken': new Error('down'),
  'a backend that is busy': new PasswordsBusy(),
})) {
  test(`B4: the 503 of ${what} is not remembered: neither where nobody knows yet, nor where the user cannot be loaded.`, async t => {
    let works = false
    const right = directory('local', { ada: {} })
    const ask = <Answer>(answer: () => Answer): Answer => {
      if (!works) throw error
      return answer()
    }
    const backend: Directory = {
      ...right,
      authenticate: async (...given) => ask(() => right.authenticate!(...given)),
      load: async id => ask(() => right.load(id)),
    }
    const { poll } = await startPolledSite(t, { backends: [backend] })
    t.deepEqual(statuses(await Promise.all([1, 2, 3].map(() => poll('ada', 'pw')))), { 503: 3 })
    works = true
    t.is((await poll('ada', 'pw')).status, 200)
    works = false
    t.deepEqual(statuses(await inTurn(3, () => poll('ada', 'pw'))), { 503: 3 })
    works = true
    t.deepEqual(statuses(await inTurn(3, () => poll('ada', 'pw'))), { 200: 3 })
    t.is(right.asked.length, 1)
  })
}

test('B4: a 429 is not remembered: what is right passes as soon as there is room.', async t => {
  const { now, advance } = handedClock()
  const backend = directory('local', { ada: {} })
  const { poll } = await startPolledSite(t, {
    backends: [backend],
    throttle: { now, perClient: { failures: 1, within: 60 * SECOND } },
  })
  t.is((await poll('ada', 'wrong')).status, 401)
  t.deepEqual(statuses(await Promise.all([1, 2, 3].map(() => poll('ada', 'pw')))), { 429: 3 })
  advance(60 * SECOND)
  t.deepEqual(statuses(await inTurn(3, () => poll('ada', 'pw'))), { 200: 3 })
})

test('B4: a user whom no session could carry can poll.', async t => {
  const attributes = { photo: 'x'.repeat(5_000_000) }
  const backend = detachedUsers({ name: 'ldap', authenticate: async ({ username }) => ({ id: username!, attributes }) })
  const { poll } = await startPolledSite(t, { backends: [backend] })
  t.deepEqual(statuses(await inTurn(2, () => poll('ada', 'pw'))), { 200: 2 })
})

test('B4: a browser whose credentials were known already is logged in by `remember`, and known to the account from then on.', async t => {
  const backend = stampingDirectory('local', { ada: {} })
  const site = await startPolledSite(t, { backends: [backend], feeds: { '/feed': { remember: true } } })
  for (const browser of [site.browser(), site.browser()]) {
    t.is((await site.poll('ada', 'pw', { browser })).status, 200)
    t.deepEqual([...browser.cookies.keys()], ['sid', 'sid-device'])
    t.is((await browser.get('/me')).json.key, 'local:ada')
  }
  t.is(backend.asked.length, 1)
})

/** A request that has nothing to do with others but their look-ups. */
function identification(): Identification & { looks: string[] } {
  const looks: string[] = []
  const layer = {}
  return {
    looks,
    layer,
    async authenticate(credentials, recall) {
      const recalled = await recall?.()
      if (recalled) return recalled
      const { username } = credentials as { username: string }
      looks.push(username)
      return userOf('local', username)
    },
    remember: ({ backend, id, stamp, username, email }) => ({
      backend,
      id,
      stamp,
      username,
      email,
      carried: null,
      isBinding: true,
    }),
    recall: async ({ id }) => userOf('local', id),
    find: async () => null,
    logIn: async () => {},
    via: undefined,
    backend: () => undefined,
  }
}

test('B4: ten thousand are remembered, and of more the one is forgotten that was looked at longest ago.', async t => {
  const by = identification()
  const credentials = new VerifiedCredentials()
  const poll = (index: number) =>
    credentials.userWith({ username: `reader ${index}`, password: 'pw' }, { by, ip: '::1', lasts: 1, now: 0 })
  for (let index = 0; index < 10_000; index++) await poll(index)
  // To be polled with is not to be looked at.
  for (let index = 0; index < 10_000; index++) t.is((await poll(index))?.username, `reader ${index}`)
  t.is(by.looks.length, 10_000)
  await poll(10_000)
  for (const index of [1, 9_999, 10_000]) await poll(index)
  t.is(by.looks.length, 10_001)
  await poll(0)
  t.is(by.looks.length, 10_002)
})

import test from 'ava'
import { DetachedUser, detachedUsers, permissionOrBasicAuth, sessionOrBasicAuth } from 'koa-strata'
import { newFeedToken } from '../../lib/feeds/tokens.ts'
import { heard } from '../heard.ts'
import { logIn } from '../users/app.ts'
import { basic, CHALLENGE } from './people.ts'
import { rawRequest } from './raw.ts'
import { conditional, PASSWORD, tokenSite } from './token-site.ts'

const UNKNOWN = newFeedToken()

test('B6: a token opens the feed in the address, and as the password of HTTP Basic beside the name or address of its owner.', async t => {
  const site = await tokenSite(t)
  const token = await site.token()
  const ask = (query: string, headers = {}) => site.browser().get(`/feed${query}`, headers)
  const answers = [
    await ask(`?token=${token}`),
    await ask(`?a=1&%74oken=${token}&b`),
    ...(await Promise.all(
      ['Ada', 'ada', 'ＡＤＡ', 'ada@example.org', 'ADA@Example.org'].map(name =>
        ask('', { authorization: basic(name, token) }),
      ),
    )),
  ]
  for (const answer of answers) {
    t.is(answer.status, 200)
    t.is(answer.text, 'Ada')
    t.deepEqual(answer.setCookies, [])
    t.is(answer.headers['www-authenticate'], undefined)
    t.is(answer.headers['cache-control'], 'private')
  }
  t.deepEqual(site.hidden, [])
})

test('B6: as the password beside another name a token opens nothing.', async t => {
  const site = await tokenSite(t)
  await site.people.create({ username: 'Bob' })
  const token = await site.token()
  for (const name of [
    'Bob',
    'bob',
    'nobody',
    '',
    'Ada ',
    ' Ada',
    'Adä',
    'sql:1',
    '1',
    'token',
    '__proto__',
    '\ud83d',
    'A'.repeat(5_000),
  ]) {
    const answer = await site.browser().get('/feed', { authorization: basic(name, token) })
    t.is(answer.status, 401, name)
    t.is(answer.headers['www-authenticate'], CHALLENGE)
  }
})

const STRANGE: Record<string, (token: string) => string> = {
  unknown: () => `?token=${UNKNOWN}`,
  empty: () => '?token=',
  'without a value': () => '?token',
  'shown twice': token => `?token=${token}&token=${token}`,
  'shown beside an empty one': token => `?token&token=${token}`,
  'cut off': token => `?token=${token.slice(0, -1)}`,
  'a letter longer': token => `?token=${token}A`,
  'in another case': token => `?token=${token.toUpperCase()}`,
  'with a space before it': token => `?token=%20${token}`,
  'with a line break behind it': token => `?token=${token}%0A`,
  'with NUL behind it': token => `?token=${token}%00`,
  'its random part alone': token => `?token=${token.slice(5)}`,
  'of 12,000 characters': () => `?token=feed_${'A'.repeat(12_000)}`,
  'shown 1,000 times': token => `?${`token=${token.slice(0, 4)}&`.repeat(1_000)}`,
}

for (const [what, query] of Object.entries(STRANGE)) {
  test(`B6: a token that is ${what} is 401 with the challenge, and stores nothing.`, async t => {
    const site = await tokenSite(t)
    const answer = await site.browser().get(`/feed${query(await site.token())}`)
    t.is(answer.status, 401)
    t.is(answer.headers['www-authenticate'], CHALLENGE)
    t.is(answer.headers['referrer-policy'], 'no-referrer')
    t.deepEqual(answer.setCookies, [])
    t.deepEqual(site.hidden, [])
    t.is((await site.tokens.list(site.ada))[0]!.lastUsedAt, null)
  })
}

test('B6: a token in a parameter of another name, a header or a cookie opens nothing and is nobody’s business.', async t => {
  const site = await tokenSite(t)
  const token = await site.token()
  for (const [query, headers] of [
    [`?tokens=${token}`, {}],
    [`?Token=${token}`, {}],
    [`?token[]=${token}`, {}],
    ['', { authorization: `Bearer ${token}` }],
    ['', { 'x-token': token }],
    ['', { cookie: `token=${token}; sid=${token}` }],
  ] as const) {
    const answer = await site.browser().get(`/feed${query}`, headers)
    t.is(answer.status, 401)
    t.is(answer.headers['referrer-policy'], undefined)
  }
})

test('B6: a token that is for some feeds opens these alone: elsewhere it is 403, and not used.', async t => {
  const site = await tokenSite(t, {
    feeds: {
      '/openings': { feed: 'openings' },
      '/letters': { feed: 'letters' },
      '/proto': { feed: '__proto__' },
      '/unnamed': {},
    },
  })
  const [all, one, proto] = [await site.token(), await site.token(['openings']), await site.token(['__proto__'])]
  const statuses = async (token: string) => {
    const found: Record<string, number> = {}
    for (const path of ['/openings', '/letters', '/proto', '/unnamed']) {
      const [url, header] = [
        await site.browser().get(`${path}?token=${token}`),
        await site.browser().get(path, { authorization: basic('Ada', token) }),
      ]
      t.is(url.status, header.status)
      found[path] = url.status
      if (url.status !== 403) continue
      t.is(url.text, 'This token is for other feeds.')
      t.is(url.headers['www-authenticate'], undefined)
    }
    return found
  }
  t.deepEqual(await statuses(all), { '/openings': 200, '/letters': 200, '/proto': 200, '/unnamed': 200 })
  t.deepEqual(await statuses(one), { '/openings': 200, '/letters': 403, '/proto': 403, '/unnamed': 403 })
  t.deepEqual(await statuses(proto), { '/openings': 403, '/letters': 403, '/proto': 200, '/unnamed': 403 })
  t.true(site.errors.some(({ code }) => code === 'FEED_TOKEN_OUT_OF_SCOPE'))
})

test('B6: a token that opens no feed here has not been used.', async t => {
  const site = await tokenSite(t, { feeds: { '/feed': { feed: 'openings' } } })
  const token = await site.token(['letters'])
  t.is((await site.browser().get(`/feed?token=${token}`)).status, 403)
  t.is((await site.tokens.list(site.ada))[0]!.lastUsedAt, null)
})

test('B6: a token holds until it is revoked, whatever becomes of the password; deactivated and deleted owners have none that does.', async t => {
  const site = await tokenSite(t)
  const { people, tokens, ada } = site
  const [token, other] = [await site.token(), await site.token()]
  const status = async (shown = token) => {
    const [url, header] = [
      await site.browser().get(`/feed?token=${shown}`),
      await site.browser().get('/feed', { authorization: basic('Ada', shown) }),
    ]
    t.is(url.status, header.status)
    return url.status
  }
  t.is(await status(), 200)
  await people.setPassword(ada.id, 'another pässwörd of Ada')
  t.is(await status(), 200)
  await people.setPassword(ada.id, null)
  t.is(await status(), 200)
  await people.deactivate(ada.id)
  t.is(await status(), 401)
  await people.activate(ada.id)
  t.is(await status(), 200)
  await tokens.revoke(ada, (await tokens.list(ada)).at(-1)!.id)
  t.deepEqual([await status(), await status(other)], [401, 200])
  await people.delete(ada.id)
  t.is(await status(other), 401)
})

test('B6: detached users have tokens where their backend loads them by id, and else these open nothing.', async t => {
  const id = 'uid=jdoe,ou=people/\u{1f600} '
  const identity = { id, permissions: ['reports.read'] }
  const owner = new DetachedUser({ backend: 'ldap', id })
  for (const [load, status] of [
    [async (asked: string) => (asked === id ? identity : null), 200],
    [undefined, 401],
  ] as const) {
    const backend = detachedUsers({ name: 'ldap', authenticate: async () => identity, ...(load && { load }) })
    const site = await tokenSite(t, { reports: { '/reports': {} }, backends: [backend] })
    const { token } = await site.tokens.create(owner, { name: 'a reader' })
    for (const path of ['/feed', '/reports']) {
      const [url, header] = [
        await site.browser().get(`${path}?token=${token}`),
        await site.browser().get(path, { authorization: basic(id, token) }),
      ]
      t.deepEqual([url.status, header.status], [status, status])
      if (status === 200) t.deepEqual([url.text, header.text], [id, id])
    }
  }
})

test('B6: the permissions of the owner are what a token has, as they are at each poll.', async t => {
  const site = await tokenSite(t, { reports: { '/reports': {} } })
  const token = await site.token()
  const status = async () => (await site.browser().get(`/reports?token=${token}`)).status
  t.is(await status(), 403)
  await site.people.grant(site.ada.id, 'reports.read')
  t.is(await status(), 200)
  await site.people.revoke(site.ada.id, 'reports.read')
  t.is(await status(), 403)
})

test('B6: a token makes no session, under `remember` neither, and its handler finds an empty one.', async t => {
  const site = await tokenSite(t, {
    feeds: { '/feed': {}, '/remembered': { remember: true } },
    handlers: Object.fromEntries(
      ['/feed', '/remembered'].map(path => [
        path,
        ({ session, state }) => {
          const found = { name: state.user.username, session: session.toJSON() }
          session.polls = 1
          return found
        },
      ]),
    ),
  })
  const token = await site.token()
  const anonymous = site.browser()
  await anonymous.get('/set?note=mine')
  for (const path of ['/feed', '/remembered']) {
    for (const browser of [site.browser(), anonymous]) {
      const cookie = browser.cookie
      for (const answer of [
        await browser.get(`${path}?token=${token}`),
        await browser.get(path, { authorization: basic('Ada', token) }),
      ]) {
        t.deepEqual(answer.json, { name: 'Ada', session: {} })
        t.deepEqual(answer.setCookies, [])
        t.is(browser.cookie, cookie)
      }
    }
  }
  t.deepEqual((await anonymous.get('/me')).json, { key: '', session: { note: 'mine' } })
  const control = await site.browser().get('/remembered', { authorization: basic('Ada', PASSWORD) })
  t.is(control.setCookies.length, 1, 'a password does make one there')
})

test('B6: a token opens feeds and nothing else: no login, no page, no guard without tokens.', async t => {
  const site = await tokenSite(t, { feeds: { '/feed': {}, '/closed': { tokens: undefined } } })
  const token = await site.token()
  t.is((await logIn(site.browser(), 'Ada', token)).status, 401)
  t.is((await site.browser().get(`/me?token=${token}`)).json.key, '')
  for (const answer of [
    await site.browser().get(`/closed?token=${token}`),
    await site.browser().get('/closed', { authorization: basic('Ada', token) }),
  ]) {
    t.is(answer.status, 401)
  }
  t.is((await site.browser().get(`/feed?token=${token}`)).status, 200)
})

test('B5: where https is required a token over plain http is 403 without a challenge, and nobody looks at it.', async t => {
  const site = await tokenSite(t, {
    feeds: { '/feed': { requireHttps: true } },
    place: ({ noteUse }) => ({ find: async () => t.fail() as never, noteUse: noteUse! }),
  })
  const token = await site.token()
  for (const answer of [
    await site.browser().get(`/feed?token=${token}`),
    await site.browser().get('/feed', { authorization: basic('Ada', token) }),
  ]) {
    t.is(answer.status, 403)
    t.is(answer.headers['www-authenticate'], undefined)
    t.is(answer.headers.location, undefined)
  }
})

test('B5: where a trusted proxy ends TLS, a token passes over https.', async t => {
  const site = await tokenSite(t, { feeds: { '/feed': { requireHttps: true } } })
  site.koa.proxy = true
  const path = `/feed?token=${await site.token()}`
  t.is((await site.browser().get(path, { 'x-forwarded-proto': 'https' })).status, 200)
  t.is((await site.browser().get(path, { 'x-forwarded-proto': 'http' })).status, 403)
})

test('B3: HEAD answers a token as GET does, and a conditional GET is looked at behind it.', async t => {
  const site = await tokenSite(t, { handlers: { '/feed': conditional } })
  const token = await site.token()
  const condition = { 'if-none-match': '"v1"' }
  for (const [query, status] of [
    [`?token=${token}`, 304],
    [`?token=${UNKNOWN}`, 401],
    ['', 401],
  ] as const) {
    for (const headers of [{}, condition]) {
      const get = await site.browser().get(`/feed${query}`, headers)
      const head = await site.browser().get(`/feed${query}`, headers, 'HEAD')
      t.is(get.status, status === 304 && headers !== condition ? 200 : status)
      t.is(head.status, get.status)
      t.is(head.text, '')
      t.deepEqual({ ...head.headers, date: '' }, { ...get.headers, date: '' })
      if (status === 401) t.is(get.headers.etag, undefined)
    }
  }
})

test('B6: two guards on one route are told the same token, whichever of them lets it in.', async t => {
  const { tokens, token, ada, people } = await tokenSite(t)
  const site = await tokenSite(t, {
    feeds: {},
    above: [
      sessionOrBasicAuth({ realm: 'Jobs', tokens }),
      permissionOrBasicAuth('reports.read', { realm: 'Jobs', tokens }),
    ],
    backends: [people],
    handlers: { '/feed': ctx => ctx.state.user.username },
  })
  await people.create({ username: 'Bob', password: PASSWORD })
  const bob = site.browser()
  const shown = await token()
  t.is((await bob.get(`/feed?token=${shown}`)).status, 403)
  await people.grant(ada.id, 'reports.read')
  t.is((await bob.get(`/feed?token=${shown}`)).text, 'Ada')
})

test('L5: where tokens cannot be looked up it is 503 with Retry-After, told by an event, and not 401.', async t => {
  const told = heard(t, 'koa-strata:backend-error')
  const failures: (() => Promise<never>)[] = [
    async () => {
      throw new Error('the table is away')
    },
    () => {
      throw new Error('the table is away')
    },
    () => Promise.reject('the table is away'),
  ]
  for (const find of failures) {
    const site = await tokenSite(t, { place: () => ({ find }) })
    for (const answer of [
      await site.browser().get(`/feed?token=${UNKNOWN}`),
      await site.browser().get('/feed', { authorization: basic('Ada', UNKNOWN) }),
    ]) {
      t.is(answer.status, 503)
      t.is(answer.headers['retry-after'], '2')
      t.is(answer.headers['www-authenticate'], undefined)
      t.is(answer.headers['cache-control'], 'private')
      t.notRegex(answer.text, /table|feed_/)
    }
    t.is((await site.browser().get('/feed', { authorization: basic('Ada', PASSWORD) })).status, 200)
  }
  t.is(told.filter(({ backend, error }) => backend === 'feedTokens' && /away/.test(String(error))).length, 6)
})

const NO_TOKENS: Record<string, unknown> = {
  'the feeds as text': { id: '1', user: { backend: 'sql', id: '1' }, feeds: 'openings' },
  'no feeds': { id: '1', user: { backend: 'sql', id: '1' } },
  'no user': { id: '1', feeds: null },
  true: true,
}

for (const [what, found] of Object.entries(NO_TOKENS)) {
  test(`B6: a place of tokens that answers ${what} lets nobody in, and is told of its mistake.`, async t => {
    const site = await tokenSite(t, {
      place: () => ({ find: async () => found as never }),
      feeds: { '/feed': { feed: 'open' } },
    })
    t.is((await site.browser().get(`/feed?token=${UNKNOWN}`)).status, 500)
    t.is(site.errors[0]?.code, 'BACKEND_INVALID')
  })
}

test('B6: a token for feeds that are no names opens none, one without a name neither.', async t => {
  const found = { id: '1', user: { backend: 'sql', id: '1' }, feeds: [undefined, null, ''] as never }
  const site = await tokenSite(t, { place: () => ({ find: async () => found }) })
  t.is((await site.browser().get(`/feed?token=${UNKNOWN}`)).status, 403)
})

for (const [what, user] of Object.entries({
  'a backend that is not there': { backend: 'gone', id: '1' },
  'an id that nobody has': { backend: 'sql', id: '999' },
  'an id that is none': { backend: 'sql', id: '__proto__' },
  'a backend called as what every object has': { backend: 'constructor', id: '1' },
})) {
  test(`B6: a token of ${what} is 401.`, async t => {
    const site = await tokenSite(t, { place: () => ({ find: async () => ({ id: '1', user, feeds: null }) }) })
    t.is((await site.browser().get(`/feed?token=${UNKNOWN}`)).status, 401)
  })
}

test('B6: a use that cannot be noted fails no poll, and is told by an event.', async t => {
  const told = heard(t, 'koa-strata:backend-error')
  const failure = new Error('read only')
  for (const noteUse of [
    () => Promise.reject(failure),
    () => {
      throw failure
    },
  ]) {
    const site = await tokenSite(t, { place: tokens => ({ find: tokens.find, noteUse }) })
    t.is((await site.browser().get(`/feed?token=${await site.token()}`)).text, 'Ada')
  }
  t.is(told.filter(({ backend, error }) => backend === 'feedTokens' && error === failure).length, 2)
})

test('B6: a place of tokens need not note their use, and one that is an object of a class is called as such.', async t => {
  class Place {
    readonly uses: string[] = []
    readonly #found = { id: 'x', user: { backend: 'sql', id: '1' }, feeds: null }
    async find() {
      return this.#found
    }
    async noteUse(id: string) {
      this.uses.push(id)
    }
  }
  const place = new Place()
  const noting = await tokenSite(t, { place: () => place })
  const silent = await tokenSite(t, { place: ({ find }) => ({ find }) })
  t.is((await noting.browser().get(`/feed?token=${UNKNOWN}`)).text, 'Ada')
  t.is((await silent.browser().get(`/feed?token=${await silent.token()}`)).text, 'Ada')
  t.deepEqual(place.uses, ['x'])
})

test('B2: a token in the address counts beside two Authorization headers, and one in two of them does not.', async t => {
  const site = await tokenSite(t)
  const token = await site.token()
  const line = `Authorization: ${basic('Ada', token)}`
  t.is((await rawRequest(site.port, '/feed', [line])).status, 200)
  t.is((await rawRequest(site.port, '/feed', [line, line])).status, 401)
  t.is((await rawRequest(site.port, `/feed?token=${token}`, [line, line])).status, 200)
  t.is((await rawRequest(site.port, `http://jobs.example/feed?token=${token}`, [])).status, 200)
})

test('A password that only looks like a token is a password where the guard takes none.', async t => {
  const site = await tokenSite(t, { feeds: { '/feed': {}, '/plain': { tokens: undefined } } })
  await site.people.setPassword(site.ada.id, UNKNOWN)
  const authorization = basic('Ada', UNKNOWN)
  t.is((await site.browser().get('/plain', { authorization })).status, 200)
  t.is((await site.browser().get('/feed', { authorization })).status, 401)
})

const find = async () => null
for (const [what, given, option] of [
  ['tokens: null', { tokens: null }, 'tokens'],
  ['tokens without find()', { tokens: {} }, 'tokens'],
  ['tokens as a function', { tokens: find }, 'tokens'],
  ['a noteUse that is no function', { tokens: { find, noteUse: true } }, 'tokens.noteUse'],
  ['an empty feed', { tokens: { find }, feed: '' }, 'feed'],
  ['a feed with a space', { tokens: { find }, feed: 'a b' }, 'feed'],
  ['a feed of 65 characters', { tokens: { find }, feed: 'x'.repeat(65) }, 'feed'],
  ['a feed that is no text', { tokens: { find }, feed: ['a'] }, 'feed'],
  ['a feed, and no tokens', { feed: 'openings' }, 'feed'],
] as const) {
  test(`A guard with ${what} is an error at construction that names '${option}'.`, t => {
    for (const make of [sessionOrBasicAuth, permissionOrBasicAuth.bind(null, 'reports.read')]) {
      t.like(
        t.throws(() => make({ realm: 'Jobs', ...given } as never)),
        { code: 'OPTION_INVALID', option },
      )
    }
  })
}

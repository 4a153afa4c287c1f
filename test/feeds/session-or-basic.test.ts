import { createHash } from 'node:crypto'
import type { RouterMiddleware } from '@koa/router'
import test from 'ava'
import type { Middleware } from 'koa'
import { memoryStore, permissionOrBasicAuth, requireProfile, sessionOrBasicAuth } from 'koa-strata'
import { startApp, type TestContext } from '../sessions/app.ts'
import { basic, CHALLENGE, fieldsOf, jobsFeed, RIGHT } from './people.ts'
import { rawRequest } from './raw.ts'

function options(guard: (given: object) => unknown) {
  return (what: string, given: object, named: string) =>
    test(`An option that is wrong is an error at construction that names it: ${what}`, t => {
      t.throws(() => guard(given), {
        code: 'OPTION_INVALID',
        message: new RegExp(`OrBasicAuth\\(\\): option '${named}'`),
      })
    })
}

const wrong = options(given => sessionOrBasicAuth(given as never))
wrong('no realm', {}, 'realm')
wrong('a realm with a line break', { realm: 'a\nb' }, 'realm')
wrong('requireHttps as text', { realm: 'Jobs', requireHttps: 'yes' }, 'requireHttps')
wrong('remember as a number', { realm: 'Jobs', remember: 1 }, 'remember')
wrong('an option that is unknown', { realm: 'Jobs', Realm: 'Jobs' }, 'Realm')
wrong('options as a list', [], 'options')
wrong('options as null', null as never, 'options')
const wrongPermission = options(given => permissionOrBasicAuth((given as { p: string }).p, { realm: 'Jobs' }))
wrongPermission('an empty permission', { p: '' }, 'permission')
wrongPermission('a permission that is no text', { p: ['a'] }, 'permission')

test('The guards say which layer is missing', async t => {
  const app = await startApp(t, { layers: [sessionOrBasicAuth({ realm: 'Jobs' }) as Middleware] })
  t.is((await app.browser().get('/')).status, 500)
  t.is(app.errors[0]?.code, 'LAYER_MISSING')
  t.regex(app.errors[0]!.message, /^sessionOrBasicAuth\(\) needs ctx\.state\.user\. Add app\.use\(users/)
})

test('B1: a request without credentials gets 401 with the challenge, in every method', async t => {
  const { browser } = await jobsFeed(t)
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await browser().get('/feed', {}, method)
    t.is(answer.status, 401, method)
    t.is(answer.headers['www-authenticate'], CHALLENGE, method)
  }
})

test('B1: the realm in the challenge is quoted and escaped', async t => {
  const { browser } = await jobsFeed(t, { guard: sessionOrBasicAuth({ realm: 'The "new" \\ jobs' }) })
  const answer = await browser().get('/feed')
  t.is(answer.headers['www-authenticate'], 'Basic realm="The \\"new\\" \\\\ jobs", charset="UTF-8"')
})

test("B1: an application's own error page keeps the challenge and what caches must know", async t => {
  const outside: Middleware = async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      ctx.status = (error as { status: number }).status
      ctx.body = 'our own page'
    }
  }
  const { browser } = await jobsFeed(t, { outside: [outside] })
  const answer = await browser().get('/feed', { authorization: 'Basic nonsense' })
  t.is(answer.text, 'our own page')
  t.is(answer.status, 401)
  t.is(answer.headers['www-authenticate'], CHALLENGE)
  t.is(answer.headers['cache-control'], 'private')
  t.deepEqual(fieldsOf(answer.headers.vary), ['authorization', 'cookie'])
})

for (const [what, header, name] of [
  ['a user name and a password in UTF-8', basic('zoë', 'pässwörd☃'), 'zoë'],
  ['an e-mail address', basic('zoe@example.org', 'pässwörd☃'), 'zoë'],
  ['a password in Latin-1', basic('latin', 'pässwörd', 'latin1'), 'latin'],
] as const) {
  test(`B1: the feed opens for ${what}`, async t => {
    const { browser, hidden } = await jobsFeed(t)
    const answer = await browser().get('/feed', { authorization: header })
    t.is(answer.status, 200)
    t.is(answer.text, name)
    t.is(answer.headers['www-authenticate'], undefined)
    t.deepEqual(hidden, [])
  })
}

const line = (value: string | Buffer) => [Buffer.concat([Buffer.from('Authorization: '), Buffer.from(value)])]
const token = (bytes: string | number[]) => Buffer.from(bytes as string).toString('base64')

const REFUSED: Record<string, Buffer[]> = {
  'no header': [],
  'an empty header': line(''),
  'a header of spaces': line('      '),
  'the scheme alone': line('Basic'),
  'a tab behind the scheme': line(`Basic\t${RIGHT.slice(6)}`),
  'another scheme': line('Bearer abc'),
  'another scheme with the right token': line(RIGHT.replace('Basic', 'Bearer')),
  Digest: line('Digest username="Aladdin", realm="Jobs", nonce="", uri="/feed", response=""'),
  'bad base64': line('Basic %%%%'),
  'base64 that stops early': line(RIGHT.slice(0, -4)),
  'trailing garbage': line(`${RIGHT} x`),
  'trailing garbage behind a comma': line(`${RIGHT}, x`),
  'a character more in the token': line(`${RIGHT.slice(0, -2)}A==`),
  'too much padding': line(`${RIGHT}=`),
  'padding in the middle': line('Basic QWxhZGRpbg==OnBhc3M='),
  'no colon': line(`Basic ${token('Aladdin')}`),
  'an empty name': line(`Basic ${token(':open sesame')}`),
  'an empty password': line(`Basic ${token('Aladdin:')}`),
  'a colon alone': line(`Basic ${token(':')}`),
  'NUL behind the password': line(`Basic ${token('Aladdin:open sesame\0')}`),
  'a line break behind the name': line(`Basic ${token('Aladdin\r\n:open sesame')}`),
  'a control character above ASCII': line(`Basic ${token('Aladdin:open sesame\u0080')}`),
  'wrong UTF-8 that Latin-1 rescues': line(`Basic ${token([0x61, 0x3a, 0xff, 0xfe])}`),
  'wrong UTF-8 that Latin-1 does not rescue': line(`Basic ${token([0x61, 0x3a, 0xff, 0x80])}`),
  'a space behind the name': line(basic('Aladdin ', 'open sesame')),
  'a space behind the password': line(basic('Aladdin', 'open sesame ')),
  'the name in another case': line(basic('aladdin', 'open sesame')),
  'a wrong password': line(basic('Aladdin', 'close sesame')),
  'an unknown name': line(basic('Jafar', 'open sesame')),
  'an inactive user': line(basic('asleep', 'asleep pw')),
  'a user whom the backend denies': line(basic('denied', 'x')),
  'bytes above ASCII in the header': line(Buffer.from([0x42, 0x61, 0x73, 0x69, 0x63, 0x20, 0xff, 0xfe, 0xe2, 0x98])),
  'UTF-8 in the header': line('Basic ☃'),
  'two right headers': [...line(RIGHT), ...line(RIGHT)],
  'a right header and a wrong one': [...line(RIGHT), ...line(basic('Aladdin', 'x'))],
  'a wrong header and a right one': [...line('Bearer x'), ...line(RIGHT)],
  'an empty header and a right one': [...line(''), ...line(RIGHT)],
  '12,000 characters of password': line(basic('Aladdin', 'x'.repeat(9_000))),
  '15,000 characters that are no base64': line(`Basic ${'-'.repeat(15_000)}`),
  'names of what every object has': line(basic('__proto__', 'constructor')),
}

for (const [what, lines] of Object.entries(REFUSED)) {
  test(`B2: ${what}: 401 with the challenge, no cookie, nothing stored`, async t => {
    const { port, store, hidden } = await jobsFeed(t)
    const answer = await rawRequest(port, '/feed', lines)
    t.is(answer.status, 401)
    t.true(answer.head.includes(`\r\nWWW-Authenticate: ${CHALLENGE}\r\n`))
    t.regex(answer.head, /\r\nCache-Control: private\r\n/i)
    t.notRegex(answer.head, /set-cookie/i)
    t.deepEqual(hidden, [])
    t.deepEqual(store.calls, [])
  })
}

test('B2: a header beyond what Node reads is 431, and the feed goes on', async t => {
  const { port, browser, asked } = await jobsFeed(t)
  t.is((await rawRequest(port, '/feed', line(`Basic ${'A'.repeat(100_000)}`))).status, 431)
  t.deepEqual(asked, [])
  t.is((await browser().get('/feed', { authorization: RIGHT })).status, 200)
})

test('B2: empty and unreadable credentials never reach a backend', async t => {
  const { browser, asked } = await jobsFeed(t)
  for (const authorization of [basic('', 'x'), basic('x', ''), basic('a\0', 'x'), 'Basic %', 'Bearer x']) {
    t.is((await browser().get('/feed', { authorization })).status, 401)
  }
  t.deepEqual(asked, [])
})

test('an unknown name, a wrong password, an inactive and a denied user get the same status, body and headers', async t => {
  const { browser } = await jobsFeed(t)
  const answers = []
  for (const [name, password] of [
    ['Aladdin', 'wrong'],
    ['nobody', 'wrong'],
    ['asleep', 'asleep pw'],
    ['denied', 'x'],
  ] as const) {
    const { status, headers, text } = await browser().get('/feed', { authorization: basic(name, password) })
    answers.push({ status, text, headers: { ...headers, date: '' } })
  }
  const [first, ...others] = answers
  t.is(first?.status, 401)
  for (const other of others) t.deepEqual(other, first)
})

test('L5: a backend that is broken is 503 with Retry-After and without a challenge, not a wrong password', async t => {
  const { browser } = await jobsFeed(t)
  const answer = await browser().get('/feed', { authorization: basic('broken', 'x') })
  t.is(answer.status, 503)
  t.is(answer.headers['retry-after'], '2')
  t.is(answer.headers['www-authenticate'], undefined)
  t.is(answer.headers['cache-control'], 'private')
  t.notRegex(answer.text, /directory/)
})

test('A session that passes costs no look at the credentials', async t => {
  const { browser, asked } = await jobsFeed(t)
  const somebody = browser()
  await somebody.get('/login/plain')
  t.is((await somebody.get('/feed', { authorization: basic('broken', 'x') })).text, 'plain')
  t.deepEqual(asked, [])
})

test('remember: true makes a session of right credentials, and of no others', async t => {
  const { browser, store } = await jobsFeed(t, { guard: sessionOrBasicAuth({ realm: 'Jobs', remember: true }) })
  const reader = browser()
  t.is((await reader.get('/feed', { authorization: basic('Aladdin', 'wrong') })).status, 401)
  t.deepEqual(store.calls, [])
  const first = await reader.get('/feed', { authorization: RIGHT })
  t.is(first.text, 'Aladdin')
  t.is(first.setCookies.length, 1)
  t.is(first.headers['cache-control'], 'private')
  const next = await reader.get('/feed')
  t.is(next.text, 'Aladdin')
  t.deepEqual(next.setCookies, [])
  t.is((await reader.get('/me')).json.name, 'Aladdin')
})

test('remember: true with the permission missing makes no session', async t => {
  const guard = permissionOrBasicAuth('reports.read', { realm: 'Jobs', remember: true })
  const { browser } = await jobsFeed(t, { guard })
  const answer = await browser().get('/feed', { authorization: basic('plain', 'plain pw') })
  t.is(answer.status, 403)
  t.deepEqual(answer.setCookies, [])
})

test("remember: true gives another user's session up: new id, no data of theirs", async t => {
  const guard = permissionOrBasicAuth('reports.read', { realm: 'Jobs', remember: true })
  const { browser } = await jobsFeed(t, { guard })
  const somebody = browser()
  await somebody.get('/login/plain')
  const before = somebody.copy()
  t.is((await somebody.get('/feed', { authorization: basic('chief', 'chief pw') })).text, 'chief')
  t.not(somebody.cookie, before.cookie)
  t.deepEqual((await somebody.get('/me')).json, { name: 'chief', note: null })
  t.deepEqual((await before.get('/me')).json, { name: '', note: null })
})

test('A Basic user has the profile that a session user has, and requireProfile lets them pass', async t => {
  const employees = requireProfile('employee') as unknown as RouterMiddleware
  const { browser } = await jobsFeed(t, {
    handler: ctx => JSON.stringify([ctx.state.user.isEmployee, ctx.state.user.profile]),
    routes: router => {
      router.get('/skills', sessionOrBasicAuth({ realm: 'Jobs' }) as unknown as RouterMiddleware, employees, ctx => {
        ctx.body = ctx.state.user.profile.skills
      })
    },
  })
  const somebody = browser()
  await somebody.get('/login/zo%C3%AB')
  const authorization = basic('zoe@example.org', 'pässwörd☃')
  for (const answer of [await browser().get('/feed', { authorization }), await somebody.get('/feed')]) {
    t.deepEqual(answer.json, [true, { skills: ['snow'] }])
  }
  t.deepEqual((await browser().get('/skills', { authorization })).json, ['snow'])
  t.is((await browser().get('/skills', { authorization: RIGHT })).status, 403)
  t.deepEqual((await browser().get('/feed', { authorization: RIGHT })).json, [false, null])
})

test('Two guards on one route let the Basic user through both', async t => {
  const { browser } = await jobsFeed(t, {
    routes: router => {
      router.get(
        '/both',
        sessionOrBasicAuth({ realm: 'Jobs' }) as unknown as RouterMiddleware,
        permissionOrBasicAuth('reports.read', { realm: 'Reports' }) as unknown as RouterMiddleware,
        ctx => {
          ctx.body = ctx.state.user.username
        },
      )
    },
  })
  t.is((await browser().get('/both', { authorization: basic('chief', 'chief pw') })).text, 'chief')
  t.is((await browser().get('/both', { authorization: basic('plain', 'plain pw') })).status, 403)
})

test("A router's own answer to OPTIONS needs no credentials and shows nothing", async t => {
  const { browser } = await jobsFeed(t, {
    guard: undefined,
    routes: router => {
      router.get('/jobs', sessionOrBasicAuth({ realm: 'Jobs' }) as unknown as RouterMiddleware, ctx => {
        ctx.body = 'jobs'
      })
      router.use(router.allowedMethods())
    },
  })
  const answer = await browser().get('/jobs', {}, 'OPTIONS')
  t.true([200, 404].includes(answer.status))
  t.notRegex(answer.text, /jobs/)
})

test('A POST behind the guard reads its body after the login, and is refused without reading it', async t => {
  let read = 0
  const handler = async (ctx: TestContext) => {
    const sum = createHash('sha256')
    for await (const chunk of ctx.req) {
      read += chunk.length
      sum.update(chunk)
    }
    return sum.digest('hex')
  }
  const { port } = await jobsFeed(t, { handler })
  const body = 'x'.repeat(300_000)
  const post = (authorization: string) =>
    fetch(`http://127.0.0.1:${port}/feed`, { method: 'POST', body, headers: { authorization } })
  const refused = await post(basic('Aladdin', 'wrong'))
  t.is(refused.status, 401)
  t.is(read, 0)
  const passed = await post(RIGHT)
  t.is(await passed.text(), createHash('sha256').update(body).digest('hex'))
})

test('while the store is down, a poll without a cookie is served, and one with a cookie gets 503', async t => {
  const working = memoryStore()
  let down = false
  const store = {
    ...working,
    read: async (id: string) => {
      if (down) throw new Error('down')
      return working.read(id)
    },
  }
  for (const [onUnavailable, status] of [
    ['fail', 503],
    ['anonymous', 200],
  ] as const) {
    const { browser } = await jobsFeed(t, { store, onUnavailable, handler: ctx => ctx.state.user.username })
    const somebody = browser()
    down = false
    await somebody.get('/login/plain')
    down = true
    t.is((await browser().get('/feed', { authorization: RIGHT })).status, 200)
    t.is((await browser().get('/feed')).status, 401)
    const answer = await somebody.get('/feed', { authorization: RIGHT })
    t.is(answer.status, status)
    t.deepEqual(answer.setCookies, [])
    if (status === 503) t.is(answer.headers['retry-after'], '2')
    else t.is(answer.text, 'Aladdin')
    down = false
    t.is((await somebody.get('/feed')).text, 'plain')
  }
})

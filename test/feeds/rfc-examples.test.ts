import type { RouterMiddleware } from '@koa/router'
import test from 'ava'
import { permissionOrBasicAuth, sessionOrBasicAuth } from 'koa-strata'
import { basicChallenge } from '../../lib/feeds/basic.ts'
import { basic, CHALLENGE, type FeedApp, jobsFeed, RIGHT } from './people.ts'
import { rawRequest } from './raw.ts'

/** The status, and what is answered or asked for. */
async function ask({ browser }: FeedApp, authorization?: string, path = '/feed') {
  const { status, text, headers } = await browser().get(path, authorization === undefined ? {} : { authorization })
  return status === 200 ? { status, name: text } : { status, challenge: headers['www-authenticate'] }
}

test('B1: RFC 7617 §2: the realm "WallyWorld" is asked for by name, and Aladdin’s "open sesame" opens it.', async t => {
  const feed = await jobsFeed(t, { guard: sessionOrBasicAuth({ realm: 'WallyWorld' }) })
  t.deepEqual(await ask(feed), { status: 401, challenge: 'Basic realm="WallyWorld", charset="UTF-8"' })
  t.deepEqual(await ask(feed, 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), { status: 200, name: 'Aladdin' })
})

test('B1: RFC 7617 §2.1: the realm "foo" says that it reads UTF-8, and the user "test" with the password "123£" comes in.', async t => {
  const feed = await jobsFeed(t, { guard: sessionOrBasicAuth({ realm: 'foo' }) })
  t.deepEqual(await ask(feed), { status: 401, challenge: 'Basic realm="foo", charset="UTF-8"' })
  t.deepEqual(await ask(feed, 'Basic dGVzdDoxMjPCow=='), { status: 200, name: 'test' })
})

test('B1: RFC 7617 §2: the first colon ends the user-id, and what follows it is the password, colons and all.', async t => {
  const feed = await jobsFeed(t)
  t.like(await ask(feed, basic('colon', 'a:b::c')), { status: 200, name: 'colon' })
  t.like(await ask(feed, basic('colon', 'a:b')), { status: 401 })
})

test('B2: RFC 7617 §2: a user-id or a password with a control character is not taken.', async t => {
  const feed = await jobsFeed(t)
  for (const control of ['\0', '\u0007', '\r\n', '\u007f']) {
    t.like(await ask(feed, basic(`Aladdin${control}`, 'open sesame')), { status: 401 })
    t.like(await ask(feed, basic('Aladdin', `open sesame${control}`)), { status: 401 })
  }
})

test('B1: RFC 7617 §2.2: credentials that come before they were asked for are taken.', async t => {
  t.deepEqual(await ask(await jobsFeed(t), RIGHT), { status: 200, name: 'Aladdin' })
})

test('B1: RFC 9110 §11.1: the name of the scheme may be written in any case.', async t => {
  const feed = await jobsFeed(t)
  for (const scheme of ['Basic', 'basic', 'BASIC', 'bAsIc']) {
    t.like(await ask(feed, RIGHT.replace('Basic', scheme)), { status: 200 })
  }
})

test('B2: RFC 9110 §11.2: credentials of Basic are one token68, with spaces before it and no parameters.', async t => {
  const feed = await jobsFeed(t)
  t.like(await ask(feed, RIGHT.replace(' ', '   ')), { status: 200 })
  for (const header of [
    `${RIGHT}, realm="Jobs"`,
    RIGHT.replace(' ', ', '),
    'Basic realm="Jobs"',
    RIGHT.replace(' ', '\t'),
  ]) {
    t.like(await ask(feed, header), { status: 401 })
  }
})

test('B1: RFC 9110 §11.3: a 401 has one challenge, whatever was wrong with the credentials.', async t => {
  const feed = await jobsFeed(t)
  for (const header of [
    undefined,
    '',
    'Basic',
    basic('Aladdin', 'wrong'),
    basic('nobody', 'x'),
    'Bearer x',
    'Newauth a=b',
  ]) {
    t.deepEqual(await ask(feed, header), { status: 401, challenge: CHALLENGE })
  }
})

test('B1: RFC 9110 §11.4: right credentials that do not suffice are 403, and none are asked for in their place.', async t => {
  const feed = await jobsFeed(t, { guard: permissionOrBasicAuth('reports.read', { realm: 'Jobs' }) })
  t.deepEqual(await ask(feed, basic('plain', 'plain pw')), { status: 403, challenge: undefined })
})

test('B1: RFC 9110 §11.5 and §5.6.4: the realm is a quoted-string, in which quotes and backslashes are escaped and nothing else.', t => {
  t.is(basicChallenge('x()', 'Login to "apps"'), 'Basic realm="Login to \\"apps\\"", charset="UTF-8"')
  t.is(basicChallenge('x()', 'C:\\feeds'), 'Basic realm="C:\\\\feeds", charset="UTF-8"')
  for (let code = 0x20; code <= 0x7e; code++) {
    const realm = `a${String.fromCharCode(code)}b`
    const [, quoted] = /^Basic realm="((?:[^"\\]|\\.)*)", charset="UTF-8"$/.exec(basicChallenge('x()', realm)) ?? []
    t.is(quoted?.replace(/\\(.)/g, '$1'), realm)
    t.is(quoted?.length, realm.length + Number('"\\'.includes(realm[1]!)))
  }
})

test('B1: RFC 9110 §11.6.1: each 401 has a WWW-Authenticate, in one line with one challenge, and no other answer has.', async t => {
  const { port } = await jobsFeed(t)
  for (const [status, lines] of [
    [401, []],
    [401, ['Authorization: Newauth realm="apps", type=1, title="Login to \\"apps\\""']],
    [200, [`Authorization: ${RIGHT}`]],
    [503, [`Authorization: ${basic('broken', 'x')}`]],
  ] as [number, string[]][]) {
    const answer = await rawRequest(port, '/feed', lines)
    const challenges = answer.head.split('\r\n').filter(line => /^www-authenticate:/i.test(line))
    t.is(answer.status, status)
    t.deepEqual(challenges, status === 401 ? [`WWW-Authenticate: ${CHALLENGE}`] : [])
  }
})

test('B1: RFC 9110 §11.6.2: credentials that are right for a realm are right for each feed of it.', async t => {
  const feed = await jobsFeed(t, {
    routes: router => {
      router.get('/letters', sessionOrBasicAuth({ realm: 'Jobs' }) as unknown as RouterMiddleware, ctx => {
        ctx.body = ctx.state.user.username
      })
    },
  })
  t.like(await ask(feed, RIGHT), { status: 200 })
  t.deepEqual(await ask(feed, RIGHT, '/letters'), { status: 200, name: 'Aladdin' })
})

test('B2: RFC 9110 §11.6.2 and §5.3: Authorization is no list, and two of them, in one line or two, are not taken.', async t => {
  const { port } = await jobsFeed(t)
  const line = `Authorization: ${RIGHT}`
  for (const lines of [
    [line, line],
    [`${line}, ${RIGHT}`],
    [line, 'Authorization: Bearer x'],
    ['Authorization:', line],
  ]) {
    t.is((await rawRequest(port, '/feed', lines)).status, 401)
  }
  t.is((await rawRequest(port, '/feed', [line])).status, 200)
})

test('C7: RFC 9111 §3.5: nothing in an answer to an Authorization lets a shared cache keep it, whatever the handler says.', async t => {
  for (const said of ['public', 's-maxage=60', 'must-revalidate, max-age=60', 'public, s-maxage=60, must-revalidate']) {
    const { browser } = await jobsFeed(t, {
      handler: ctx => {
        ctx.set('Cache-Control', said)
        return 'feed'
      },
    })
    const control = (await browser().get('/feed', { authorization: RIGHT })).headers['cache-control']!
    t.regex(control, /(^|, )private(,|$)/)
    t.notRegex(control, /public|s-maxage/)
  }
})

import { randomBytes } from 'node:crypto'
import test from 'ava'
import { PEOPLE } from './example.ts'
import { basic, poll, startLibrary, Visitor } from './test-library.ts'

const CHALLENGE = 'Basic realm="Tool library", charset="UTF-8"'

test('The feed opens by a session, by a password that is not ASCII, and by a token in the address or as the password; else it is 401.', async t => {
  const site = await startLibrary(t)
  const ask = (query = '', headers: Record<string, string> = {}) =>
    fetch(`${site.origin}/loans.atom${query}`, { headers })
  const ines = await Visitor.loggedIn(site, 'ines')
  const token = await ines.newToken('My reader')
  for (const response of [
    await ask('', ines.headers),
    await ask('', basic('ines', PEOPLE.ines!)),
    await ask(`?token=${token}`),
    await ask('', basic('ines', token)),
  ]) {
    t.is(response.status, 200)
    t.is(response.headers.get('cache-control'), 'private, no-cache')
    t.deepEqual(response.headers.getSetCookie(), [])
    const text = await response.text()
    t.regex(text, /Tile cutter: due back 2026-12-03/)
    t.notRegex(text, /Sewing machine/, 'that is lent to somebody else')
  }
  for (const response of [
    await ask(),
    await ask('', basic('ines', 'wrong')),
    await ask(`?token=feed_${randomBytes(32).toString('base64url')}`),
    await ask(`?token=${token}&token=${token}`),
    await ask('', basic('grace', token)),
  ]) {
    t.is(response.status, 401)
    t.is(response.headers.get('www-authenticate'), CHALLENGE)
    t.notRegex(await response.text(), /Tile cutter/)
  }
})

test('B6: a token is shown once, opens the feed and no page, and is listed with its last use.', async t => {
  const site = await startLibrary(t)
  const ines = await Visitor.loggedIn(site, 'ines')
  const token = await ines.newToken('  newsboat & co ')
  const listed = async () =>
    /<bdi>newsboat &#38; co<\/bdi><small>made [^,]+, \d{4}<\/time>, ([^<]+)/.exec((await ines.ask('/feeds')).text)![1]
  t.false((await ines.ask('/feeds')).text.includes(token))
  t.is(await listed(), 'never used')
  const { headers } = await fetch(`${site.origin}/loans.atom?token=${token}`)
  t.is(headers.get('referrer-policy'), 'no-referrer')
  t.regex((await listed())!, /^last used/)
  for (const path of ['/loans', '/feeds']) {
    const { status } = await fetch(`${site.origin}${path}?token=${token}`, { redirect: 'manual' })
    t.is(status, 303, 'to the login page')
  }
  const login = await fetch(`${site.origin}/login`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'ines', password: token }),
  })
  t.is(login.status, 401)
})

test('B6: a token that was revoked opens nothing more; nobody revokes or sees the tokens of others.', async t => {
  const site = await startLibrary(t)
  const [ines, grace] = [await Visitor.loggedIn(site, 'ines'), await Visitor.loggedIn(site, 'grace')]
  const [first, second] = [await ines.newToken('on the laptop'), await ines.newToken('on the phone')]
  const read = async (token: string) => (await poll(`${site.origin}/loans.atom?token=${token}`)).status
  const revocation = await ines.revocationOf('on the laptop')
  t.notRegex((await grace.ask('/feeds')).text, /on the laptop|on the phone/)
  t.is((await grace.ask(revocation, {})).status, 404)
  t.is((await fetch(site.origin + revocation, { method: 'POST' })).status, 401)
  t.is(await read(first), 200)
  t.is((await ines.ask(revocation, {})).status, 303)
  t.deepEqual([await read(first), await read(second)], [401, 200])
  t.is((await ines.ask(revocation, {})).status, 404)
})

test('A token without a name is not made, and the page says why.', async t => {
  const site = await startLibrary(t)
  const ines = await Visitor.loggedIn(site, 'ines')
  for (const name of ['', '  ', 'x'.repeat(151)]) {
    const { status, text } = await ines.ask('/feeds/tokens', { name })
    t.is(status, 422)
    t.regex(text, /<p role="alert">Please give it a name/)
    t.regex(text, /You have none/)
  }
})

test('C7: the feed for everybody is kept by nginx, which serves it while the app is down; the private one never is.', async t => {
  const site = await startLibrary(t)
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(site.origin + path, { headers })
    return [response.status, response.headers.get('x-cache')]
  }
  const right = basic('ines', PEOPLE.ines!)
  t.deepEqual(await ask('/tools.atom'), [200, 'MISS'])
  t.deepEqual(await ask('/tools.atom'), [200, 'HIT'])
  t.deepEqual(await ask('/loans.atom', right), [200, null])
  t.deepEqual(await ask('/loans.atom'), [401, 'MISS'])
  t.deepEqual(await ask('/loans.atom'), [401, 'MISS'])
  t.deepEqual(await ask('/tools.atom', right), [200, null], 'who shows who they are is answered by the app')
  site.stopApp()
  t.deepEqual(await ask('/tools.atom'), [200, 'HIT'])
  t.deepEqual(await ask('/loans.atom', right), [502, null])
})

test('B3: a reader that has the newest is told so by 304, after its credentials were looked at.', async t => {
  const { origin } = await startLibrary(t)
  const ask = (headers: Record<string, string>) => poll(`${origin}/loans.atom`, headers)
  const right = basic('ines', PEOPLE.ines!)
  const condition = { 'if-none-match': (await ask(right)).headers.etag! }
  t.is((await ask({ ...right, ...condition })).status, 304)
  t.is((await ask({ ...basic('ines', 'wrong'), ...condition })).status, 401)
  t.is((await ask({ ...basic('grace', PEOPLE.grace!), ...condition })).status, 200)
  t.is((await ask(condition)).status, 401)
})

test('B3: the control: where nginx may keep what it asks for, no reader is told that it has the newest, and still nothing is kept.', async t => {
  const { origin } = await startLibrary(t, {
    adapt: configuration => configuration.replace('proxy_cache $tool_library_cache;', 'proxy_cache tool-library;'),
  })
  const right = basic('ines', PEOPLE.ines!)
  const first = await poll(`${origin}/loans.atom`, right)
  t.is(first.headers['x-cache'], 'MISS')
  const again = await poll(`${origin}/loans.atom`, { ...right, 'if-none-match': first.headers.etag! })
  t.deepEqual([again.status, again.headers['x-cache']], [200, 'MISS'])
  t.is((await poll(`${origin}/loans.atom`)).status, 401)
})

test('The app believes nginx, which takes nothing from a client of what it tells the app.', async t => {
  const { origin, lines } = await startLibrary(t)
  const forged = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
  await fetch(`${origin}/tools.atom`, { headers: { ...forged, cookie: 'a=b' } })
  t.is(lines.at(-1), '127.0.0.1 GET /tools.atom 200')
  const login = (from: string) =>
    fetch(`${origin}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...forged, origin: from },
      body: new URLSearchParams({ username: 'ines', password: PEOPLE.ines! }),
    })
  t.is((await login('https://evil.example')).status, 403)
  t.is((await login(origin)).status, 303)
})

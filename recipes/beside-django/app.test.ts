import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import http, { type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { detachedUsers } from 'koa-strata'
import { launchChromium } from '../../test/clients/browser.ts'
import { requireProgram, runProgram } from '../../test/clients/programs.ts'
import { titlesInSqlite } from '../../test/clients/readers/sqlite.ts'
import { Visitor } from '../../test/servers/django/visitor.ts'
import { newFolder } from '../../test/servers/folder.ts'
import { ADA, GRACE, MIRA, partners } from './example.ts'
import { type Site, startSite } from './site.ts'

const test = anyTest as TestFn<Site>
const ends: (() => unknown)[] = []
const NOOR = { username: 'noor', password: 'noor-demo-password', permissions: ['view_draft'] }
const EVE = { username: 'eve', password: 'eve-demo-password' }
const OPENINGS = ['Baker, nights, Görlitz', 'Lighthouse keeper, Rügen', 'Miller & driver, Halle']

test.before(async t => {
  t.context = await startSite({ teardown: end => ends.unshift(end) }, { people: [ADA, GRACE, NOOR, EVE] })
})
test.after.always(async () => {
  for (const end of ends) await end()
})

interface Credentials {
  readonly username: string
  readonly password: string
}

/** Somebody who has filled in Django's form. */
async function atDjango(origin: string, { username, password }: Credentials, next = '/'): Promise<Visitor> {
  const visitor = new Visitor(origin)
  const path = `/accounts/login/?next=${next}`
  const { status, headers } = await visitor.submit(path, { username, password })
  if (status !== 302 || headers.get('location') !== next) throw new Error(`${username} could not log in: ${status}`)
  return visitor
}

/** Somebody who has filled in the form of Koa. */
async function atKoa(origin: string, { username, password }: Credentials): Promise<Visitor> {
  const visitor = new Visitor(origin)
  const { status } = await visitor.send('POST', '/feeds/login', new URLSearchParams({ username, password }))
  if (status !== 303) throw new Error(`${username} could not log in: ${status}`)
  return visitor
}

/** Somebody with the same cookies, who keeps them whatever becomes of the first one's. */
function copyOf(visitor: Visitor, origin: string): Visitor {
  const copy = new Visitor(origin)
  for (const [name, value] of visitor.cookies) copy.cookies.set(name, value)
  return copy
}

/** Whom Django's page greets, if anybody. */
async function greeted(visitor: Visitor): Promise<string | undefined> {
  return /<bdi>(.*)<\/bdi>/.exec((await visitor.get('/')).text)?.[1]
}

function basic({ username, password }: Credentials): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** What a reader is answered that has no cookie. It sends these headers and no others. */
async function poll(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const [response] = (await once(http.get(url, { headers }), 'response')) as [IncomingMessage]
  response.resume()
  return response
}

// While nobody else is there: it counts sessions.
test.serial(
  'newsboat reads the feed by the name and the password that Django knows, and no session is made.',
  async t => {
    const { origin, database } = t.context
    const newsboat = requireProgram('newsboat')
    const read = async ({ username, password }: Credentials) => {
      const home = newFolder('newsboat')
      const [urls, cache] = [join(home, 'urls'), join(home, 'cache.db')]
      const address = new URL('/feeds/openings.atom', origin)
      address.username = encodeURIComponent(username)
      address.password = encodeURIComponent(password)
      await writeFile(urls, address.href)
      const env = { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' }
      await runProgram(newsboat, ['-u', urls, '-c', cache, '-C', '/dev/null', '-x', 'reload'], env)
      return (await titlesInSqlite(cache, 'rss_item')).sort()
    }
    t.deepEqual(await read(ADA), OPENINGS)
    t.deepEqual(await read({ ...ADA, username: ADA.email }), OPENINGS)
    t.deepEqual(await read({ ...ADA, password: 'wrong' }), [])
    t.deepEqual(await database('django_session'), [])
    const [ada] = await database('auth_user').where({ username: ADA.username })
    t.is(ada.last_login, null)
  },
)

test('A reader without the password is 401, one that has the newest is told so by 304, and drafts are for those with the permission.', async t => {
  const feed = `${t.context.origin}/feeds/openings.atom`
  const first = await poll(feed, basic(ADA))
  t.deepEqual([first.statusCode, first.headers['cache-control']], [200, 'private, no-cache'])
  t.is(first.headers['set-cookie'], undefined)
  const condition = { 'if-none-match': first.headers.etag! }
  t.is((await poll(feed, { ...basic(ADA), ...condition })).statusCode, 304)
  for (const headers of [{}, condition, { ...basic({ ...ADA, password: 'wrong' }), ...condition }]) {
    const refused = await poll(feed, headers)
    t.deepEqual([refused.statusCode, refused.headers['www-authenticate']], [401, 'Basic realm="Jobs", charset="UTF-8"'])
  }
  const drafts = `${t.context.origin}/feeds/drafts.atom`
  t.is((await poll(drafts, basic(ADA))).statusCode, 200)
  t.is((await poll(drafts, basic(GRACE))).statusCode, 200, 'a superuser')
  t.is((await poll(drafts, basic(EVE))).statusCode, 403)
  t.is((await poll(drafts, basic(MIRA))).statusCode, 200, 'somebody without a record')
})

test('Who wants their feeds logs in at Django’s form, comes back, and reads by that cookie until the logout there.', async t => {
  const { origin } = t.context
  const sent = await new Visitor(origin).get('/feeds')
  t.deepEqual([sent.status, sent.headers.get('location')], [303, '/accounts/login/?next=%2Ffeeds'])
  const ada = await atDjango(origin, ADA, '/feeds')
  t.regex((await ada.get('/feeds')).text, /<bdi>ada<\/bdi>[\s\S]*drafts\.atom/)
  const { text, headers } = await ada.get('/feeds/openings.atom')
  t.regex(text, /<title>Openings for ada<\/title>[\s\S]*Miller &#38; driver, Halle/)
  t.deepEqual(headers.getSetCookie(), [])
  const copy = copyOf(ada, origin)
  t.is((await copy.get('/feeds/openings.atom')).status, 200)
  await ada.submit('/accounts/logout/', {}, '/')
  for (const late of [ada, copy]) t.is((await late.get('/feeds/openings.atom')).status, 401)
})

test('Who logs in here is logged in at Django until the logout here.', async t => {
  const { origin } = t.context
  const ada = await atKoa(origin, { ...ADA, username: ADA.email })
  t.is(await greeted(ada), 'ada')
  const copy = copyOf(ada, origin)
  await ada.send('POST', '/feeds/logout')
  for (const late of [ada, copy]) {
    t.is(await greeted(late), undefined)
    t.is((await late.get('/feeds/openings.atom')).status, 401)
  }
})

test('A permission that is taken away in Django’s admin is gone at the next poll, by password and by cookie.', async t => {
  const { origin, database } = t.context
  const drafts = `${origin}/feeds/drafts.atom`
  const [noor, grace] = [await atKoa(origin, NOOR), await atDjango(origin, GRACE)]
  const polls = async () => [
    (await poll(drafts, basic(NOOR))).statusCode,
    (await noor.get('/feeds/drafts.atom')).status,
  ]
  t.deepEqual(await polls(), [200, 200])
  const { id } = await database('auth_user').where({ username: NOOR.username }).first('id')
  const form = { username: 'noor', is_active: 'on', date_joined_0: '2026-10-05', date_joined_1: '09:00:00' }
  t.is((await grace.submit(`/admin/auth/user/${id}/change/`, form)).status, 302)
  t.deepEqual(await polls(), [403, 403])
})

test('A password that is changed in Django ends the sessions that others have, and is the one for readers from then on.', async t => {
  const { origin } = t.context
  const feed = `${origin}/feeds/openings.atom`
  const [eve, elsewhere] = [await atDjango(origin, EVE), await atKoa(origin, EVE)]
  t.is((await poll(feed, basic(EVE))).statusCode, 200)
  const password = 'eve-has-another-one'
  const form = { old_password: EVE.password, new_password1: password, new_password2: password }
  t.is((await eve.submit('/accounts/password_change/', form)).status, 302)
  t.is((await eve.get('/feeds/openings.atom')).status, 200)
  t.is((await elsewhere.get('/feeds/openings.atom')).status, 401)
  t.is((await poll(feed, basic(EVE))).statusCode, 401)
  t.is((await poll(feed, basic({ ...EVE, password }))).statusCode, 200)
})

test('Neither side answers for another host, and no address in a feed is made of what a client says.', async t => {
  const { origin } = t.context
  const evil = { host: 'evil.example' }
  t.is((await poll(`${origin}/accounts/login/`, evil)).statusCode, 400)
  t.is((await poll(`${origin}/feeds/openings.atom`, { ...evil, ...basic(ADA) })).statusCode, 421)
  const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' }
  const response = await fetch(`${origin}/feeds/openings.atom`, { headers: { ...forged, ...basic(ADA) } })
  const text = await response.text()
  t.true(text.includes(`href="${origin}/feeds/openings.atom"`))
  t.notRegex(text, /evil|https:\/\/127/)
})

test('In Chromium, on a phone, somebody logs in at Django’s form, opens their feeds, reads one, and logs out.', async t => {
  const { origin } = t.context
  const chromium = await launchChromium()
  t.teardown(() => chromium.close())
  const WIDTH = 390
  const page = await chromium.newPage({ baseURL: origin, viewport: { width: WIDTH, height: 700 } })
  page.on('console', message => {
    // Chromium looks for an icon where a feed is shown, which names none.
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) t.fail(message.text())
  })
  const fits = async () => {
    const display = await page.evaluate("getComputedStyle(document.querySelector('header')).display")
    t.is(display, 'flex', 'it has its style')
    const wide = await page.locator('html').evaluate(root => root.scrollWidth)
    t.true(wide <= WIDTH, `${page.url()} is ${wide} wide`)
  }
  await page.goto('/')
  await fits()
  await page.getByRole('link', { name: 'Log in', exact: true }).click()
  await page.getByLabel('Name').fill(ADA.username)
  await page.getByLabel('Password').fill(ADA.password)
  await fits()
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('link', { name: 'Your feeds' }).click()
  t.is(page.url(), `${origin}/feeds`)
  t.is(await page.locator('bdi').textContent(), 'ada')
  await fits()
  await page.getByRole('link', { name: 'Drafts' }).click()
  t.regex((await page.locator('body').textContent())!, /Head of the bakery/)
  await page.goBack()
  await page.getByRole('button', { name: 'Log out' }).click()
  t.is(page.url(), `${origin}/`)
  t.is(await page.getByText('They are for members.').count(), 1)
})

test('Somebody without a record who logs in here is nobody to Django.', async t => {
  const { origin } = t.context
  const mira = await atKoa(origin, MIRA)
  t.regex((await mira.get('/feeds')).text, /<bdi>mira<\/bdi>[\s\S]*drafts\.atom/)
  t.is(await greeted(mira), undefined)
  t.is((await mira.get('/feeds/drafts.atom')).status, 200, 'that Django has seen the session changes nothing')
})

test('With detached_users.py Django shows them, lets them do what the session says and nothing else, and logs them out.', async t => {
  const asked = detachedUsers({
    name: 'asked',
    authenticate: async ({ username }) => (username === 'otto' ? { id: 'otto' } : null),
    load: async id => ({ id }),
  })
  const { origin, database } = await startSite(t, { settings: 'with_detached_users', guests: [partners, asked] })
  const mira = await atKoa(origin, MIRA)
  t.is(await greeted(mira), 'mira')
  t.regex((await mira.get('/')).text, /Head of the bakery/, 'a draft')
  t.is((await mira.get('/admin/')).status, 302, 'to the login of the admin')
  t.is((await mira.get('/admin/login/')).status, 200)
  const form = {
    old_password: MIRA.password,
    new_password1: 'another-one-of-hers',
    new_password2: 'another-one-of-hers',
  }
  t.regex((await mira.submit('/accounts/password_change/', form)).text, /old password was entered incorrectly/)
  t.is(await database('auth_user').where({ username: 'mira' }).first(), undefined)

  const copy = copyOf(mira, origin)
  await mira.submit('/accounts/logout/', {}, '/')
  for (const late of [mira, copy]) {
    t.is(await greeted(late), undefined)
    t.is((await late.get('/feeds/openings.atom')).status, 401)
  }
  t.is(await greeted(await atDjango(origin, ADA)), 'ada')
  const otto = await atKoa(origin, { username: 'otto', password: 'any' })
  t.is(await greeted(otto), undefined, 'whom Koa asks about at each request')
})

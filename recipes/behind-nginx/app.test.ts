import anyTest, { type TestFn } from 'ava'
import { sqlUsers } from 'koa-strata/sql'
import { openDatabase } from './database.ts'
import { type Site, startSite } from './site.ts'
import { Visitor } from './visitor.ts'

const test = anyTest as TestFn<Site>
const ends: (() => unknown)[] = []
/** In milliseconds: one that a busy machine keeps too. */
const DEADLINE = 30_000
const DOCUMENT = '/documents/spring-concert.txt'
const JOAN = { authorization: `Basic ${Buffer.from('joan:joan-demo').toString('base64')}` }

test.before(async t => {
  t.context = await startSite({ teardown: end => ends.unshift(end) }, { deadline: DEADLINE })
})
test.after.always(async () => {
  for (const end of ends) await end()
})

test('Over plain http there is whether the site is up, and the way to https, to the site’s own name.', async t => {
  const { http, origin } = t.context
  t.is(await (await fetch(`${http}/healthz`)).text(), 'up\n')
  for (const path of ['/', '/staff', '/auth', `${DOCUMENT}?a=%26&b`, '/healthz/x']) {
    const { status, headers } = await fetch(http + path, {
      redirect: 'manual',
      headers: { 'x-forwarded-host': 'evil' },
    })
    t.deepEqual([status, headers.get('location')], [308, origin + path])
  }
})

test('Any process answers whoever is logged in, and a logout at one holds at all.', async t => {
  const ines = await Visitor.loggedIn(t.context, 'ines')
  const makers = new Set<string | undefined>()
  for (let asked = 0; makers.size < 2 && asked < 100; asked++) {
    const { text } = await ines.ask('/')
    t.regex(text, /Logged in as <bdi>ines</)
    makers.add(/Made by process (\w+)/.exec(text)?.[1])
  }
  t.deepEqual([...makers].sort(), ['one', 'two'])
  const stolen = new Visitor(t.context)
  for (const [name, value] of ines.cookies) stolen.cookies.set(name, value)
  t.true(ines.cookies.has('__Host-sid'))
  await ines.ask('/logout', {}, {})
  for (const _ of makers) t.is(await stolen.whoAmI(), '')
})

test('X4: who wants a document logs in first, comes back to it, and sees it only with the permission and until the logout.', async t => {
  const ines = new Visitor(t.context)
  const path = `${DOCUMENT}?page=1&line=%26`
  const sent = await ines.ask(path)
  t.is(sent.status, 303)
  const { searchParams } = new URL(sent.headers.location!, t.context.origin)
  t.is(searchParams.get('next'), path)
  t.true(
    (await ines.ask(sent.headers.location!)).text.includes('name="next" value="/documents/spring-concert.txt?page'),
  )
  t.is((await ines.logIn('ines', searchParams.get('next')!)).headers.location, path)
  const { status, text, headers } = await ines.ask(path)
  t.deepEqual([status, headers['cache-control']], [200, 'private, no-cache'])
  t.regex(text, /The altos bring cake/)

  const grace = await Visitor.loggedIn(t.context, 'grace')
  t.is((await grace.ask(DOCUMENT)).status, 403)
  const database = openDatabase(t.context.database)
  const accounts = sqlUsers(database)
  const { id } = (await accounts.find({ username: 'grace' }))!
  await accounts.grant(id, 'documents.read')
  t.is((await grace.ask(DOCUMENT)).status, 200)
  await accounts.revoke(id, 'documents.read')
  t.is((await grace.ask(DOCUMENT)).status, 403)
  await database.destroy()

  await ines.ask('/logout', {}, {})
  t.is((await ines.ask(DOCUMENT)).status, 303)
})

test('The archive is for all singers, and learns who they are and nothing else.', async t => {
  const grace = await Visitor.loggedIn(t.context, 'grace')
  t.is((await grace.ask('/archive/1999')).text, 'grace is in the archive. Their cookie: not told.\n')
  const sent = await new Visitor(t.context).ask('/archive/1999')
  t.deepEqual([sent.status, sent.headers.location], [303, '/login?next=%2Farchive%2F1999'])
  t.is((await new Visitor(t.context).ask('/archive/1999', {}, { note: 'x' })).status, 401)
})

test('X1, X2: nothing that a client says about who asks, from where and for what is believed.', async t => {
  const { origin } = t.context
  const grace = await Visitor.loggedIn(t.context, 'grace')
  const claims = {
    'x-remote-user': 'joan',
    x_remote_user: 'joan',
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    forwarded: 'for=192.0.2.1;host=evil.example;proto=http',
  }
  t.is((await grace.ask('/archive/', claims)).text, 'grace is in the archive. Their cookie: not told.\n')
  const { text } = await grace.ask('/', claims)
  t.regex(text, /for 127\.0\.0\.1, who asks over https/)
  t.true(text.includes(`<link rel="canonical" href="${origin}/">`))
  t.notRegex(text, /evil|192\.0\.2/)
  for (const path of ['/staff', '/STAFF', '/%73taff', '//staff'])
    t.is((await grace.ask(path, claims)).status, 401, path)
  for (const path of ['/auth', '/Auth/documents']) t.is((await grace.ask(path, claims)).status, 404, path)
  t.is((await grace.ask('/', { host: 'evil.example' })).status, 421)
})

test('Whom nginx asks for a password is no singer, and has a login of their own.', async t => {
  const visitor = await Visitor.loggedIn(t.context, 'grace')
  for (const path of ['/staff', '/STAFF']) t.regex((await visitor.ask(path, JOAN)).text, /Hello <bdi>joan</)
  t.is(await visitor.whoAmI(), 'grace')
  const wrong = await visitor.ask('/staff', { authorization: `Basic ${Buffer.from('joan:wrong').toString('base64')}` })
  t.deepEqual([wrong.status, wrong.headers['www-authenticate']], [401, 'Basic realm="Staff"'])
  t.is((await new Visitor(t.context).ask('/', JOAN)).text.includes('joan'), false)
})

test('A process that is killed logs nobody out; while both are down, nobody is let in.', async t => {
  const site = await startSite(t, { deadline: DEADLINE })
  const ines = await Visitor.loggedIn(site, 'ines')
  await site.processes[0]!.kill()
  for (let asked = 0; asked < 4; asked++) {
    t.is(await ines.whoAmI(), 'ines')
    t.is((await ines.ask(DOCUMENT)).status, 200)
  }
  await site.processes[1]!.kill()
  for (const visitor of [ines, new Visitor(site)]) {
    const { status, text } = await visitor.ask(DOCUMENT)
    t.is(status, 500)
    t.notRegex(text, /altos/)
    t.is((await visitor.ask('/archive/')).status, 500)
    t.is((await visitor.ask('/')).status, 502)
  }
})

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import anyTest, { type TestFn } from 'ava'
import { MEMBERS } from './identity.ts'
import { type Site, STAFF, startProxy, startSite } from './site.ts'
import { Visitor } from './test-visitor.ts'

const test = anyTest as TestFn<Site>
const ends: (() => unknown)[] = []

// The processes share the machine with all other tests.
process.env.DEADLINE = '30000'

test.before(async t => {
  t.context = await startSite({ teardown: end => ends.unshift(end) })
})
test.after.always(async () => {
  for (const end of ends) await end()
})

const run = promisify(execFile)
const GRACE = { authorization: `Basic ${Buffer.from(`grace:${STAFF.grace}`).toString('base64')}` }
const CLAIM = { 'X-Remote-User': 'grace', X_Remote_User: 'grace' }

test.serial('A login holds at both processes, goes on when one crashes, and ends at both by one logout.', async t => {
  const site = t.context
  const ada = await Visitor.loggedIn(site, 'ada', MEMBERS.ada!)
  t.deepEqual(await ada.greetings(), { 'process 1': 'ada', 'process 2': 'ada' })
  const [one] = site.processes
  await one!.kill()
  for (const _ of [1, 2, 3]) t.regex((await ada.ask('/berth')).text, /ada, your berth/)
  await one!.restart()
  const { cookie } = ada
  t.is((await ada.ask('/logout', { form: {} })).location, '/webapps/')
  ada.cookie = cookie
  while (Object.keys(await ada.greetings()).length < 2);
  t.deepEqual(await ada.greetings(), { 'process 1': 'nobody', 'process 2': 'nobody' })
})

test.serial(
  'Pages, redirects and the feed have the addresses that the world sees, whatever a client says that it asked.',
  async t => {
    const site = t.context
    const { address } = site
    const nobody = new Visitor(site)
    const evil = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http', Forwarded: 'host=evil.example' }
    const page = await nobody.ask('/notices/2', { headers: evil })
    t.true(page.text.includes(`<link rel="canonical" href="${address}/notices/2">`))
    t.true(page.text.includes('src="https://images.example/crane.jpg"'))
    t.notRegex(page.text, /src="http:/)
    t.deepEqual([...page.text.matchAll(/(?:href|action)="(\/(?!webapps\/)[^"]*)"/g)], [], 'every link has the prefix')
    const feed = await nobody.ask('/notices.atom', { headers: evil })
    t.deepEqual(
      [...feed.text.matchAll(/<id>([^<]+)/g)].map(([, id]) => id),
      ['/notices.atom', '/notices/2', '/notices/1'].map(path => address + path),
    )
    const sent = await nobody.ask('/berth', { headers: evil })
    t.deepEqual([sent.status, sent.location], [303, '/webapps/login?next=%2Fberth'])
    const form = { username: 'ada', password: MEMBERS.ada!, next: '/berth' }
    t.is((await nobody.ask('/login', { form })).location, '/webapps/berth')
    t.is((await nobody.ask('/login', { form: { ...form, next: '//evil.example' } })).location, '/webapps/')
    t.is((await nobody.ask('/', { headers: { host: 'evil.example' } })).status, 421)
    const plain = await fetch(`${site.plain}/webapps/berth`, { redirect: 'manual' })
    t.deepEqual([plain.status, plain.headers.get('location')], [301, `${address}/berth`])
  },
)

test.serial(
  'The drafts are for whom Apache has asked for a password; whoever claims to be one of them is nobody.',
  async t => {
    const site = t.context
    const nobody = new Visitor(site)
    t.is((await nobody.ask('/staff', { headers: CLAIM })).status, 401)
    t.is((await nobody.ask('/STAFF', { headers: CLAIM })).status, 401)
    t.regex((await nobody.ask('/', { headers: CLAIM })).text, /Log in/)

    const grace = new Visitor(site)
    for (const headers of [GRACE, { ...GRACE, 'X-Remote-User': 'mallory' }, { ...GRACE, Connection: 'X-Remote-User' }])
      t.regex((await new Visitor(site).ask('/staff', { headers })).text, /<bdi>grace<\/bdi>[\s\S]*Dredging/)
    await grace.ask('/staff', { headers: GRACE })
    t.deepEqual(
      await grace.greetings(),
      { 'process 1': 'grace', 'process 2': 'grace' },
      'they stay logged in elsewhere',
    )
    const ada = await Visitor.loggedIn(site, 'ada', MEMBERS.ada!)
    t.is((await ada.ask('/staff')).status, 401)
  },
)

test.serial('The control: where Apache passes on what clients send, they are whomever they claim to be.', async t => {
  const adapt = (configuration: string) => configuration.replace(/^ *RequestHeader unset X.Remote.User$/gm, '')
  const careless = await startProxy(t, t.context, { adapt })
  const { text } = await new Visitor({ ...t.context, ...careless }).ask('/', { headers: { 'X-Remote-User': 'grace' } })
  t.regex(text, /Logged in as <bdi>grace<\/bdi>/)
})

test('A message from the command line has the same addresses; without PUBLIC_ORIGIN, or an address to send it to, it is none.', async t => {
  const digest = (to: string, PUBLIC_ORIGIN?: string) => {
    const args = ['--conditions=koa-strata:source', fileURLToPath(new URL('digest.ts', import.meta.url)), to]
    return run(process.execPath, args, { env: { ...process.env, PUBLIC_ORIGIN } })
  }
  const { stdout } = await digest('ada@boats.example', 'https://www.example')
  const [head = '', body = ''] = stdout.split('\n\n', 2)
  t.regex(
    head,
    /^From: .+ <notices@www\.example>\nTo: ada@boats\.example\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\n/,
  )
  t.true(head.split('\n').every(line => /^[\w-]+: \S/.test(line)))
  t.is(body, 'Winter lifting\nhttps://www.example/webapps/notices/2')
  const wrong = await t.throwsAsync<Error & { stderr: string; code: number }>(digest('ada@boats.example'))
  t.deepEqual(
    [wrong.code, wrong.stderr],
    [1, 'PUBLIC_ORIGIN is not set. It is what people see the site at, as https://www.example.\n'],
  )
  for (const to of ['', 'ada@boats.example\nBcc: eve@evil.example'])
    await t.throwsAsync(digest(to, 'https://www.example'), { message: /To whom\?/ })
})

test('The module that makes the addresses may be imported without PUBLIC_ORIGIN, which is missed when one is made.', async t => {
  t.is(process.env.PUBLIC_ORIGIN, undefined)
  const { url } = await import('./address.ts')
  t.is(url.path('/berth'), '/webapps/berth')
  t.throws(() => url('/berth'), { message: /^PUBLIC_ORIGIN is not set/ })
})

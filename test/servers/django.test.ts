import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import net from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { newDatabase } from '../database/servers.ts'
import { Visitor } from './django/visitor.ts'
import { type Django, type DjangoOptions, startDjango } from './django.ts'
import { firstWords } from './port.ts'
import { sharedServer } from './shared.ts'

const PASSWORD = 'pässwörd'
const LOGIN = { username: 'ada', password: PASSWORD }

async function startQuick(t: ExecutionContext, { settings, ...options }: DjangoOptions = {}): Promise<Django> {
  const begun = performance.now()
  const site = await startDjango(t, { ...options, settings: { QUICK_PASSWORDS: true, ...settings } })
  t.log(site.url, Math.round(performance.now() - begun))
  return site
}

for (const name of ['mariadb', 'postgresql'] as const) {
  test(`startDjango starts a site on ${name}, whose people log in by its form.`, async t => {
    const site = await startQuick(t, { database: await newDatabase(t, name) })
    const groups = { editors: ['openings.publish_opening'] }
    const ada = { name: 'ada', password: PASSWORD, permissions: ['openings.view_opening'], groups }
    const { ada: id } = await site.people([ada])
    const visitor = new Visitor(site.url)
    t.is((await visitor.submit('/accounts/login/', { ...LOGIN, password: 'wrong' })).status, 200)
    t.is((await visitor.get('/whoami')).json.authenticated, false)
    t.is((await visitor.submit('/accounts/login/?next=/form', LOGIN)).headers.get('location'), '/form')
    const session = visitor.cookies.get('sessionid')
    t.deepEqual((await visitor.get('/whoami')).json, {
      id,
      username: 'ada',
      authenticated: true,
      staff: false,
      superuser: false,
      permissions: ['openings.publish_opening', 'openings.view_opening'],
      backend: 'django.contrib.auth.backends.ModelBackend',
      session_key: session,
    })
    t.deepEqual(await site.database.open()('django_session').pluck('session_key'), [session])
  })
}

test('The site keeps sessions in files, in cookies, and in a cache beside its database.', async t => {
  const [url] = await sharedServer('memcached')
  const keyPrefix = randomBytes(8).toString('hex')
  const site = await startQuick(t, { sessions: 'file', cache: { url: url!, keyPrefix } })
  const change = async () => {
    const visitor = new Visitor(site.url)
    const { data } = (await visitor.post('/session', { set: { drink: 'Žatec ☕' } })).json
    t.deepEqual((await visitor.get('/session')).json.data, data)
    return visitor.cookies.get('sessionid')!
  }
  const file = `sessionid${await change()}`
  t.deepEqual(readdirSync(site.sessionsDirectory), [file])
  await site.restart({ SESSION_ENGINE: 'django.contrib.sessions.backends.signed_cookies' })
  t.regex(await change(), /:.*:/)
  await site.restart({ SESSION_ENGINE: 'django.contrib.sessions.backends.cached_db' })
  const key = await change()
  t.deepEqual(await site.database.open()('django_session').pluck('session_key'), [key])
  const cached = `get ${keyPrefix}:1:django.contrib.sessions.cached_db${key}\r\n`
  t.regex(await firstWords(Number(new URL(url!).port), cached), /^VALUE /)
})

test('The users of the site can be of another class, with a UUID and an email address.', async t => {
  const site = await startQuick(t, { settings: { AUTH_USER_MODEL: 'members.Member' } })
  const people = [{ name: 'ada@example.org', password: PASSWORD, is_staff: true, is_superuser: true }]
  const { [people[0]!.name]: id } = await site.people(people)
  t.regex(String(id), /^[0-9a-f-]{36}$/)
  const visitor = new Visitor(site.url)
  await visitor.submit('/admin/login/', { ...LOGIN, username: people[0]!.name })
  const { json } = await visitor.get('/whoami')
  t.is(json.id, id)
  t.is(json.username, 'ada@example.org')
  t.true((await visitor.get('/admin/members/member/')).text.includes('1 member'))
})

test('What the views of the site promise holds.', async t => {
  const messages = { MESSAGE_STORAGE: 'django.contrib.messages.storage.session.SessionStorage' }
  const site = await startQuick(t, { settings: { ...messages, CSRF_USE_SESSIONS: true } })
  await site.people([{ name: 'ada', password: PASSWORD, is_staff: true, permissions: ['openings.view_opening'] }])
  const visitor = new Visitor(site.url)
  t.is((await visitor.post('/form')).status, 403)
  t.deepEqual((await visitor.submit('/form', { text: 'ž' })).json, { text: 'ž' })
  t.deepEqual([...visitor.cookies.keys()], ['sessionid'])

  await visitor.submit('/admin/login/', LOGIN)
  t.true((await visitor.get('/admin/openings/opening/')).text.includes('0 openings'))
  t.is((await visitor.get('/perms?name=openings.view_opening')).json.has, true)
  t.is((await visitor.get('/perms?name=openings.publish_opening')).json.has, false)

  const { key: before, expiry } = (await visitor.get('/session')).json
  t.is(Math.round(expiry.age / 86_400), 14)
  const changes = { set: { a: 1, b: { c: [null] } }, delete: ['a'], expiry: 60, cycle: true }
  const { data, ...changed } = (await visitor.post('/session', changes)).json
  t.not(changed.key, before)
  t.like(data, { a: undefined, b: { c: [null] }, _session_expiry: 60, _auth_user_id: '1' })
  t.true(Math.abs(Date.parse(changed.expiry.date) - Date.now() - 60_000) < 30_000)
  t.is((await visitor.post('/session', { expiry: 0 })).json.expiry.at_browser_close, true)
  await visitor.post('/count')
  t.is((await visitor.post('/count')).json.django, 2)

  await visitor.post('/messages', { text: '<ž>' })
  t.regex((await visitor.get('/session')).json.data._messages, /<\\u017e>/)
  t.deepEqual((await visitor.get('/messages')).json.messages, [{ text: '<ž>', level: 'info' }])
  t.deepEqual((await visitor.get('/messages')).json.messages, [])

  const fields = { old_password: PASSWORD, new_password1: 'new', new_password2: 'new' }
  t.is((await visitor.submit('/accounts/password/', fields)).status, 302)
  t.is((await visitor.get('/whoami')).json.username, 'ada')
  await visitor.submit('/accounts/logout/', {}, '/')
  t.is((await visitor.get('/whoami')).json.username, '')
  await visitor.submit('/accounts/login/', { ...LOGIN, password: 'new' })
  t.deepEqual((await visitor.post('/session', { flush: true })).json.data, {})
})

test('The site runs Python, starts again with another key on the same port, and ends with all its processes.', async t => {
  const site = await startQuick(t, { secretKey: 'first' })
  const { port } = site.server
  t.deepEqual(await site.run('answer([User.objects.count(), given])', { ž: [1.5, null] }), [0, { ž: [1.5, null] }])
  await t.throwsAsync(site.run('answer(nobody)'), { message: /^Traceback.*name 'nobody' is not defined/s })
  await site.people([{ name: 'ada', password: PASSWORD }])
  const visitor = new Visitor(site.url)
  await visitor.submit('/accounts/login/', LOGIN)
  await site.restart({ SECRET_KEY: 'second' })
  t.is(site.secretKey, 'second')
  t.is((await visitor.get('/whoami')).json.username, '')
  t.is((await site.database.open()('django_session')).length, 1)

  // As browsers do, beside those that they use.
  const idle = Array.from({ length: 6 }, () => net.connect(port))
  t.teardown(() => idle.map(socket => socket.destroy()))
  await Promise.all(idle.map(socket => once(socket, 'connect')))
  t.regex(await firstWords(port, 'GET /whoami HTTP/1.0\r\nHost: localhost\r\n\r\n', 10_000), / 200 OK/)

  await site.server.kill()
  t.is(await firstWords(port, 'x\r\n\r\n'), '')
  const refused = await t.throwsAsync<NodeJS.ErrnoException>(site.run('answer(1)'))
  // Reset, where the system has not yet taken down what a process that was killed had listened at.
  t.true(['ECONNREFUSED', 'ECONNRESET'].includes(refused?.code ?? ''), refused?.code)
})

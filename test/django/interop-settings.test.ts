import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { DjangoSettings } from '../servers/django.ts'
import type { AppOptions } from './interop/app.ts'
import { Pair } from './interop/pair.ts'
import { THOROUGH, wayOf } from './interop/ways.ts'

const MEMBERS = {
  model: 'members.Member',
  idType: 'uuid',
  columns: { username: 'email', firstName: null, lastName: null, dateJoined: null },
} as const

const NAMES = ['db on sqlite', 'signed_cookies', ...(THOROUGH ? ['file', 'cached_db', 'db on mariadb'] : [])]

async function startPair(
  t: ExecutionContext,
  name: string,
  settings: DjangoSettings = {},
  options: AppOptions = {},
): Promise<Pair> {
  return Pair.start(t, await wayOf(name).start(t, settings), options)
}

for (const name of NAMES) {
  test(`X7: django ${name}: After Django has another SECRET_KEY, whose session is opened here first stays logged in on both sides, with the old key as a fallback here and none there.`, async t => {
    const before = await startPair(t, name)
    const { stage } = before
    const { secretKey: old } = stage.site
    const person = await before.person()
    const [one, other] = [await before.loggedIn(person), await before.loggedIn(person)]
    await one.there('/session', { set: { cart: ['tea'] } })
    await stage.site.restart({ SECRET_KEY: randomBytes(32).toString('base64url') })
    const told = await before.beside({ sessions: { secretKeyFallbacks: [old] }, users: { secretKeyFallbacks: [old] } })

    const untold = await before.beside({})
    const stored = await stage.stored(one.cookie)
    const stranger = untold.visitor(one.cookie)
    const answer = await stranger.here('/session', { set: { mark: 1 } })
    t.deepEqual([(await stranger.here('/me')).json.username, answer.headers.getSetCookie()], ['', []])
    t.is(await stage.stored(one.cookie), stored, 'without a fallback it is left as it is')

    const visitor = told.visitor(one.cookie)
    await visitor.is(person.name)
    t.deepEqual((await visitor.dataThere()).cart, ['tea'])
    if (stored !== null) t.is(visitor.cookie, one.cookie)

    const late = told.visitor(other.cookie)
    t.is((await late.there('/whoami')).json.username, '', 'the control: opened in Django first')
    t.deepEqual(told.takeFaults(), [])
  })
}

for (const name of NAMES) {
  test(`X7: django ${name}: What was signed here by the former SECRET_KEY, Django takes by its own SECRET_KEY_FALLBACKS, from 4.1 on, and what it signs anew is taken here.`, async t => {
    const before = await startPair(t, name)
    const { site } = before.stage
    const { secretKey: old } = site
    const person = await before.person()
    const visitor = before.visitor()
    await visitor.logInHere(person)
    await visitor.here('/session', { set: { cart: ['tea'] } })
    await site.restart({ SECRET_KEY: randomBytes(32).toString('base64url'), SECRET_KEY_FALLBACKS: [old] })
    const [major, minor] = (await site.run('import django; answer(django.VERSION[:2])')) as [number, number]
    const hasFallbacks = major > 4 || (major === 4 && minor >= 1)

    const told = await before.beside({ sessions: { secretKeyFallbacks: [old] }, users: { secretKeyFallbacks: [old] } })
    const returning = told.visitor(visitor.cookie)
    t.is((await returning.there('/whoami')).json.username, hasFallbacks ? person.name : '')
    if (hasFallbacks) t.not(returning.cookie, visitor.cookie)
    const only = await before.beside({})
    const strict = only.visitor(returning.cookie)
    await strict.is(hasFallbacks ? person.name : '')
    t.deepEqual((await strict.dataHere()).cart, hasFallbacks ? ['tea'] : undefined)
    t.deepEqual(told.takeFaults(), [])
  })
}

for (const name of NAMES) {
  test(`X8: django ${name}: A pickled session is refused with an error that names SESSION_SERIALIZER, tells the client nothing, and harms nothing in Django.`, async t => {
    const pair = await startPair(t, name, {
      SESSION_SERIALIZER: 'django.contrib.sessions.serializers.PickleSerializer',
    })
    const asked = "from django.contrib.sessions import serializers; answer(hasattr(serializers, 'PickleSerializer'))"
    if (!(await pair.stage.site.run(asked))) return t.pass('Django has none since 5.0.')
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    const before = [visitor.cookie, await pair.stage.stored(visitor.cookie)]
    for (const [path, body] of [
      ['/me'],
      ['/session', { set: { mark: 1 } }],
      ['/login', {}],
      ['/logout', {}],
    ] as const) {
      const answer = await visitor.here(path, body)
      t.deepEqual([answer.status, answer.text, answer.headers.getSetCookie()], [500, 'Internal Server Error', []], path)
    }
    const faults = pair.takeFaults()
    t.is(faults.length, 4)
    for (const fault of faults) {
      t.like(fault, { code: 'DJANGO_SETTING_UNSUPPORTED', setting: 'SESSION_SERIALIZER' })
      t.regex(fault.message, /SESSION_SERIALIZER.*JSONSerializer/)
    }
    t.deepEqual([visitor.cookie, await pair.stage.stored(visitor.cookie)], before)
    t.is((await visitor.there('/whoami')).json.username, person.name)
    t.is((await pair.visitor().here('/me')).status, 200, 'who has no session is answered')
  })
}

test('X7: django db on sqlite: With another cookie, an end with the browser, and a save at every request, each side goes on with the login of the other.', async t => {
  const pair = await startPair(
    t,
    'db on sqlite',
    {
      SESSION_COOKIE_NAME: 'membership',
      SESSION_COOKIE_SAMESITE: 'Strict',
      SESSION_EXPIRE_AT_BROWSER_CLOSE: true,
      SESSION_SAVE_EVERY_REQUEST: true,
    },
    {
      sessions: {
        cookie: { name: 'membership', sameSite: 'strict' },
        expireAtBrowserClose: true,
        saveEveryRequest: true,
      },
    },
  )
  const person = await pair.person()
  for (const logIn of ['logInHere', 'logInThere'] as const) {
    const visitor = pair.visitor()
    const { headers } = await visitor[logIn](person)
    const line = headers.getSetCookie().find(one => one.startsWith('membership='))!
    t.deepEqual(line.split(/; */).slice(1).sort(), ['HttpOnly', 'Path=/', 'SameSite=Strict'], logIn)
    await visitor.is(person.name)
    await visitor.here('/session', { set: { mark: 1 } })
    t.is((await visitor.dataThere()).mark, 1)
    t.deepEqual([...visitor.cookies.keys()], ['membership'])
  }
  t.deepEqual(pair.takeFaults(), [])
})

for (const name of NAMES.filter(one => one !== 'signed_cookies')) {
  test(`X7: django ${name}: Users of another model, with a UUID and an email address for a name, are logged in on both sides by a login on either.`, async t => {
    const settings = { AUTH_USER_MODEL: MEMBERS.model }
    const pair = await startPair(t, name, settings, { users: MEMBERS })
    const address = 'žofie@example.org'
    const person = { name: address, password: 'pw' }
    const { [address]: id } = await pair.stage.site.people([
      { ...person, is_staff: true, permissions: ['openings.view_opening'] },
    ])
    for (const logIn of ['logInHere', 'logInThere'] as const) {
      const visitor = pair.visitor()
      await visitor[logIn](person)
      await visitor.is(address)
      const me = (await visitor.here('/me?permissions=openings.view_opening,openings.add_opening')).json
      t.deepEqual([me.key, me.isStaff, me.allowed], [`django:${id}`, true, ['openings.view_opening']])
      t.is((await visitor.there('/admin/openings/opening/')).status, 200)
    }
    t.deepEqual(pair.takeFaults(), [])
  })
}

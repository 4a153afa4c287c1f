import assert from 'node:assert/strict'
import { checksOf, type InteropChecks } from './check.ts'
import type { Pair, PairVisitor, Person } from './pair.ts'

const OPENINGS = ['add', 'change', 'delete', 'publish', 'view'].map(action => `openings.${action}_opening`)
/** Permissions that there are, and one that there is not. */
const ASKED = [...OPENINGS, 'auth.view_user', 'openings.burn_opening']

/** Which of those permissions Django says that somebody has. */
async function allowedThere({ stage: { site } }: Pair, { id }: Person): Promise<string[]> {
  const has = "user = User.objects.get(pk=given['id']); answer([one for one in given['asked'] if user.has_perm(one)])"
  return ((await site.run(has, { id, asked: ASKED })) as string[]).sort()
}

async function allowedHere(visitor: PairVisitor): Promise<string[]> {
  return (await visitor.here(`/me?permissions=${ASKED}`)).json.allowed
}

/** Holds that a browser is logged in as somebody on both sides, who is the same there and here. */
async function assertSame(pair: Pair, visitor: PairVisitor, person: Person): Promise<void> {
  const here = (await visitor.here(`/me?permissions=${ASKED}`)).json
  const there = (await visitor.there('/whoami')).json
  assert.deepEqual(
    [here.key, here.id, here.username, here.email, here.isStaff, here.isSuperuser],
    [`django:${person.id}`, person.id, person.name, person.email, there.staff, there.superuser],
  )
  assert.deepEqual([String(there.id), there.username, there.authenticated], [person.id, person.name, true])
  assert.deepEqual(here.allowed, await allowedThere(pair, person))
}

/** Logging in, on either side. */
export const loginChecks: InteropChecks = checksOf(null, {
  async "Who logs in by Django's form is logged in here, with name, address, flags and permissions."(pair) {
    const groups = { editors: ['openings.publish_opening'] }
    const person = await pair.person({ is_staff: true, permissions: ['openings.view_opening'], groups })
    const visitor = await pair.loggedIn(person)
    await assertSame(pair, visitor, person)
    assert.deepEqual(await allowedHere(visitor), ['openings.publish_opening', 'openings.view_opening'])
  },

  async 'A superuser of Django has every permission here, and one who is not active none.'(pair) {
    const person = await pair.person({ is_superuser: true })
    const visitor = await pair.loggedIn(person)
    await assertSame(pair, visitor, person)
    assert.deepEqual(await allowedHere(visitor), [...ASKED].sort())
    await pair.change(person, { is_active: false })
    assert.deepEqual(await allowedHere(visitor), [])
    assert.deepEqual(await allowedThere(pair, person), [])
  },

  async "Who logs in here is the same in Django's pages, and in its admin as staff."(pair) {
    const person = await pair.person({ is_staff: true, permissions: ['openings.view_opening'] })
    const visitor = pair.visitor()
    await visitor.logInHere(person)
    await assertSame(pair, visitor, person)
    const admin = await visitor.there('/admin/openings/opening/')
    assert.equal(admin.status, 200)
    assert.match(admin.text, /0 openings/)
    const stranger = await pair.visitor().there('/admin/openings/opening/')
    assert.equal(stranger.status, 302, 'the control: a stranger is sent to the login page')
  },

  async 'Who may not log in to Django may not here: a wrong password, none that is usable, an account that is not active.'(
    pair,
  ) {
    const [active, unusable, inactive] = [
      await pair.person(),
      await pair.person({ password: undefined }),
      await pair.person({ is_active: false }),
    ]
    for (const { name, password } of [{ ...active, password: 'wrong' }, unusable, inactive]) {
      const visitor = pair.visitor()
      assert.equal((await visitor.here('/login', { username: name, password })).status, 401)
      assert.equal((await visitor.submit('/accounts/login/', { username: name, password })).status, 200)
      await visitor.is('')
    }
  },

  async "A login is noted as Django's last_login where that is asked for, and only there."(pair) {
    const { site } = pair.stage
    const noted = (id: string) => site.run('answer(User.objects.get(pk=given).last_login)', id)
    const person = await pair.person()
    await pair.visitor().logInHere(person)
    assert.equal(await noted(person.id), null)
    const noting = await pair.beside({ users: { updateLastLogin: true } })
    const before = Date.now()
    await noting.visitor().logInHere(person)
    const at = Date.parse(String(await noted(person.id)))
    assert.ok(at >= before && at <= Date.now(), String(at))
  },

  async 'A permission that Django’s admin gives a group holds here at the next request, and no longer once it is taken back.'(
    pair,
  ) {
    const { site } = pair.stage
    const chief = await pair.person({ is_staff: true, is_superuser: true })
    const group = `group of ${chief.name}`
    const member = await pair.person({ groups: { [group]: [] } })
    const visitor = await pair.loggedIn(member)
    const find = `
from django.contrib.auth.models import Group, Permission
answer([Group.objects.get(name=given).pk, Permission.objects.get(codename='publish_opening').pk])`
    const [id, permission] = (await site.run(find, group)) as number[]
    assert.deepEqual(await allowedHere(visitor), [])
    // Logged in by this library, all the way.
    const admin = pair.visitor()
    await admin.logInHere(chief)
    const save = async (permissions: object) => {
      const { status, text } = await admin.submit(`/admin/auth/group/${id}/change/`, { name: group, ...permissions })
      assert.equal(status, 302, text)
    }
    await save({ permissions: String(permission) })
    assert.deepEqual(await allowedHere(visitor), ['openings.publish_opening'])
    assert.equal((await visitor.there('/perms?name=openings.publish_opening')).json.has, true)
    await save({})
    assert.deepEqual(await allowedHere(visitor), [])
  },

  async 'A session that begins here without a login is read in Django, and is logged in by either side with its data.'(
    pair,
  ) {
    for (const logIn of ['logInHere', 'logInThere'] as const) {
      const [visitor, person] = [pair.visitor(), await pair.person()]
      await visitor.here('/session', { set: { cart: ['tea'] } })
      assert.deepEqual((await visitor.dataThere()).cart, ['tea'])
      await visitor.is('')
      await visitor[logIn](person)
      await visitor.is(person.name)
      assert.deepEqual((await visitor.dataThere()).cart, ['tea'], logIn)
      assert.deepEqual((await visitor.dataHere()).cart, ['tea'], logIn)
    }
  },

  async 'A session that begins in Django without a login is read here, and is logged in by either side with its data.'(
    pair,
  ) {
    for (const logIn of ['logInHere', 'logInThere'] as const) {
      const [visitor, person] = [pair.visitor(), await pair.person()]
      await visitor.there('/session', { set: { cart: ['tea'] } })
      assert.deepEqual((await visitor.dataHere()).cart, ['tea'])
      await visitor.is('')
      await visitor[logIn](person)
      await visitor.is(person.name)
      assert.deepEqual((await visitor.dataThere()).cart, ['tea'], logIn)
      assert.deepEqual((await visitor.dataHere()).cart, ['tea'], logIn)
    }
  },

  async "Another user's login flushes the data, whichever side it is on and whichever side the first one was on."(
    pair,
  ) {
    for (const [first, second] of [
      ['logInHere', 'logInThere'],
      ['logInThere', 'logInHere'],
      ['logInHere', 'logInHere'],
    ] as const) {
      const [one, other] = [await pair.person(), await pair.person()]
      const visitor = pair.visitor()
      await visitor[first](one)
      await visitor.here('/session', { set: { cart: ['tea'] } })
      await visitor[second](other)
      await visitor.is(other.name)
      assert.equal((await visitor.dataThere()).cart, undefined)
      assert.deepEqual(await visitor.dataHere(), {})
    }
  },

  async 'The cookie of a login here is that of a login in Django, but for the session that it names.'(pair) {
    const person = await pair.person()
    const attributes = (setCookies: string[]) => {
      const line = setCookies.find(one => one.startsWith('sessionid='))!
      const [, ...given] = line.split(/; */)
      // A date says again what Max-Age says.
      return given
        .map(one => one.toLowerCase())
        .filter(one => !one.startsWith('expires='))
        .sort()
    }
    const there = await pair.visitor().logInThere(person)
    const here = await pair.visitor().logInHere(person)
    assert.deepEqual(attributes(here.headers.getSetCookie()), attributes(there.headers.getSetCookie()))
  },
})

/** Logging in, where sessions have keys. */
export const renewalChecks: InteropChecks = checksOf('server', {
  async 'A login gives the session another key, and the one it had leads nowhere on either side.'(pair) {
    for (const logIn of ['logInHere', 'logInThere'] as const) {
      const visitor = pair.visitor()
      await visitor.here('/session', { set: { cart: ['tea'] } })
      const old = visitor.copy()
      const person = await pair.person()
      await visitor[logIn](person)
      assert.notEqual(visitor.cookie, old.cookie)
      assert.equal(await pair.stage.stored(old.cookie), null)
      await old.is('')
      await visitor.is(person.name)
    }
  },
})

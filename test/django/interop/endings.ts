import assert from 'node:assert/strict'
import { checksOf, type InteropChecks } from './check.ts'
import type { Pair, PairVisitor, Person } from './pair.ts'

/** Two browsers in which somebody is logged in, one by each side. */
async function two(pair: Pair, person: Person): Promise<[PairVisitor, PairVisitor]> {
  const [one, other] = [pair.visitor(), pair.visitor()]
  await one.logInHere(person)
  await other.logInThere(person)
  return [one, other]
}

async function changePassword(visitor: PairVisitor, { password }: Person): Promise<void> {
  const next = `${password}, a new one`
  const fields = { old_password: password, new_password1: next, new_password2: next }
  assert.equal((await visitor.submit('/accounts/password/', fields)).status, 302)
}

/** What ends a login. */
export const endingChecks: InteropChecks = checksOf(null, {
  async 'Who logs out here is logged out in Django, and the cookie is gone.'(pair) {
    const visitor = await pair.loggedIn(await pair.person())
    await visitor.logOutHere()
    assert.equal(visitor.cookie, '')
    await visitor.is('')
  },

  async 'Who logs out of Django is logged out here.'(pair) {
    const visitor = pair.visitor()
    await visitor.logInHere(await pair.person())
    await visitor.logOutThere()
    await visitor.is('')
  },

  async 'After a change of the password in Django that browser stays logged in on both sides, and the others are out on both.'(
    pair,
  ) {
    const person = await pair.person()
    const [one, other] = await two(pair, person)
    await other.here('/session', { set: { mark: 1 } })
    await changePassword(one, person)
    await one.is(person.name)
    const answer = await other.here('/session', { set: { mark: 2 } })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.headers.getSetCookie(), [])
    await other.is('')
  },

  async 'Somebody who is deactivated is out on both sides, and back on both when active again: the session was left alone.'(
    pair,
  ) {
    const person = await pair.person()
    const browsers = await two(pair, person)
    await pair.change(person, { is_active: false })
    for (const browser of browsers) {
      const answer = await browser.here('/session', { set: { mark: 1 } })
      assert.deepEqual(answer.headers.getSetCookie(), [])
      await browser.is('')
    }
    await pair.change(person, { is_active: true })
    for (const browser of browsers) {
      await browser.is(person.name)
      assert.deepEqual(await browser.dataHere(), {})
    }
  },

  async 'Somebody who is deleted is out on both sides.'(pair) {
    const person = await pair.person()
    const browsers = await two(pair, person)
    await pair.stage.site.run('User.objects.get(pk=given).delete()', person.id)
    for (const browser of browsers) await browser.is('')
  },

  async 'Whom no table knows logs in here and is nobody in Django, whose own login on top counts on both sides.'(pair) {
    const [visitor, partner, person] = [pair.visitor(), pair.partner(), await pair.person()]
    await visitor.logInHere(partner)
    assert.deepEqual(await visitor.names(), { here: partner.name, there: '' })
    await visitor.there('/session', { set: { seen: 'there' } })
    assert.deepEqual(await visitor.names(), { here: partner.name, there: '' })
    assert.equal((await visitor.dataHere()).seen, 'there')
    await visitor.logInThere(person)
    await visitor.is(person.name)
    await visitor.logOutThere()
    await visitor.is('')
  },

  async "A logout in Django ends the login here of whom no table knows, and such a login here ends Django's."(pair) {
    const [visitor, partner] = [await pair.loggedIn(await pair.person()), pair.partner()]
    await visitor.here('/session', { set: { cart: ['tea'] } })
    await visitor.logInHere(partner)
    assert.deepEqual(await visitor.names(), { here: partner.name, there: '' })
    assert.deepEqual(await visitor.dataHere(), {})
    assert.equal((await visitor.dataThere()).cart, undefined)
    await visitor.logOutThere()
    await visitor.is('')
  },
})

/** What ends on the server, wherever the cookie is by then. */
export const serverEndingChecks: InteropChecks = checksOf('server', {
  async 'After a logout on either side a copy of the cookie is nobody on both.'(pair) {
    for (const logOut of ['logOutHere', 'logOutThere'] as const) {
      const visitor = await pair.loggedIn(await pair.person())
      await visitor.here('/session', { set: { mark: 1 } })
      const copy = visitor.copy()
      await visitor[logOut]()
      assert.equal(await pair.stage.stored(copy.cookie), null)
      await copy.is('')
    }
  },

  async 'ctx.logoutEverywhere() ends all sessions of the user on both sides, and nobody else’s.'(pair) {
    const [person, neighbour] = [await pair.person(), await pair.person()]
    const [one, other] = await two(pair, person)
    const next = await pair.loggedIn(neighbour)
    await one.here('/everywhere', {})
    for (const browser of [one, other]) {
      await browser.is('')
      assert.equal(await pair.stage.stored(browser.cookie), null)
    }
    await next.is(neighbour.name)
  },

  async 'ctx.logoutEverywhere({ keepCurrent: true }) ends all but this one, which gets another key.'(pair) {
    const person = await pair.person()
    const [one, other] = await two(pair, person)
    await one.here('/session', { set: { cart: ['tea'] } })
    const copy = one.copy()
    await one.here('/everywhere?keep', {})
    await one.is(person.name)
    assert.deepEqual((await one.dataThere()).cart, ['tea'])
    assert.notEqual(one.cookie, copy.cookie)
    await copy.is('')
    await other.is('')
  },

  async 'ctx.logoutEverywhere() of whom no table knows ends the other sessions, and leaves those of Django’s users.'(
    pair,
  ) {
    const [partner, person] = [pair.partner(), await pair.person()]
    const [one, other, users] = [pair.visitor(), pair.visitor(), await pair.loggedIn(person)]
    for (const browser of [one, other]) await browser.logInHere(partner)
    await one.here('/everywhere', {})
    await other.is('')
    await users.is(person.name)
  },
})

/** What cannot end, where the cookie holds all of the session. */
export const cookieEndingChecks: InteropChecks = checksOf('cookie', {
  async 'After a logout on either side a copy of the cookie holds on both, as it does in Django alone.'(pair) {
    for (const logOut of ['logOutHere', 'logOutThere'] as const) {
      const person = await pair.person()
      const visitor = await pair.loggedIn(person)
      const copy = visitor.copy()
      await visitor[logOut]()
      await visitor.is('')
      await copy.is(person.name)
    }
  },

  async 'Such a copy ends with the password, on both sides.'(pair) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    const copy = visitor.copy()
    await visitor.logOutHere()
    await visitor.logInHere(person)
    await changePassword(visitor, person)
    await visitor.is(person.name)
    await copy.is('')
  },

  async 'ctx.logoutEverywhere() of a user of Django is refused with an error, and changes nothing.'(pair) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    for (const path of ['/everywhere', '/everywhere?keep']) {
      const answer = await visitor.here(path, {})
      assert.equal(answer.status, 500)
      assert.equal(answer.text, 'Internal Server Error')
      assert.deepEqual(answer.headers.getSetCookie(), [])
    }
    assert.deepEqual(
      pair.takeFaults().map(({ code }) => code),
      ['SESSIONS_NOT_ENDABLE', 'SESSIONS_NOT_ENDABLE'],
    )
    await visitor.is(person.name)
  },

  async 'Of whom no table knows a copy of the cookie ends with the logout here, where epochs keep that.'(pair) {
    const [visitor, partner] = [pair.visitor(), pair.partner()]
    await visitor.logInHere(partner)
    const copy = visitor.copy()
    assert.equal((await copy.names()).here, partner.name)
    await visitor.logOutHere()
    await copy.is('')
  },
})

import assert from 'node:assert/strict'
import { checksOf, type InteropChecks } from './check.ts'
import type { Pair, PairVisitor } from './pair.ts'
import { AGE, DAY } from './ways.ts'

/** Whatever a login here says of how long its cookie lasts, in seconds; null: until the browser is closed. */
async function ageOfLogin(pair: Pair, visitor: PairVisitor): Promise<number | null> {
  const answer = await visitor.logInHere(await pair.person())
  const line = answer.headers.getSetCookie().find(one => one.startsWith('sessionid='))!
  const [, age] = /; max-age=(\d+)/i.exec(line) ?? []
  return age === undefined ? null : Number(age)
}

/** How long sessions last. */
export const lifetimeChecks: InteropChecks = checksOf(null, {
  async 'The cookie of a login here lasts as long as SESSION_COOKIE_AGE says, or as set_expiry() has said in Django.'(
    pair,
  ) {
    assert.equal(await ageOfLogin(pair, pair.visitor()), AGE / 1000)
    for (const [expiry, age] of [
      [600, 600],
      [10 * 365 * 86_400, 10 * 365 * 86_400],
      [0, null],
    ] as const) {
      const visitor = pair.visitor()
      await visitor.there('/session', { set: { mark: 1 }, expiry })
      assert.equal(await ageOfLogin(pair, visitor), age)
      const there = (await visitor.there('/session')).json
      assert.equal(there.expiry.at_browser_close, expiry === 0)
      assert.equal(there.expiry.age, age ?? AGE / 1000)
      assert.equal(there.data._session_expiry, expiry)
      assert.deepEqual(await visitor.dataHere(), { mark: 1 })
    }
  },

  async 'A session that is too old is gone on both sides, and goes on on neither.'(pair) {
    const person = await pair.person()
    for (const logIn of ['logInHere', 'logInThere'] as const) {
      const visitor = pair.visitor()
      await visitor[logIn](person)
      await visitor.here('/session', { set: { mark: 1 } })
      await visitor.is(person.name)
      visitor.cookie = await pair.stage.expire(visitor.cookie)
      await visitor.is('')
      assert.deepEqual(await visitor.dataHere(), {})
    }
  },

  async 'By a clock that is ahead of its end a session is nobody here, and Django’s login goes on untouched.'(pair) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    const before = [visitor.cookie, await pair.stage.stored(visitor.cookie)]
    const [late, early] = [AGE + 60_000, AGE - 600_000]
    const ahead = await pair.beside({ sessions: { now: () => Date.now() + late } })
    assert.equal((await ahead.visitor(visitor.cookie).here('/me')).json.username, '')
    const almost = await pair.beside({ sessions: { now: () => Date.now() + early } })
    assert.equal((await almost.visitor(visitor.cookie).here('/me')).json.username, person.name)
    assert.deepEqual([visitor.cookie, await pair.stage.stored(visitor.cookie)], before)
    await visitor.is(person.name)
  },
})

/** When Django says that a session in its table ends, in epoch milliseconds. */
async function endThere({ stage: { site } }: Pair, { cookie }: PairVisitor): Promise<number> {
  const end =
    'from django.contrib.sessions.models import Session; answer(Session.objects.get(pk=given).expire_date.isoformat())'
  return Date.parse(String(await site.run(end, cookie)))
}

/** How long sessions last, where a table says it. */
export const rowLifetimeChecks: InteropChecks = checksOf('rows', {
  async 'A session that is changed here ends when Django would have it end, by its settings and by set_expiry().'(
    pair,
  ) {
    for (const [expiry, age] of [
      [null, AGE],
      [600, 600_000],
      [0, AGE],
    ] as const) {
      for (const change of ['here', 'there'] as const) {
        const visitor = await pair.loggedIn(await pair.person())
        if (expiry !== null) await visitor.there('/session', { expiry })
        const before = Date.now()
        await visitor[change]('/session', { set: { mark: 1 } })
        const end = await endThere(pair, visitor)
        // A second for what the database cuts off.
        assert.ok(end >= before + age - 1000 && end <= Date.now() + age + 1000, `${change} ${expiry}: ${end - before}`)
      }
    }
  },

  async 'Reading, here as there, leaves its end alone; where Django saves at every request it is moved on here as well.'(
    pair,
  ) {
    const visitor = await pair.loggedIn(await pair.person())
    const before = await pair.stage.stored(visitor.cookie)
    await visitor.is((await visitor.names()).here)
    assert.equal(await pair.stage.stored(visitor.cookie), before)
    const end = await endThere(pair, visitor)
    const sliding = await pair.beside({ sessions: { saveEveryRequest: true, now: () => Date.now() + DAY } })
    const answer = await sliding.visitor(visitor.cookie).here('/me')
    assert.match(
      answer.headers.getSetCookie().join(),
      new RegExp(`^sessionid=${visitor.cookie};.*max-age=${AGE / 1000}`, 'i'),
    )
    const moved = (await endThere(pair, visitor)) - end
    assert.ok(Math.abs(moved - DAY) < 60_000, String(moved))
  },

  async 'A date of Django 4.1 and later is kept to, and stays.'(pair) {
    const at = new Date(Date.now() + 2 * 3_600_000).toISOString().replace('Z', '000+00:00')
    const put = `
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils.dateparse import parse_datetime
key = SessionStore()._get_new_session_key()
text = SessionStore().encode({'mark': 1, '_session_expiry': given})
Session.objects.create(session_key=key, session_data=text, expire_date=parse_datetime(given))
answer(key)`
    const visitor = pair.visitor(String(await pair.stage.site.run(put, at)))
    assert.deepEqual(await visitor.dataHere(), { mark: 1 })
    await visitor.here('/session', { set: { mark: 2 } })
    assert.ok(Math.abs((await endThere(pair, visitor)) - Date.parse(at)) < 1000)
    const age = (await ageOfLogin(pair, visitor))!
    assert.ok(age <= 7200 && age > 7000, String(age))
    assert.ok(Math.abs((await endThere(pair, visitor)) - Date.parse(at)) < 1000)
  },
})

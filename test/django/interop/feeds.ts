import assert from 'node:assert/strict'
import { basic } from '../../feeds/people.ts'
import type { Answer } from '../../servers/django/visitor.ts'
import { checksOf, type InteropChecks } from './check.ts'
import type { Pair, PairVisitor } from './pair.ts'

/** Polls the feed, with credentials or a cookie. */
function poll(pair: Pair, authorization?: string, visitor: PairVisitor = pair.visitor()): Promise<Answer> {
  return visitor.send('GET', `${pair.app.url}/feed`, undefined, authorization === undefined ? {} : { authorization })
}

/** Private feeds of Django's users. */
export const feedChecks: InteropChecks = checksOf(null, {
  async "A feed is read with Django's password, by name or by e-mail address, and a poll begins no session."(pair) {
    const { name, email, password } = await pair.person()
    for (const who of [name, email]) {
      const answer = await poll(pair, basic(who, password))
      assert.deepEqual([answer.status, answer.text], [200, name])
      assert.deepEqual(answer.headers.getSetCookie(), [])
    }
    for (const wrong of [basic(name, 'wrong'), basic('nobody', password), undefined]) {
      const answer = await poll(pair, wrong)
      assert.equal(answer.status, 401)
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic /)
      assert.deepEqual(answer.headers.getSetCookie(), [])
    }
  },

  async "A feed is read with Django's session, until it ends there."(pair) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    const { cookie } = visitor
    assert.equal((await poll(pair, undefined, visitor)).text, person.name)
    assert.equal(visitor.cookie, cookie)
    await visitor.logOutThere()
    assert.equal((await poll(pair, undefined, visitor)).status, 401)
  },

  async 'A poll with a password that was changed in Django, or by somebody who is deactivated there, is refused.'(
    pair,
  ) {
    const person = await pair.person()
    const { name, password } = person
    assert.equal((await poll(pair, basic(name, password))).status, 200)
    await pair.stage.site.run(
      "user = User.objects.get(pk=given['id']); user.set_password(given['password']); user.save()",
      { id: person.id, password: 'a new one' },
    )
    assert.equal((await poll(pair, basic(name, password))).status, 401)
    assert.equal((await poll(pair, basic(name, 'a new one'))).status, 200)
    await pair.change(person, { is_active: false })
    assert.equal((await poll(pair, basic(name, 'a new one'))).status, 401)
  },
})

import assert from 'node:assert/strict'
import { checksOf, type InteropChecks } from './check.ts'

/** What becomes of Django's copies in its cache. */
export const cacheChecks: InteropChecks = checksOf('cache', {
  async 'What is changed here Django sees at once; without the option `cache` it would go on with its old copy.'(pair) {
    const visitor = await pair.loggedIn(await pair.person())
    await visitor.there('/session', { set: { mark: 1 } })
    await visitor.here('/session', { set: { mark: 2 } })
    assert.equal((await visitor.dataThere()).mark, 2)
    const careless = await pair.beside({ sessions: { cache: undefined } })
    await careless.visitor(visitor.cookie).here('/session', { set: { mark: 3 } })
    assert.deepEqual(await visitor.dataHere(), { mark: 3 })
    assert.equal((await visitor.dataThere()).mark, 2, 'the control: an old copy')
  },

  async 'What ends here Django forgets at once; without the option `cache` it would go on with its old copy.'(pair) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    const copy = visitor.copy()
    await copy.is(person.name)
    await visitor.logOutHere()
    await copy.is('')
    const careless = await pair.beside({ sessions: { cache: undefined } })
    const other = await pair.loggedIn(person)
    await careless.visitor(other.cookie).logOutHere()
    assert.equal((await other.there('/whoami')).json.username, person.name, 'the control: an old copy')
  },
})

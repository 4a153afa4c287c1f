import assert from 'node:assert/strict'
import { checksOf, type InteropChecks } from './check.ts'
import type { Pair, PairVisitor } from './pair.ts'
import { MODEL_BACKEND, OTHER_BACKEND } from './ways.ts'

const OTHER_KEY = 'a key that this Django has never had'

/** Everything that a browser can do here without a login of its own: reading, writing, and writing in one step. */
async function tryAll(visitor: PairVisitor): Promise<void> {
  assert.equal((await visitor.here('/me')).json.username, '')
  assert.equal((await visitor.here('/feed')).status, 401)
  for (const path of ['/session', '/update']) {
    const answer = await visitor.here(path, { set: { mark: 'of a mistake' } })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.headers.getSetCookie(), [], path)
  }
}

/** Holds that nothing here touches a session that Django knows and this application does not understand. */
async function assertLeftAlone(pair: Pair, mistaken: Pair, cookie: string): Promise<void> {
  const before = await pair.stage.stored(cookie)
  const visitor = mistaken.visitor(cookie)
  await tryAll(visitor)
  assert.equal(visitor.cookie, cookie)
  assert.equal(await pair.stage.stored(cookie), before)
}

/** What a cookie may hold instead of a session. */
const BAD_COOKIES = [
  'x',
  '../../etc/passwd',
  'A'.repeat(32),
  'a'.repeat(31),
  'a'.repeat(33),
  `${'a'.repeat(31)}%00`,
  `"${'a'.repeat(32)}"`,
  'eyJhIjoxfQ:1abcde:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '.'.repeat(4000),
]

/** What is wrong with a session, or with what this application was told, is never Django's loss. */
export const mistakeChecks: InteropChecks = checksOf(null, {
  async 'With another SECRET_KEY here everybody is anonymous here, nothing is stored, and Django’s login holds.'(pair) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    const mistaken = await pair.beside({ sessions: { secretKey: OTHER_KEY }, users: { secretKey: OTHER_KEY } })
    await assertLeftAlone(pair, mistaken, visitor.cookie)
    await visitor.is(person.name)
    // Somebody who logs in nevertheless gets a session of their own.
    const other = mistaken.visitor(visitor.cookie)
    await other.logInHere(person)
    assert.equal((await other.here('/me')).json.username, person.name)
    assert.notEqual(other.cookie, visitor.cookie)
    await visitor.is(person.name)
  },

  async 'With another SECRET_KEY for the users alone the same holds.'(pair) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    const mistaken = await pair.beside({ users: { secretKey: OTHER_KEY } })
    await assertLeftAlone(pair, mistaken, visitor.cookie)
    await visitor.is(person.name)
  },

  async 'Where the name of the backend of users() is another one, Django’s users are guests here, and their login goes on.'(
    pair,
  ) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    await visitor.there('/session', { set: { cart: ['tea'] } })
    const mistaken = await pair.beside({ sessions: { backend: 'members' } })
    const guest = mistaken.visitor(visitor.cookie)
    assert.equal((await guest.here('/me')).json.username, '')
    await guest.here('/session', { set: { mark: 1 } })
    assert.deepEqual(await guest.dataHere(), { mark: 1 })
    await guest.there('/whoami')
    const back = pair.visitor(guest.cookie)
    await back.is(person.name)
    assert.deepEqual(await back.dataHere(), { cart: ['tea'] })
  },

  async 'A login by a backend of Django’s that does not count here is a guest’s here, and goes on untouched in Django.'(
    pair,
  ) {
    const person = await pair.person()
    const cookie = await pair.keep({ cart: ['tea'] }, { id: person.id, backend: OTHER_BACKEND })
    const visitor = pair.visitor(cookie)
    assert.deepEqual(await visitor.names(), { here: '', there: person.name })
    await visitor.here('/session', { set: { cart: ['of a guest'], mark: 1 } })
    await visitor.here('/update', { set: { mark: 2 } })
    assert.deepEqual(await visitor.dataHere(), { cart: ['of a guest'], mark: 2 })
    assert.deepEqual(await visitor.names(), { here: '', there: person.name })
    assert.equal((await visitor.there('/whoami')).json.backend, OTHER_BACKEND)
    const { cart, mark } = await visitor.dataThere()
    assert.deepEqual([cart, mark], [['tea'], undefined])
  },

  async 'Once `authenticationBackends` lists that backend, it is a login here, and stays one by that backend.'(pair) {
    const person = await pair.person()
    const authenticationBackends = [MODEL_BACKEND, OTHER_BACKEND]
    const told = await pair.beside({ sessions: { authenticationBackends } })
    const visitor = told.visitor(await pair.keep({ cart: ['tea'] }, { id: person.id, backend: OTHER_BACKEND }))
    await visitor.is(person.name)
    await visitor.here('/session', { set: { mark: 1 } })
    await visitor.is(person.name)
    assert.equal((await visitor.there('/whoami')).json.backend, OTHER_BACKEND)
    const { cart, mark } = await visitor.dataThere()
    assert.deepEqual([cart, mark], [['tea'], 1])
    await visitor.logInHere(person)
    assert.equal((await visitor.there('/whoami')).json.backend, OTHER_BACKEND)
  },

  async 'A cookie of no shape of Django’s, or two of them, is dropped here, and nothing that is written goes anywhere else.'(
    pair,
  ) {
    const person = await pair.person()
    const visitor = await pair.loggedIn(person)
    const ask = async (cookie: string) => {
      const { port } = pair.app
      const response = await fetch(`http://127.0.0.1:${port}/me`, { headers: { cookie } })
      assert.equal(response.status, 200, cookie)
      assert.deepEqual(response.headers.getSetCookie(), [], cookie)
      return ((await response.json()) as { username: string }).username
    }
    for (const value of BAD_COOKIES) assert.equal(await ask(`sessionid=${value}`), '', value)
    assert.equal(await ask(`sessionid=${visitor.cookie}; sessionid=${visitor.cookie}`), '')
    assert.equal(await ask(`sessionid=x; sessionid=${visitor.cookie}`), '')
    assert.equal(await ask(`sessionid=${visitor.cookie}`), person.name, 'the control: one of them')
    await visitor.is(person.name)
  },
})

/** A change of one character of each part of what is stored. */
function tampered(text: string): string[] {
  const at = (index: number) => `${text.slice(0, index)}${text[index] === 'a' ? 'b' : 'a'}${text.slice(index + 1)}`
  return [at(5), at(text.indexOf(':') + 2), at(text.lastIndexOf(':') + 3), '', 'x', text.slice(0, -1)]
}

/** What is wrong with what a table holds. */
export const rowMistakeChecks: InteropChecks = checksOf('rows', {
  async 'A row that was tampered with is nobody here, and stays as it is; who logs in then is logged in on both sides.'(
    pair,
  ) {
    const person = await pair.person()
    const { knex } = pair.stage
    const { cookie } = await pair.loggedIn(person)
    const row = () => knex('django_session').where({ session_key: cookie })
    const { session_data: text } = await row().first()
    for (const data of tampered(text)) {
      await row().update({ session_data: data })
      await assertLeftAlone(pair, pair, cookie)
    }
    const visitor = pair.visitor(cookie)
    const before = await pair.stage.stored(cookie)
    await visitor.logInHere(person)
    await visitor.is(person.name)
    assert.equal(await pair.stage.stored(cookie), before)
    await row().update({ session_data: text })
    await pair.visitor(cookie).is(person.name)
  },

  async 'For a cookie of no shape of Django’s no session is asked for, and a poll of a feed makes none.'(pair) {
    const { stage } = pair
    const knex = stage.site.database.open()
    const asked: string[] = []
    knex.on('query', ({ sql }: { sql: string }) => asked.push(sql))
    const person = await pair.person()
    const watched = await pair.beside({ sessions: { database: knex } })
    for (const value of BAD_COOKIES) await watched.visitor(value).here('/me')
    const authorization = `Basic ${Buffer.from(`${person.name}:${person.password}`).toString('base64')}`
    const { status } = await pair.visitor().send('GET', `${watched.app.url}/feed`, undefined, { authorization })
    assert.equal(status, 200)
    assert.deepEqual(asked, [])
    await watched.visitor('a'.repeat(32)).here('/me')
    assert.equal(asked.length, 1, 'the control: a cookie of the right shape')
  },
})

/** What is wrong with a cookie that holds all of the session. */
export const cookieMistakeChecks: InteropChecks = checksOf('cookie', {
  async 'A cookie that was tampered with is nobody here and is not replaced, until somebody logs in.'(pair) {
    const person = await pair.person()
    const { cookie } = await pair.loggedIn(person)
    for (const value of tampered(cookie).filter(one => one !== '')) await tryTampered(pair, value)
    const [bad = ''] = tampered(cookie)
    const visitor = pair.visitor(bad)
    await visitor.logInHere(person)
    await visitor.is(person.name)
    await pair.visitor(cookie).is(person.name)
  },
})

async function tryTampered(pair: Pair, value: string): Promise<void> {
  const visitor = pair.visitor(value)
  assert.equal((await visitor.here('/me')).json.username, '')
  assert.equal(visitor.cookie, value)
}

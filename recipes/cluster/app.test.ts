import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import knexFactory from 'knex'
import { memoryStore } from 'koa-strata'
import { createClub } from './app.ts'
import { createTables } from './database.ts'
import { addMembers, PEOPLE } from './example.ts'

/** Two processes of the site, as far as they are two apps on one store and one database. */
async function start(t: ExecutionContext): Promise<string[]> {
  const database = knexFactory({
    client: 'better-sqlite3',
    connection: ':memory:',
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  })
  t.teardown(() => database.destroy())
  await createTables(database)
  await addMembers(database, PEOPLE)
  const store = memoryStore()
  return Promise.all(
    ['one', 'two'].map(async name => {
      const app = createClub({ store, throttle: {}, database, keys: ['k'.repeat(32)], name, proxies: ['127.0.0.1'] })
      app.silent = true
      const server = createServer(app.callback()).listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.teardown(() => server.close())
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }),
  )
}

class Visitor {
  readonly #origins: readonly string[]
  #requests = 0
  cookie = ''

  constructor(origins: readonly string[]) {
    this.#origins = origins
  }

  static async loggedIn(origins: readonly string[], username: string, password = PEOPLE[username]!): Promise<Visitor> {
    const visitor = new Visitor(origins)
    const { status } = await visitor.send('/login', { username, password })
    if (status !== 303) throw new Error(`${username} could not log in: ${status}`)
    return visitor
  }

  async look(): Promise<string | undefined> {
    const { text } = await this.send('/')
    return /Logged in as \w+\. Boat: [^.]+\. Laps since then: \d+/.exec(text)?.[0]
  }

  /** Each request goes to the other process. */
  async send(path: string, form?: Record<string, string>): Promise<{ status: number; text: string }> {
    const response = await fetch(this.#origins[this.#requests++ % this.#origins.length]! + path, {
      redirect: 'manual',
      headers: { cookie: this.cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    const line = response.headers.getSetCookie().find(one => one.startsWith('sid='))
    if (line !== undefined) this.cookie = line.split(';', 1)[0]!
    return { status: response.status, text: await response.text() }
  }
}

test('Laps that are rowed at one process count at the other.', async t => {
  const ada = await Visitor.loggedIn(await start(t), 'ada')
  for (let lap = 0; lap < 3; lap++) t.is((await ada.send('/laps', {})).status, 303)
  t.is(await ada.look(), 'Logged in as ada. Boat: boat of ada. Laps since then: 3')
  t.is(await ada.look(), 'Logged in as ada. Boat: boat of ada. Laps since then: 3')
})

test('S4: a new password that is set at one process ends the other sessions of the user at both, and leaves those of others.', async t => {
  const origins = await start(t)
  const [ada, elsewhere, noor] = await Promise.all(['ada', 'ada', 'noor'].map(name => Visitor.loggedIn(origins, name)))
  const next = 'another password of ada'
  t.is((await ada!.send('/password', { password: PEOPLE.ada!, next })).status, 303)
  t.regex((await ada!.look())!, /^Logged in as ada\./)
  for (const _ of origins) t.is(await elsewhere!.look(), undefined)
  t.regex((await noor!.look())!, /^Logged in as noor\./)
  await t.throwsAsync(Visitor.loggedIn(origins, 'ada'), { message: 'ada could not log in: 401' })
  t.regex((await (await Visitor.loggedIn(origins, 'ada', next)).look())!, /^Logged in as ada\./)
})

test('A password is not changed by somebody who does not know it, nor to one that is too short, nor by nobody.', async t => {
  const origins = await start(t)
  const ada = await Visitor.loggedIn(origins, 'ada')
  t.is((await ada.send('/password', { password: 'wrong', next: 'another password of ada' })).status, 401)
  t.is((await ada.send('/password', { password: PEOPLE.ada!, next: 'short' })).status, 422)
  t.regex((await ada.look())!, /^Logged in as ada\./)
  const nobody = new Visitor(origins)
  t.is((await nobody.send('/password', { password: '', next: 'a password of nobody' })).status, 401)
  t.is((await nobody.send('/laps', {})).status, 401)
})

test('X4: a logout at one process holds at the other.', async t => {
  const ada = await Visitor.loggedIn(await start(t), 'ada')
  const { cookie } = ada
  await ada.send('/logout', {})
  ada.cookie = cookie
  t.is(await ada.look(), undefined)
  ada.cookie = cookie
  t.is(await ada.look(), undefined)
})

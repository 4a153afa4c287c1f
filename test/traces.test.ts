import { AsyncLocalStorage } from 'node:async_hooks'
import { type TracingChannelSubscribers, tracingChannel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { AccessDenied, memoryStore, sessionOrBasicAuth, type UserBackend } from 'koa-strata'
import { type StrataTraces, traced } from '../lib/traces.ts'
import { directory, logIn, startUsersApp } from './users/app.ts'

type Told = [moment: string, message: object]

// Channels are the process's own, so the tests of this file take turns.
function listen(t: ExecutionContext, name: keyof StrataTraces): Told[] {
  const told: Told[] = []
  const note = (moment: string) => (message: object) => told.push([moment, { ...message }])
  const subscribers = {
    start: note('start'),
    end: note('end'),
    asyncStart: () => {},
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  } as TracingChannelSubscribers<object>
  tracingChannel(name).subscribe(subscribers)
  t.teardown(() => tracingChannel(name).unsubscribe(subscribers))
  return told
}

function momentsOf(told: Told[], moment: string): object[] {
  return told.filter(([one]) => one === moment).map(([, message]) => message)
}

test.serial('Where nobody listens a call is made as it is, and nothing is made of it.', async t => {
  const answer = Promise.resolve('answer')
  const begun = {
    get operation(): string {
      return t.fail() as never
    },
  }
  t.is(
    traced('koa-strata:store', begun, () => answer),
    answer,
  )
})

test.serial('Where somebody listens the caller has the answer, and the listeners what is told of it.', async t => {
  const told = listen(t, 'koa-strata:authenticate')
  const answer = { key: 'local:alice' }
  const found = await traced(
    'koa-strata:authenticate',
    { backend: 'local' },
    async () => answer,
    ({ key }) => ({ user: key }),
  )
  t.is(found, answer)
  t.deepEqual(
    told.map(([moment]) => moment),
    ['start', 'end', 'asyncEnd'],
  )
  t.deepEqual(told[0]![1], { backend: 'local' })
  t.like(told[2]![1], { backend: 'local', user: 'local:alice', result: undefined })
})

test.serial('What is thrown reaches the caller and the listeners.', async t => {
  const told = listen(t, 'koa-strata:store')
  const error = new Error('down')
  const failing = traced('koa-strata:store', { operation: 'read' }, () => Promise.reject(error))
  t.is(await t.throwsAsync(failing), error)
  t.deepEqual(momentsOf(told, 'error'), [{ operation: 'read', error }])
  t.is(told.at(-1)![0], 'asyncEnd')
})

test.serial('A context bound to the start holds for the call, and not behind it.', async t => {
  const storage = new AsyncLocalStorage<object>()
  const { start } = tracingChannel<object, object>('koa-strata:store')
  start.bindStore(storage)
  t.teardown(() => start.unbindStore(storage))
  const inside = await traced('koa-strata:store', { operation: 'read' }, async () => {
    await null
    return storage.getStore()
  })
  t.like(inside, { operation: 'read' })
  t.is(storage.getStore(), undefined)
})

test.serial('Each call of the store is told by its operation, one that fails with what is thrown.', async t => {
  const store = memoryStore()
  const app = await startUsersApp(t, { store })
  const told = listen(t, 'koa-strata:store')
  const alice = app.browser()
  await logIn(alice, 'alice')
  await alice.get('/set?a=1')
  const operations = momentsOf(told, 'start').map(message => Reflect.get(message, 'operation'))
  t.true(operations.includes('create') && operations.includes('read') && operations.includes('replace'))
  t.deepEqual(momentsOf(told, 'error'), [])
  const down = new Error('down')
  store.read = () => Promise.reject(down)
  await alice.get('/me')
  const [failed] = momentsOf(told, 'error')
  t.like(failed, { operation: 'read', error: { code: 'SESSION_STORE_UNAVAILABLE', cause: down } })
  t.is(momentsOf(told, 'start').length, momentsOf(told, 'asyncEnd').length)
})

test.serial('Each backend that is asked is told by its name, with what it said.', async t => {
  const first: UserBackend = {
    name: 'first',
    async authenticate({ username }) {
      if (username === 'denied') throw new AccessDenied()
      if (username === 'down') throw new Error('down')
      return null
    },
    load: async () => null,
  }
  const backends = [first, directory('local', { 'a\nb': {}, bob: { isActive: false } })]
  const app = await startUsersApp(t, { backends })
  const told = listen(t, 'koa-strata:authenticate')
  for (const name of ['a\nb', 'bob', 'nobody', 'denied', 'down', '']) await logIn(app.browser(), name)
  const overs = momentsOf(told, 'asyncEnd').map(message => {
    const { backend, outcome, user, error } = message as StrataTraces['koa-strata:authenticate']
    return [backend, outcome ?? Reflect.get(error as object, 'code'), ...(user === undefined ? [] : [user])]
  })
  t.deepEqual(overs, [
    ['first', 'unknown'],
    ['local', 'known', 'local:a\\u000ab'],
    ['first', 'unknown'],
    ['local', 'inactive', 'local:bob'],
    ['first', 'unknown'],
    ['local', 'unknown'],
    ['first', 'denied'],
    ['first', 'BACKEND_UNAVAILABLE'],
  ])
})

test.serial(
  'L9: no trace holds a password, a cookie, an id of a session, data or an Authorization header.',
  async t => {
    const told = [listen(t, 'koa-strata:authenticate'), listen(t, 'koa-strata:store')]
    const store = memoryStore()
    const guard = sessionOrBasicAuth({ realm: 'Test' })
    const app = await startUsersApp(t, {
      store,
      backends: [directory('local', { alice: { password: 'MARKER-right' } })],
      handlers: {
        async '/feed'(ctx) {
          await guard(ctx as never, async () => {})
          return 'feed'
        },
      },
    })
    const browser = app.browser()
    const secrets = ['MARKER']
    const note = () => secrets.push(...[...browser.cookies.values()].flatMap(value => [value, ...value.split('.')]))
    await logIn(browser, 'alice', 'MARKER-wrong')
    await logIn(browser, 'alice', 'MARKER-right')
    note()
    await browser.get('/set?note=MARKER-data')
    await browser.get('/everywhere?keep')
    note()
    const authorization = `Basic ${Buffer.from('alice:MARKER-right').toString('base64')}`
    secrets.push(authorization.slice(6))
    await app.browser().get('/feed', { authorization })
    store.read = () => Promise.reject(new Error('down'))
    await browser.get('/me')
    for (const one of told) t.true(one.length > 4, `${one.length} messages`)
    const text = inspect(told, { depth: 20, maxStringLength: null, maxArrayLength: null })
    for (const secret of secrets) t.false(text.includes(secret), secret)
  },
)

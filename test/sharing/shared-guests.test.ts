import test, { type ExecutionContext } from 'ava'
import { memoryStore, type SessionStore, type SessionsOptions } from 'koa-strata'
import { type Browser, gate } from '../sessions/app.ts'
import { CARRIERS, directory, logIn, stampingDirectory, startUsersApp, type UsersHandler, whoIs } from '../users/app.ts'

/** A value that is nested as deep as a session takes. */
const deepest = () => JSON.parse(`${'['.repeat(32)}${']'.repeat(32)}`)

const HANDLERS: Record<string, UsersHandler> = {
  '/values': ctx => ctx.session.toJSON(),
  '/deep': ctx => {
    ctx.session.deep = deepest()
    return ''
  },
  '/count': async ctx => {
    await ctx.updateSession(draft => {
      draft.count = (draft.count ?? 0) + 1
    })
    return ''
  },
  '/drop': ctx => {
    delete ctx.session.note
    return ''
  },
}

/** Two applications with one login, where only the first knows who has logged in; somebody is at the second with the same cookies. */
async function start(t: ExecutionContext, options: SessionsOptions, handlers: Record<string, UsersHandler> = {}) {
  // The one ends sessions itself, so that a login stores nothing but the session.
  const [own, foreign] = [stampingDirectory('ours', { bob: {} }), directory('theirs', { alice: {} })]
  const given = { ...options, handlers: { ...HANDLERS, ...handlers } }
  const there = await startUsersApp(t, { ...given, backends: [foreign] })
  const here = await startUsersApp(t, { ...given, backends: [own] })
  const user = there.browser()
  await logIn(user, 'alice')
  await user.get('/set?secret=1')
  return { here, there, user, guest: at(here, user) }
}

/** A browser at an application, with the cookies that it has from another one. */
function at({ browser }: { browser(): Browser }, { cookies }: Browser): Browser {
  const copy = browser()
  for (const [name, value] of cookies) copy.cookies.set(name, value)
  return copy
}

for (const name of ['memory', 'cookie']) {
  const open = CARRIERS[name]!
  test(`X4: L6: ${name}: a guest in the session of another application's user has values of their own, however deep, and the user keeps theirs.`, async t => {
    const { here, there, guest } = await start(t, await open(t))
    await guest.get('/set?note=1')
    await guest.get('/deep')
    await guest.get('/count')
    t.deepEqual((await guest.get('/values')).json, { note: '1', deep: deepest(), count: 1 })
    await guest.get('/drop')
    t.deepEqual((await guest.get('/values')).json, { deep: deepest(), count: 1 })
    const user = at(there, guest)
    t.deepEqual((await user.get('/me')).json, { key: 'theirs:alice', session: { secret: '1' } })
    t.is(await whoIs(guest), '')

    await user.get('/logout')
    const late = at(here, guest)
    if (name !== 'cookie') t.deepEqual((await late.get('/values')).json, {}, 'a guest’s go with the session')
    t.deepEqual([...here.errors, ...there.errors], [])
  })

  test(`X4: S1: ${name}: a guest who logs in takes along what was the guest's, and nothing of the user who was there.`, async t => {
    const { here, there, user, guest } = await start(t, await open(t))
    await guest.get('/set?note=1')
    await logIn(guest, 'bob')
    t.deepEqual((await guest.get('/me')).json, { key: 'ours:bob', session: { note: '1' } })
    t.deepEqual((await at(there, guest).get('/me')).json, { key: '', session: {} }, 'there a guest, without values yet')
    if (name !== 'cookie') t.is(await whoIs(user), '', 'the old cookie leads nowhere')
    t.deepEqual([...here.errors, ...there.errors], [])
  })
}

test('X4: S6: what guests and the user store at once is all kept.', async t => {
  const { user, guest } = await start(t, { store: memoryStore() })
  await Promise.all([
    ...Array.from({ length: 20 }, () => guest.copy().get('/count')),
    ...Array.from({ length: 20 }, (_, index) => guest.copy().get(`/set?g${index}=1`)),
    ...Array.from({ length: 20 }, () => user.copy().get('/count')),
  ])
  const { count, ...set } = (await guest.get('/values')).json
  t.deepEqual([count, Object.keys(set).length], [20, 20])
  t.deepEqual((await user.get('/values')).json, { secret: '1', count: 20 })
})

test('X4: S6: what a guest stores while they log in is kept.', async t => {
  const store = memoryStore()
  const held = gate()
  let holding = false
  const slow: SessionStore = {
    ...store,
    async create(...args) {
      if (holding) await held.pass()
      return store.create(...args)
    },
  }
  const { guest } = await start(t, { store: slow })
  await guest.get('/set?first=1')
  holding = true
  const late = guest.copy()
  const login = logIn(guest, 'bob')
  await held.reached
  await late.get('/set?second=2')
  held.open()
  await login
  t.deepEqual((await guest.get('/me')).json, { key: 'ours:bob', session: { first: '1', second: '2' } })
})

test('X4: a login that fails in the store leaves the guest a guest: nothing of theirs gets among the values of the user.', async t => {
  const store = memoryStore()
  let failing = false
  const broken: SessionStore = {
    ...store,
    create: (...args) => (failing ? Promise.reject(new Error('disk is full')) : store.create(...args)),
  }
  const { user, guest } = await start(
    t,
    { store: broken },
    {
      '/try': async ctx => {
        ctx.session.before = 1
        failing = true
        const bob = await ctx.authenticate({ username: 'bob', password: 'pw' })
        const failed = await ctx.login(bob!).then(
          () => 'logged in',
          error => error.code,
        )
        ctx.session.after = 1
        return failed
      },
    },
  )
  t.is((await guest.get('/try')).text, 'SESSION_STORE_UNAVAILABLE')
  failing = false
  t.deepEqual((await guest.get('/values')).json, { before: 1, after: 1 })
  t.deepEqual((await user.get('/me')).json, { key: 'theirs:alice', session: { secret: '1' } })
})

test('X4: the user’s list has the session once, and what stands in a guest’s place and is none counts as nothing.', async t => {
  const store = memoryStore()
  const { user, guest } = await start(t, { store })
  await guest.get('/set?note=1')
  const listed = (await user.get('/sessions')).json
  t.deepEqual(
    listed.map((one: { isCurrent: boolean }) => one.isCurrent),
    [true],
  )
  const { version, ...record } = (await store.read(listed[0].id))!
  await store.replace(listed[0].id, version, { ...record, data: { ...record.data, _guest: 'text' } })
  t.deepEqual((await guest.get('/values')).json, {})
  await guest.get('/set?note=2')
  t.deepEqual((await guest.get('/values')).json, { note: '2' })
})

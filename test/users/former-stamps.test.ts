import test from 'ava'
import type { UserBackend } from 'koa-strata'
import { CARRIERS, directory, logIn, startUsersApp, userOf, whoIs } from './app.ts'

/** A backend whose users' stamps are by keys, of which the first binds. */
function keyed(...keys: string[]): UserBackend & { keys: string[] } {
  const user = (id: string) => {
    const [stamp, ...formerStamps] = backend.keys.map(key => `${key}(${id})`)
    return { ...userOf('local', id, { stamp: stamp! }), formerStamps }
  }
  const backend = {
    ...directory('local', {}),
    keys,
    load: async (id: string) => user(id),
    authenticate: async () => user('alice'),
  }
  return backend
}

for (const [name, open] of Object.entries(CARRIERS)) {
  test(`S4: ${name}: a session that is bound to a former stamp holds, under its id, and is bound to the present one by its next request.`, async t => {
    const backend = keyed('old')
    const app = await startUsersApp(t, { ...(await open(t)), backends: [backend] })
    const browser = app.browser()
    await logIn(browser, 'alice')
    await browser.get('/set?cart=7')
    const { cookie } = browser
    backend.keys = ['new', 'old']
    t.is(await whoIs(browser), 'local:alice')
    if (name !== 'cookie') t.is(browser.cookie, cookie)
    backend.keys = ['new']
    t.deepEqual((await browser.get('/me')).json, { key: 'local:alice', session: { cart: '7' } })
    t.deepEqual(app.errors, [])
  })

  test(`S4: ${name}: a session that is bound to neither the stamp nor a former one has ended.`, async t => {
    const backend = keyed('old')
    const app = await startUsersApp(t, { ...(await open(t)), backends: [backend] })
    const browser = app.browser()
    await logIn(browser, 'alice')
    backend.keys = ['new', 'older']
    t.is(await whoIs(browser), '')
  })

  test(`S4: ${name}: logoutEverywhere() ends sessions of a former stamp too.`, async t => {
    const backend = keyed('old')
    const app = await startUsersApp(t, { ...(await open(t)), backends: [backend] })
    const [one, other] = [app.browser(), app.browser()]
    await logIn(one, 'alice')
    await logIn(other, 'alice')
    backend.keys = ['new', 'old']
    t.is((await one.get('/everywhere')).status, 200)
    t.deepEqual([await whoIs(one), await whoIs(other)], ['', ''])
  })
}

test('S2: many requests that bind a session to the present stamp at once leave it whole, and logged in.', async t => {
  const backend = keyed('old')
  const app = await startUsersApp(t, { backends: [backend] })
  const browser = app.browser()
  await logIn(browser, 'alice')
  await browser.get('/set?cart=7')
  backend.keys = ['new', 'old']
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => browser.copy().get(`/set?n${n}=1`)))
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  backend.keys = ['new']
  const { json } = await browser.get('/me')
  t.is(json.key, 'local:alice')
  t.is(Object.keys(json.session).length, 21)
})

test('Former stamps that are no texts are an error of the backend, and no login.', async t => {
  const wrong = { ...userOf('local', 'alice'), formerStamps: 'old' as unknown as string[] }
  const app = await startUsersApp(t, {
    backends: [{ name: 'local', load: async () => wrong, authenticate: async () => wrong }],
  })
  t.is((await logIn(app.browser(), 'alice')).status, 500)
  t.is(app.errors[0]?.code, 'BACKEND_INVALID')
})

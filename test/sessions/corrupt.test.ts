import test, { type ExecutionContext } from 'ava'
import { parseContent } from '../../lib/sessions/content.ts'
import { storeId } from '../../lib/sessions/id.ts'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { causes, gate, startApp, type TestApp, WIDE_DEADLINE } from './app.ts'
import { AROUND } from './around.ts'
import { CORRUPT } from './corrupt.ts'
import { idOf, reasons, SESSION_HANDLERS, startOn } from './stored-app.ts'
import { STORES } from './stores.ts'

for (const [name, { setup }] of Object.entries(STORES)) {
  test(`T2: ${name}: what another application keeps under names that are not ours stays, and is not shown.`, async t => {
    const { store, browser } = await startOn(t, { setup })
    await browser.get('/write')
    const id = storeId(idOf(browser))
    const { version, ...record } = (await store.read(id))!
    const foreign = { _other: 1, save: 'x', __defineGetter__: 2, _expire: 9 }
    await store.replace(id, version, { ...record, data: { ...record.data, ...foreign } })
    t.deepEqual((await browser.get('/read')).json, { views: 1 })
    await browser.get('/write')
    const { data } = (await store.read(id))!
    t.like(data, { ...foreign, views: 2 })
  })
}

test('T2: a corrupt payload is dropped, whatever it is: the page answers, an event tells, and a new session can begin.', async t => {
  const gone = reasons()
  let payload: unknown
  const base = memoryStore()
  const store: SessionStore = {
    ...base,
    async read(id) {
      const found = await base.read(id)
      return found && payload !== base ? { ...found, data: payload as object } : found
    },
  }
  const app = await startApp(t, { store, handlers: SESSION_HANDLERS })
  for (const [what, data] of CORRUPT) {
    payload = base
    const browser = app.browser()
    await browser.get('/login?user=ada')
    payload = data
    gone.length = 0
    t.is((await browser.get('/nothing')).text, 'nothing', what)
    const answer = await browser.get('/read')
    t.is(answer.status, 200, what)
    t.deepEqual(answer.json, {}, what)
    t.true(gone.includes('corrupt'), what)
    t.is((await browser.get('/logout')).text, 'logged out', what)
    const old = browser.cookie
    t.is((await browser.get('/write')).status, 200, what)
    t.not(browser.cookie, old, what)
    payload = base
    t.deepEqual((await browser.get('/read')).json, { views: 1 }, what)
  }
  t.deepEqual(app.errors, [])
  t.deepEqual(Object.keys(Object.prototype), [])
  t.is(({} as { polluted?: number }).polluted, undefined)
})

/** Those of them that JSON can hold, as text. */
const AS_JSON = CORRUPT.flatMap(([what, data]) => {
  try {
    const text = JSON.stringify(data)
    const isSame = text !== undefined && parseContent(JSON.parse(text)) === 'corrupt'
    return isSame ? [[what, text] as const] : []
  } catch {
    return []
  }
})

/** What stands where JSON should. */
const NO_JSON = [
  '',
  ' ',
  'no JSON',
  '{"_created":1',
  '{"_created":1}}',
  "{'_created':1}",
  '\ufeff{}',
  '[object Object]',
  'undefined',
  'é\u2028\ud83e\udd8a',
  '['.repeat(100_000),
]

async function assertDropped(t: ExecutionContext, app: TestApp, put: (id: string) => Promise<unknown>, what: string) {
  const browser = app.browser()
  await browser.get('/login?user=ada')
  await browser.get('/write')
  const old = browser.copy()
  await put(storeId(idOf(browser)))
  t.is((await browser.get('/nothing')).text, 'nothing', what)
  t.deepEqual((await browser.get('/read')).json, {}, what)
  t.is((await browser.get('/logout')).text, 'logged out', what)
  t.is((await browser.get('/write')).setCookies.length, 1, what)
  t.deepEqual((await browser.get('/read')).json, { views: 1 }, what)
  t.deepEqual((await old.get('/read')).json, {}, what)
  t.is((await old.get('/login?user=bob')).status, 200, what)
  t.deepEqual((await old.get('/read')).json, { user: 'bob' }, what)
  t.deepEqual(causes(app), [], what)
}

for (const [name, { setup, can }] of Object.entries(STORES)) {
  test(`T2: ${name}: JSON that is no session is dropped wherever it is met, and the user's other sessions are listed.`, async t => {
    const { app, store } = await startOn(t, { setup })
    const other = app.browser()
    await other.get('/login?user=ada')
    for (const [what, text] of AS_JSON) {
      const put = async (id: string) => {
        const { version, ...record } = (await store.read(id))!
        await store.replace(id, version, { ...record, data: JSON.parse(text) })
      }
      await assertDropped(t, app, put, what)
    }
    t.deepEqual((await other.get('/read')).json, { user: 'ada' })
    if (can.includes('list')) t.true((await store.list!('test:ada')).some(({ id }) => id === storeId(idOf(other))))
  })
}

for (const [name, open] of Object.entries(AROUND)) {
  test(`T2: ${name}: what other hands put in the place of a session is dropped, be it JSON or not.`, async t => {
    const { store, putData, putAll } = await open(t)
    const app = await startApp(t, { store, deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS })
    for (const [what, text] of AS_JSON) await assertDropped(t, app, id => putData(id, text), what)
    for (const text of NO_JSON) {
      await assertDropped(t, app, id => putData(id, text), `data: ${text.slice(0, 20)}`)
      if (putAll) await assertDropped(t, app, id => putAll(id, text), text.slice(0, 20))
    }
  })
}

test('T2: Every store but memoryStore() was written around.', t => {
  const names = Object.keys(STORES).map(name => name.replace(/ [(×].*/, ''))
  t.deepEqual([...new Set(names)].filter(name => name !== 'memory').sort(), Object.keys(AROUND).sort())
})

test('T2: a session that turns corrupt while a request runs is not written over.', async t => {
  const held = gate()
  const store = memoryStore()
  const app = await startApp(t, {
    store,
    handlers: {
      ...SESSION_HANDLERS,
      '/slow': async ctx => {
        ctx.session.views = 5
        await held.pass()
        return ''
      },
    },
  })
  const browser = app.browser()
  await browser.get('/write')
  const slow = browser.get('/slow')
  await held.reached
  const id = storeId(idOf(browser))
  const { version, ...record } = (await store.read(id))!
  await store.replace(id, version, { ...record, data: { other: 1 } })
  held.open()
  t.deepEqual((await slow).setCookies, [])
  t.deepEqual((await store.read(id))?.data, { other: 1 })
})

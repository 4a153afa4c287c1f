import test from 'ava'
import { storeId } from '../../lib/sessions/id.ts'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { gate, startApp } from './app.ts'
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

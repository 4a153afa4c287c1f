import test from 'ava'
import type { Browser } from '../sessions/app.ts'
import { STORES } from '../sessions/stores.ts'
import { CARRIERS } from './app.ts'
import { CARRIED, each, endPath, LOADED, loginPath, NOBODY, shown, startDetachedApp } from './detached-app.ts'
import { DETACHED_IDS } from './detached-ids.ts'

for (const [name, open] of Object.entries(CARRIERS)) {
  const lists = STORES[name]?.can.includes('list') ?? false
  test(`X3: S4: ${name}: detached users of any id, of two backends, are each somebody else in all they have.`, async t => {
    const app = await startDetachedApp(t, await open(t))
    const everybody = DETACHED_IDS.map((id, index) => {
      const [mine, other] = index % 2 === 0 ? [CARRIED, LOADED] : [LOADED, CARRIED]
      return { id, mine, other, here: app.browser(), there: app.browser(), namesake: app.browser() }
    })
    const logIn = async (browser: Browser, backend: string, id: string) =>
      t.is((await browser.get(loginPath(backend, id))).text, `${backend}:${id}`)
    const is = async (browser: Browser, backend: string, id: string) =>
      t.deepEqual((await browser.get('/who')).json, shown(backend, id))
    const isNobody = async (browser: Browser) => t.deepEqual((await browser.get('/who')).json, NOBODY)

    await each(everybody, async ({ id, mine, other, here, there, namesake }) => {
      await logIn(here, mine, id)
      await logIn(there, mine, id)
      await logIn(namesake, other, id)
    })
    await each(everybody, async ({ id, mine, other, here, there, namesake }) => {
      await is(here, mine, id)
      await is(namesake, other, id)
      if (!lists) return is(there, mine, id)
      t.is((await here.get('/sessions')).json.length, 2)
      t.is((await namesake.get('/sessions')).json.length, 1)
      t.is((await here.get('/end-others')).text, 'ended')
      await isNobody(there)
      await logIn(there, mine, id)
    })
    await each(everybody, async ({ id, mine, other, here, there, namesake }) => {
      await is(here, mine, id)
      t.is((await app.browser().get(endPath(mine, id))).text, 'ended')
      await isNobody(here)
      await isNobody(there)
      await is(namesake, other, id)
      await namesake.get('/logout')
      await isNobody(namesake)
    })
    t.deepEqual(app.errors, [])
  })
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import test from 'ava'
import { Browser } from '../sessions/app.ts'
import { CARRIED, each, endPath, LOADED, loginPath, NOBODY, shown, startDetachedApp } from './detached-app.ts'
import { DETACHED_IDS } from './detached-ids.ts'
import { makePlace, openPlace, PLACES, type Place } from './detached-places.ts'

let worker: ChildProcess
const agent = new http.Agent({ keepAlive: true })

test.before('Another process starts.', () => {
  worker = fork(new URL('detached-worker.ts', import.meta.url), { execArgv: ['--conditions=koa-strata:source'] })
  worker.setMaxListeners(0)
})

test.after.always('The other process ends.', async () => {
  agent.destroy()
  worker.disconnect()
  await once(worker, 'exit')
})

/** Has the other process serve the same sessions by an app of its own, and answers its port. */
async function servedElsewhere(place: Place): Promise<number> {
  const over = new AbortController()
  const { signal } = over
  const served = new Promise<number>(resolve => {
    worker.on('message', (told: { kind: string; port: number }) => told.kind === place.kind && resolve(told.port))
  })
  const exit = once(worker, 'exit', { signal }).then(([code]) => {
    throw new Error(`the process ended with ${code}`)
  })
  exit.catch(() => {})
  worker.send(place)
  const port = await Promise.race([served, exit])
  over.abort()
  return port
}

for (const kind of Object.keys(PLACES)) {
  test(`S4: ${kind}: detached users of any id are logged in, and out, in another process too.`, async t => {
    const place = await makePlace(t, kind)
    const app = await startDetachedApp(t, { store: await openPlace(t, place) })
    const port = await servedElsewhere(place)
    const elsewhere = (browser: Browser) => {
      const copy = new Browser(port, agent)
      for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
      return copy
    }
    await each([...DETACHED_IDS.entries()], async ([index, id]) => {
      const backend = index % 2 === 0 ? CARRIED : LOADED
      const here = app.browser()
      t.is((await here.get(loginPath(backend, id))).text, `${backend}:${id}`)
      const there = elsewhere(here)
      for (const browser of [there, here]) t.deepEqual((await browser.get('/who')).json, shown(backend, id))
      t.is((await there.get(endPath(backend, id))).text, 'ended')
      t.deepEqual((await here.get('/who')).json, NOBODY)
    })
    t.deepEqual(app.errors, [])
  })
}

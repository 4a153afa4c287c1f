import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { type Browser, startApp, WIDE_DEADLINE } from './app.ts'
import { SESSION_HANDLERS } from './stored-app.ts'

/** How long a call of the far-away store takes, in milliseconds. */
const ROUND_TRIP = 40

/** A store at a distance: whoever calls it in step with others is answered in step with them. */
function distant(store: SessionStore): SessionStore {
  return {
    ...store,
    async read(id) {
      await wait(ROUND_TRIP / 2)
      const found = await store.read(id)
      await wait(ROUND_TRIP / 2)
      return found
    },
    async replace(id, version, record) {
      await wait(ROUND_TRIP / 2)
      const answer = await store.replace(id, version, record)
      await wait(ROUND_TRIP / 2)
      return answer
    },
  }
}

const LATECOMERS: Record<string, (browser: Browser) => Promise<unknown>> = {
  'a save': browser => browser.get('/write'),
  'a login': browser => browser.get('/login?user=bob'),
  'a regenerate()': browser => browser.get('/regenerate'),
  'a logout': browser => browser.get('/logout'),
}

for (const [what, come] of Object.entries(LATECOMERS)) {
  test(`S6: beside a process with many writers of one session in line, ${what} in another process gets its turn.`, async t => {
    const store = distant(memoryStore())
    const options = { store, deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS }
    const [crowded, other] = [await startApp(t, options), await startApp(t, options)]
    const browser = crowded.browser()
    await browser.get('/login?user=ada')
    await browser.get('/write')
    const latecomer = other.browser()
    for (const [name, value] of browser.cookies) latecomer.cookies.set(name, value)
    const writers = Array.from({ length: 60 }, () => browser.copy().get('/write'))
    await writers[0]
    await come(latecomer)
    t.deepEqual(other.errors, [])
    await Promise.all(writers)
    t.deepEqual(crowded.errors, [])
  })
}

import test from 'ava'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { memcachedStore } from '../../lib/sessions/stores/memcached.ts'
import { newId } from '../../lib/testing/store-under-test.ts'
import { startMemcached } from '../servers/memcached.ts'
import { type Handler, LOGINS, live, startApp, WIDE_DEADLINE } from '../sessions/app.ts'
import { openMemcached, recordOf } from '../sessions/stores/memcached/setup.ts'

const handlers: Record<string, Handler> = {
  ...LOGINS,
  '/me': ctx => live(ctx).login?.id ?? 'anonymous',
  '/set': ctx => {
    ctx.session.text = 'x'.repeat(Number(ctx.query.length))
    return 'set'
  },
  '/length': ctx => String(ctx.session.text?.length ?? 0),
}

test('T7: memcached: a session above the item limit is an error that says what to do, and what was stored stays.', async t => {
  const server = await startMemcached(t, { args: ['-I', '64k', '-o', 'slab_chunk_max=32768'] })
  const app = await startApp(t, {
    store: memcachedStore(openMemcached(t, server.url, WIDE_DEADLINE)),
    deadline: WIDE_DEADLINE,
    handlers,
  })
  const browser = app.browser()
  await browser.get('/login?user=ada')
  t.is((await browser.get('/set?length=50000')).status, 200)
  t.is((await browser.get('/set?length=80000')).status, 500)
  t.is((await browser.get('/length')).text, '50000')
  t.is((await browser.get('/me')).text, 'ada')
  t.is((await app.browser().get('/set?length=80000')).status, 500)
  t.deepEqual(new Set(app.errors.map(({ code }) => code)), new Set(['SESSION_DATA_INVALID']))
  t.regex(app.errors[0]!.message, /Store less, or start memcached with a larger -I/)
})

/** Stores sessions like those of `/set?length=…` until the server takes no more, and answers their ids. */
async function fill(store: SessionStore, length: number): Promise<string[]> {
  const ids: string[] = []
  for (;;) {
    const batch = Array.from({ length: 100 }, newId)
    const record = recordOf({ text: 'x'.repeat(length) })
    const answers = await Promise.allSettled(batch.map(id => store.create(id, record)))
    ids.push(...batch.filter((_, index) => answers[index]!.status === 'fulfilled'))
    const refused = answers.find(answer => answer.status === 'rejected')
    if (!refused) continue
    if (!/out of memory/.test(String(refused.reason))) throw refused.reason
    return ids
  }
}

test('T4: memcached: full under -M, logins, logouts and changes are 503 and reads go on; with room again, all is well.', async t => {
  // A few sizes of items, so that few sessions fill it.
  const server = await startMemcached(t, { args: ['-M', '-m', '2', '-f', '4'] })
  const store = memcachedStore(openMemcached(t, server.url, WIDE_DEADLINE))
  const app = await startApp(t, { store, deadline: WIDE_DEADLINE, handlers })
  const people = Array.from({ length: 10 }, (_, index) => ({ name: `p${index}`, browser: app.browser() }))
  for (const { name, browser } of people) {
    await browser.get(`/login?user=${name}`)
    await browser.get('/set?length=3000')
  }
  const fillers = [...(await fill(store, 3000)), ...(await fill(store, 0)), ...(await fill(store, 150))]
  t.log(`full with ${fillers.length} sessions`)
  for (const { name, browser } of people) {
    t.is((await browser.get('/me')).text, name)
    const { status, headers } = await browser.get('/set?length=3001')
    t.deepEqual([status, headers['retry-after']], [503, '2'])
    t.is((await browser.get('/length')).text, '3000')
    t.is((await browser.get('/logout')).status, 503)
    t.is((await browser.get('/me')).text, name)
    const stranger = app.browser()
    t.is((await stranger.get('/login?user=late')).status, 503)
    t.deepEqual([...stranger.cookies], [])
  }
  for (const id of fillers) await store.destroy(id)
  for (const { browser } of people) {
    t.is((await browser.get('/set?length=3001')).status, 200)
    t.is((await app.browser().get('/login?user=late')).status, 200)
    t.is((await browser.get('/logout')).status, 200)
    t.is((await browser.get('/me')).text, 'anonymous')
  }
  t.deepEqual(new Set(app.errors.map(({ code }) => code)), new Set(['SESSION_STORE_UNAVAILABLE']))
})

test('memcached: full without -M, it forgets whoever was there least lately, who is anonymous then, without an error.', async t => {
  const server = await startMemcached(t, { args: ['-m', '2', '-f', '4'] })
  const store = memcachedStore(openMemcached(t, server.url, WIDE_DEADLINE))
  const app = await startApp(t, { store, deadline: WIDE_DEADLINE, handlers })
  const browser = app.browser()
  await browser.get('/login?user=ada')
  await browser.get('/set?length=3000')
  const record = recordOf({ text: 'x'.repeat(3000) })
  let stored = 0
  for (; (await browser.copy().get('/me')).text === 'ada' && stored < 100_000; stored += 1000) {
    for (let one = 0; one < 1000; one++) await store.create(newId(), record)
  }
  t.log(`forgotten after ${stored} others`)
  t.is((await browser.get('/me')).text, 'anonymous')
  t.is((await browser.get('/login?user=ada')).status, 200)
  t.is((await browser.get('/me')).text, 'ada')
  t.deepEqual(app.errors, [])
})

import { subscribe } from 'node:diagnostics_channel'
import test from 'ava'
import { SessionDataInvalid, SessionStoreUnavailable } from '../../lib/errors.ts'
import { withDeadline } from '../../lib/sessions/deadline.ts'
import type { SessionRecord, SessionStore } from '../../lib/sessions/store.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { freezable } from './frozen.ts'

const record = (): SessionRecord => ({ data: { a: 1 }, user: 'b:1', expiresAt: Date.now() + 60_000 })
const LONG = 60_000

test('A store that answers is passed through, every call of it.', async t => {
  const store = withDeadline(memoryStore(), LONG)
  const version = await store.create('id', record())
  t.truthy(version)
  t.is((await store.read('id'))?.version, version ?? undefined)
  t.is(await store.replace('id', 'other', record()), 'changed')
  t.true(await store.touch('id', Date.now() + 5000))
  t.is((await store.list?.('b:1'))?.length, 1)
  t.is(await store.sweep?.(5), 0)
  await store.destroyAll?.('b:1')
  await store.destroy('id')
  t.is(await store.read('id'), null)
})

test('A store without the optional calls is one without them behind its deadline too.', t => {
  const { read, create, replace, touch, destroy } = memoryStore()
  const store = withDeadline({ read, create, replace, touch, destroy }, LONG)
  t.deepEqual(Object.keys(store).sort(), ['create', 'destroy', 'read', 'replace', 'touch'])
})

test('A store that is an instance of a class is called as one.', async t => {
  class Store {
    found = null
    async read() {
      return this.found
    }
    async list() {
      return [this.found]
    }
  }
  const store = withDeadline(new Store() as unknown as SessionStore, LONG)
  t.is(await store.read('id'), null)
  t.deepEqual((await store.list?.('b:1')) as unknown, [null])
})

for (const [how, read] of Object.entries({
  rejects: async () => {
    throw new Error('ECONNREFUSED')
  },
  'throws at once': () => {
    throw new Error('ECONNREFUSED')
  },
})) {
  test(`T3: a store that ${how} is unavailable: 503 with Retry-After, what happened in the cause, and an event.`, async t => {
    const events: { operation: string; error: Error }[] = []
    subscribe('koa-strata:store-error', message => events.push(message as (typeof events)[0]))
    const store = withDeadline({ ...memoryStore(), read } as SessionStore, LONG)
    const error = await t.throwsAsync(store.read('id'), { instanceOf: SessionStoreUnavailable })
    t.is(error.status, 503)
    t.is(error.headers['Retry-After'], '2')
    t.is((error.cause as Error).message, 'ECONNREFUSED')
    t.false(error.message.includes('ECONNREFUSED'))
    t.true(events.some(event => event.operation === 'read' && event.error === error.cause))
  })
}

test('A sweep may take longer than the deadline, since no request waits for it; one that fails is told by the same event.', async t => {
  const swept = Promise.withResolvers<number>()
  const slow = withDeadline({ ...memoryStore(), sweep: () => swept.promise }, 1)
  const sweeping = slow.sweep!(5)
  const hanging = withDeadline({ ...memoryStore(), read: () => new Promise<never>(() => {}) }, 1)
  await t.throwsAsync(hanging.read('id'), { instanceOf: SessionStoreUnavailable })
  swept.resolve(3)
  t.is(await sweeping, 3)

  const operations: string[] = []
  subscribe('koa-strata:store-error', message => operations.push((message as { operation: string }).operation))
  const failing = withDeadline({ ...memoryStore(), sweep: () => Promise.reject(new Error('locked')) }, LONG)
  await t.throwsAsync(failing.sweep!(5), { message: 'locked' })
  t.true(operations.includes('sweep'))
})

test('T3: a store that never answers is unavailable when the deadline has passed.', async t => {
  const store = freezable(memoryStore())
  store.freeze()
  const start = performance.now()
  const error = await t.throwsAsync(withDeadline(store, 50).read('id'), { instanceOf: SessionStoreUnavailable })
  const took = performance.now() - start
  t.true(took >= 45 && took < 5000, `${took} ms`)
  t.regex((error.cause as Error).message, /no answer to read within 50 ms/)
})

test('T3: behind a frozen store its calls count together: 200 of one kind leave few of another to hang.', async t => {
  const store = freezable(memoryStore())
  store.freeze()
  const bounded = withDeadline(store, 20)
  await Promise.allSettled(Array.from({ length: 200 }, () => bounded.read('id')))
  const hanging = store.hanging
  await Promise.allSettled(Array.from({ length: 50 }, () => bounded.destroy('id')))
  t.true(store.hanging <= hanging + 2, `${store.hanging - hanging} of 50 were tried`)
})

test('A session that is too large for its store is told as that: the store is well, and no later try would help.', async t => {
  const events: unknown[] = []
  subscribe('koa-strata:store-error', message => events.push(message))
  const tooLarge = new SessionDataInvalid('', 'is too large.')
  const store = withDeadline({ ...memoryStore(), create: () => Promise.reject(tooLarge) }, LONG)
  t.is(await t.throwsAsync(store.create('too large', record())), tooLarge)
  t.false(events.some(event => (event as { error: unknown }).error === tooLarge))
})

import test from 'ava'
import { cookieStore, memoryStore, type SessionStore, sessions } from 'koa-strata'
import { checkOwnStore, checkStore } from '../../../lib/cli/doctor/stores.ts'
import { descriptionOf } from '../../../lib/described.ts'
import type { SessionsDescription } from '../../../lib/sessions/layer.ts'
import type { SessionsOptions } from '../../../lib/sessions/options.ts'

const KEYS = ['Kx7fQ2mZp0Wd8sLr5tYv1bNc3gHj6aEu']
const described = (options: SessionsOptions) =>
  descriptionOf<SessionsDescription>('sessions()', sessions({ keys: KEYS, ...options }))!
const statusOf = async (options: SessionsOptions, isProduction = true) =>
  (await checkOwnStore(described(options), isProduction)).map(({ status }) => status)

/** A store that is another in one call. */
function but(change: Partial<SessionStore>): SessionStore {
  return { ...memoryStore(), ...change }
}

test('A store that keeps what it is handed is fine, and keeps nothing of the check.', async t => {
  const calls: string[] = []
  const store = memoryStore()
  const destroy = async (id: string) => {
    calls.push(id)
    await store.destroy(id)
  }
  t.like(await checkStore('it', { ...store, destroy }), { length: 1, 0: { status: 'ok' } })
  t.is(await store.read(calls[0]!), null)
})

test('A store that fails, loses, keeps or is slow is told.', async t => {
  const check = async (change: Partial<SessionStore>, deadline?: number) =>
    (await checkStore('it', but(change), deadline))[0]
  const failing = await check({ create: async () => Promise.reject(new Error('redis://me:secret@host is full')) })
  t.is(failing?.status, 'problem')
  t.is(failing?.message, 'it does not answer: redis://host is full')
  t.regex((await check({ read: async () => null }))!.message, /did not have a session that was stored/)
  t.regex((await check({ destroy: async () => {} }))!.message, /still had a session after it was removed/)
  t.like(await check({}, 0), { status: 'warning' })
})

test('The memory of a process is no store for production.', async t => {
  t.deepEqual(await statusOf({}), ['problem'])
  t.deepEqual(await statusOf({ store: memoryStore() }), ['problem'])
  t.deepEqual(await statusOf({ store: memoryStore() }, false), ['ok'])
})

test('The store that a layer was handed is looked at, and of a cookie’s the one of epochs.', async t => {
  t.deepEqual(await statusOf({ store: but({}) }), ['ok'])
  t.deepEqual(await statusOf({ store: but({ read: async () => null }) }), ['problem'])
  t.deepEqual(await statusOf({ store: cookieStore() }), ['skipped'])
  t.deepEqual(await statusOf({ store: cookieStore({ epochs: but({ read: async () => null }) }) }), ['problem'])
})

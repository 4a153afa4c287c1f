import test from 'ava'
import { parseContent } from '../../../../lib/sessions/content.ts'
import { memcachedStore } from '../../../../lib/sessions/stores/memcached.ts'
import { newId } from '../../../../lib/testing/store-under-test.ts'
import { handedClock } from '../setups.ts'
import { HOUR, type OwnMemcached, ownMemcached, recordOf } from './setup.ts'

const DAY = 24 * HOUR

/** In how many seconds the server forgets a key; -1 for never, NaN where it has none. */
async function secondsLeft({ say }: OwnMemcached, key: string): Promise<number> {
  return Number(/^HD t(-?\d+)/.exec(await say(`mg ${key} t`))?.[1] ?? Number.NaN)
}

for (const [what, days] of [
  ['an hour', 1 / 24],
  ['29 days', 29],
  ['30 days', 30],
  ['31 days', 31],
  ['400 days', 400],
] as const) {
  for (const clock of ['the real clock', 'a clock that is off']) {
    test(`T7: memcached: what lasts ${what} on ${clock} is forgotten by the server a minute after its expiry.`, async t => {
      const on = await ownMemcached(t)
      const now = clock === 'the real clock' ? Date.now : handedClock().now
      const store = memcachedStore(on.client, { prefix: on.prefix, now })
      const id = newId()
      const expected = days * 86_400 + 60
      const close = async () => {
        const left = await secondsLeft(on, on.prefix + id)
        t.true(Math.abs(left - expected) <= 10, `${left} s, expected ${expected}`)
      }
      const due = () => ({ data: {}, user: null, expiresAt: now() + days * DAY })
      const version = await store.create(id, due())
      await close()
      await store.touch(id, now() + 2 * days * DAY)
      await store.replace(id, version!, due())
      await close()
      await store.touch(id, now() + 10_000)
      await store.touch(id, due().expiresAt)
      await close()
    })
  }
}

test('T7: memcached: what lasts beyond 2038, which the server cannot be told, it keeps.', async t => {
  const on = await ownMemcached(t)
  const id = newId()
  await on.store.create(id, { data: {}, user: null, expiresAt: Date.UTC(2090, 0) })
  t.is(await secondsLeft(on, on.prefix + id), -1)
})

test('T7: memcached: the control of the expiries: 31 days sent as seconds, and a moment beyond 2038, are gone at once.', async t => {
  const { client, prefix } = await ownMemcached(t)
  for (const lifetime of [31 * 86_400, 2 ** 31]) {
    const key = prefix + newId()
    await client.add(key, 'x', { lifetime })
    t.falsy(await client.get(key))
  }
})

test('A record that has expired is kept for a minute by the server and by nobody read.', async t => {
  const on = await ownMemcached(t)
  const id = newId()
  t.truthy(await on.store.create(id, recordOf({}, -HOUR)))
  t.true((await secondsLeft(on, on.prefix + id)) <= 61)
  t.is(await on.store.read(id), null)
  t.truthy(await on.store.create(id, recordOf()))
})

const OURS = JSON.stringify({ version: 'v', expiresAt: Date.now() + HOUR, user: null, data: { _created: 1 } })
const FOREIGN: [flags: number, text: string][] = [
  ...['', ' ', 'not json', '{"a":', '{}', '[]', 'null', '12', '"text"', '{"_created":1}', '{"_epoch":"x"}'].map(
    (text): [number, string] => [0, text],
  ),
  [0, OURS.replace('"v"', '1')],
  [0, OURS.replace('"v"', 'null')],
  [0, OURS.replace(/"expiresAt":\d+/, '"expiresAt":"soon"')],
  [0, OURS.replace('null', '12')],
  [0, OURS.replace('{"_created":1}', 'null')],
  [0, OURS.replace('{"_created":1}', '"text"')],
  [0, OURS.replace('{"_created":1}', '[1]')],
  [0, OURS.slice(0, -1)],
  [0, `{"__proto__":${OURS}}`],
  [1, 'compressed, it says'],
  [2, '{"json": it is not'],
  [2, 'null'],
  [2, OURS],
  [3, 'compressed JSON'],
  [4, 'not a number'],
  [4, '12'],
  [8, OURS],
  [16, ''],
  [4_294_967_295, 'all flags'],
]

for (const [flags, text] of FOREIGN) {
  test(`T2: memcached: ${JSON.stringify(text)} of others, with the flags ${flags}, is answered for the layer to drop, and makes room.`, async t => {
    const { prefix, store, say } = await ownMemcached(t)
    const put = async () => {
      const id = newId()
      t.is(await say(`set ${prefix}${id} ${flags} 1000 ${Buffer.byteLength(text)}\r\n${text}`), 'STORED\r\n')
      return id
    }
    const id = await put()
    const found = (await store.read(id))!
    t.is(parseContent(found.data), 'corrupt')
    t.is((found.data as { _epoch?: unknown })._epoch, undefined)
    t.is(await store.create(id, recordOf()), null, 'it is there')
    t.is(await store.replace(id, 'another version', recordOf()), 'changed')
    t.true(await store.touch(id, Date.now() + HOUR))
    const touched = (await store.read(id))!
    t.is(parseContent(touched.data), 'corrupt')
    const next = await store.replace(id, touched.version, recordOf({ mine: true }))
    t.like(await store.read(id), { data: { mine: true }, version: next })

    const another = await put()
    const version = (await store.read(another))!.version
    const replaced = await store.replace(another, version, recordOf({ mine: true }))
    t.like(await store.read(another), { data: { mine: true }, version: replaced })

    const third = await put()
    await store.destroy(third)
    t.is(await store.read(third), null)
  })
}

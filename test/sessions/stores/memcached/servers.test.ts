import test from 'ava'
import { clientOf } from '../../../../lib/sessions/stores/memcached/servers.ts'
import type { MemcachedClient } from '../../../../lib/sessions/stores/memcached.ts'
import { newId } from '../../../../lib/testing/store-under-test.ts'

const IDS = Array.from({ length: 30_000 }, newId)

/** Which of the named servers holds an id. */
function holders(...names: string[]): (id: string) => string {
  const call = async () => undefined
  const named = names.map(name => [name, { gets: call, add: call, cas: call, delete: call }] as const)
  const find = clientOf('test', Object.fromEntries(named))
  const name = new Map<MemcachedClient, string>(named.map(([one, client]) => [client, one]))
  return id => name.get(find(id))!
}

test('Three servers hold a third of the sessions each.', t => {
  const holder = holders('a', 'b', 'c')
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 }
  for (const id of IDS) counts[holder(id)]!++
  t.log(counts)
  for (const count of Object.values(counts)) t.true(Math.abs(count - 10_000) < 500, `${count}`)
})

test('The order in which the servers are named does not matter.', t => {
  const [one, other] = [holders('a', 'b', 'c', '1', '2'), holders('2', 'c', '1', 'a', 'b')]
  for (const id of IDS) t.is(one(id), other(id))
})

test('A fourth server takes a quarter of the sessions, and none moves between the others.', t => {
  const [three, four] = [holders('a', 'b', 'c'), holders('a', 'b', 'c', 'd')]
  const moved = IDS.filter(id => three(id) !== four(id))
  t.log(`${moved.length} of ${IDS.length} moved`)
  t.true(moved.every(id => four(id) === 'd'))
  t.true(Math.abs(moved.length - 7500) < 500)
})

test('Which server holds an id is the same in every version: logins would be lost otherwise.', t => {
  const holder = holders('a', 'b', 'c')
  const held = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'].map(digit => holder(digit.repeat(64)))
  t.is(held.join(''), 'bbcccbaacc')
})

test('One server holds everything, named or not.', t => {
  const client = { gets: async () => undefined, add: async () => 0, cas: async () => 0, delete: async () => 0 }
  t.is(clientOf('test', client)(IDS[0]!), client)
  t.is(clientOf('test', { only: client })(IDS[0]!), client)
})

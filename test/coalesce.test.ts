import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { coalesce } from '../lib/coalesce.ts'

/** Look-ups that double numbers, and the batches they were made in. */
function doubling() {
  const batches: number[][] = []
  const find = coalesce<number, number>(
    async items => {
      batches.push(items)
      return items.map(item => item * 2)
    },
    item => String(item),
  )
  return { batches, find }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

test('Look-ups of one turn are one call, each item once, in the order they were asked for.', async t => {
  const { batches, find } = doubling()
  t.deepEqual(await Promise.all([3, 1, 3, 2, 1].map(find)), [6, 2, 6, 4, 2])
  t.deepEqual(batches, [[3, 1, 2]])
})

test('A look-up that is asked for after microtasks of the same turn is in the same call.', async t => {
  const { batches, find } = doubling()
  const later = Promise.resolve()
    .then(() => {})
    .then(() => find(2))
  t.deepEqual(await Promise.all([find(1), later]), [2, 4])
  t.deepEqual(batches, [[1, 2]])
})

test('It is no cache: what is asked for after a call began is asked for again.', async t => {
  let stored = 1
  const begun = Promise.withResolvers<void>()
  const proceed = Promise.withResolvers<void>()
  const find = coalesce<string, number>(
    async items => {
      const seen = stored
      begun.resolve()
      await proceed.promise
      return items.map(() => seen)
    },
    item => item,
  )
  const first = find('x')
  await begun.promise
  stored = 2
  const second = find('x')
  proceed.resolve()
  t.deepEqual([await first, await second], [1, 2])
})

test('Items are told apart by their key alone.', async t => {
  const asked: object[][] = []
  const find = coalesce<{ id: string }, string>(
    async items => {
      asked.push(items)
      return items.map(({ id }) => id)
    },
    ({ id }) => id,
  )
  const [one, same, other] = [{ id: 'a' }, { id: 'a' }, { id: '__proto__' }]
  t.deepEqual(await Promise.all([one, same, other].map(find)), ['a', 'a', '__proto__'])
  t.deepEqual(asked, [[one, other]])
})

for (const count of [1, 499, 500, 501, 1000, 1234]) {
  test(`${count} look-ups of one turn are calls of at most 500 items, none of them empty.`, async t => {
    const { batches, find } = doubling()
    const numbers = upTo(count)
    t.deepEqual(
      await Promise.all(numbers.map(find)),
      numbers.map(number => number * 2),
    )
    await turn()
    t.is(batches.length, Math.ceil(count / 500))
    t.deepEqual(batches.flat(), numbers)
    for (const batch of batches) t.true(batch.length > 0 && batch.length <= 500)
  })
}

for (const [what, many, message] of [
  ['rejects', async () => Promise.reject(new Error('down')), /^down$/],
  [
    'throws at once',
    () => {
      throw new Error('down')
    },
    /^down$/,
  ],
  ['answers too few', async () => [1], /one entry for each item/],
  ['answers too many', async () => [1, 2, 3], /one entry for each item/],
  ['answers nothing', async () => undefined as never, /one entry for each item/],
  ['answers no list', async () => ({ length: 2 }) as never, /one entry for each item/],
] as [string, (items: number[]) => Promise<number[]>, RegExp][]) {
  test(`A call that ${what} rejects each of its look-ups, and the next call is made anew.`, async t => {
    let broken = true
    const find = coalesce<number, number>(
      items => (broken ? many(items) : Promise.resolve(items)),
      item => String(item),
    )
    const outcomes = await Promise.allSettled([find(1), find(2)])
    for (const outcome of outcomes) {
      t.is(outcome.status, 'rejected')
      t.regex(String((outcome as PromiseRejectedResult).reason.message), message)
    }
    broken = false
    t.deepEqual(await Promise.all([find(1), find(2)]), [1, 2])
  })
}

test('null and undefined are answers as any other.', async t => {
  const find = coalesce<number, unknown>(
    async items => items.map(item => (item ? null : undefined)),
    item => String(item),
  )
  t.deepEqual(await Promise.all([find(1), find(0)]), [null, undefined])
})

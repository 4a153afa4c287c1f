import test from 'ava'
import { SessionContended, SessionStoreUnavailable } from '../../lib/errors.ts'
import { KeyedQueue } from '../../lib/sessions/queue.ts'
import { gate } from './app.ts'

test('Tasks of one key run one at a time, in the order of their arrival.', async t => {
  const queue = new KeyedQueue()
  const order: number[] = []
  let running = 0
  await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      queue.run('key', async () => {
        t.is(++running, 1)
        await new Promise(setImmediate)
        order.push(index)
        running--
      }),
    ),
  )
  t.deepEqual(
    order,
    order.map((_, index) => index),
  )
})

test('Tasks of different keys do not wait for each other.', async t => {
  const queue = new KeyedQueue()
  const held = gate()
  const first = queue.run('one', () => held.pass())
  t.is(await queue.run('other', async () => 'done'), 'done')
  held.open()
  await first
})

test('A task is told whether it stood in line.', async t => {
  const queue = new KeyedQueue()
  const held = gate()
  const told: boolean[] = []
  const first = queue.run('key', async waited => {
    told.push(waited)
    await held.pass()
  })
  const second = queue.run('key', async waited => {
    told.push(waited)
  })
  held.open()
  await Promise.all([first, second])
  await queue.run('key', async waited => {
    told.push(waited)
  })
  t.deepEqual(told, [false, true, false])
})

test('A task that fails hands its error to its own caller and lets the next one run.', async t => {
  const queue = new KeyedQueue()
  const held = gate()
  const first = queue.run('key', async () => {
    await held.pass()
    throw new SessionContended(30)
  })
  const second = queue.run('key', async () => 'done')
  held.open()
  await t.throwsAsync(first, { instanceOf: SessionContended })
  t.is(await second, 'done')
})

test('T3: when the store is unavailable to the first in line, everybody behind is told so at once.', async t => {
  const queue = new KeyedQueue()
  const held = gate()
  let tried = 0
  const first = queue.run('key', async () => {
    await held.pass()
    throw new SessionStoreUnavailable()
  })
  const rest = Array.from({ length: 100 }, () =>
    queue.run('key', async () => {
      tried++
    }),
  )
  held.open()
  const ends = await Promise.allSettled([first, ...rest])
  t.true(ends.every(end => end.status === 'rejected' && end.reason instanceof SessionStoreUnavailable))
  t.is(tried, 0)
  t.is(await queue.run('key', async waited => waited), false, 'and the next one finds no line')
})

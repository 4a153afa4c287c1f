import test from 'ava'
import { PasswordsBusy } from '../../../lib/errors.ts'
import { HashingQueue } from '../../../lib/users/passwords/queue.ts'

/** Work that is done when the test says so. */
function job() {
  const { promise, resolve } = Promise.withResolvers<string>()
  const one = {
    started: false,
    resolve,
    work: () => {
      one.started = true
      return promise
    },
  }
  return one
}

const settled = () => new Promise(resolve => setImmediate(resolve))

test('W3: so many run at once and no more, in the order in which they came.', async t => {
  const queue = new HashingQueue({ concurrency: 2 })
  const jobs = Array.from({ length: 6 }, job)
  const done = jobs.map(one => queue.run(one.work))
  const started = () => jobs.map(one => Number(one.started)).join('')
  await settled()
  t.is(started(), '110000')
  jobs[1]!.resolve('second')
  t.is(await done[1], 'second')
  t.is(started(), '111000')
  jobs[0]!.resolve('first')
  jobs[2]!.resolve('third')
  await settled()
  t.is(started(), '111110')
  for (const one of jobs) one.resolve('done')
  await Promise.all(done)
  t.is(started(), '111111')
})

test('W3: work that fails, by rejecting or by throwing, frees its place.', async t => {
  const queue = new HashingQueue({ concurrency: 1 })
  const failure = new Error('no memory')
  const failing = queue.run(() => Promise.reject(failure))
  const throwing = queue.run(() => {
    throw failure
  })
  const after = queue.run(async () => 'after')
  t.is(await t.throwsAsync(failing), failure)
  t.is(await t.throwsAsync(throwing), failure)
  t.is(await after, 'after')
  t.is(await queue.run(async () => 'idle again'), 'idle again')
})

test('W3: beyond the longest queue it is busy, at once and without doing the work, and no longer when there is room.', async t => {
  const queue = new HashingQueue({ concurrency: 1, longest: 2 })
  const jobs = Array.from({ length: 3 }, job)
  const done = jobs.map(one => queue.run(one.work))
  const refused = job()
  const error = await t.throwsAsync(queue.run(refused.work), { instanceOf: PasswordsBusy })
  t.is(error?.status, 503)
  t.truthy(error?.headers['Retry-After'])
  jobs[0]!.resolve('')
  await done[0]
  const taken = queue.run(async () => 'taken')
  for (const one of jobs) one.resolve('')
  t.is(await taken, 'taken')
  t.false(refused.started)
  await Promise.all(done)
})

test('W3: who has waited too long is told so in place of being hashed, and who has not goes on.', async t => {
  let now = 0
  const queue = new HashingQueue({ concurrency: 1, patience: 1000, now: () => now })
  const jobs = Array.from({ length: 4 }, job)
  const first = queue.run(jobs[0]!.work)
  const late = [queue.run(jobs[1]!.work), queue.run(jobs[2]!.work)]
  now = 500
  const inTime = queue.run(jobs[3]!.work)
  now = 1001
  jobs[3]!.resolve('in time')
  jobs[0]!.resolve('first, however long it took')
  t.is(await first, 'first, however long it took')
  for (const one of late) await t.throwsAsync(one, { instanceOf: PasswordsBusy })
  t.is(await inTime, 'in time')
  t.deepEqual(
    jobs.map(one => one.started),
    [true, false, false, true],
  )
  t.is(await queue.run(async () => 'idle again'), 'idle again')
})

test('W3: a wait of exactly as long as allowed is none too long.', async t => {
  let now = 0
  const queue = new HashingQueue({ concurrency: 1, patience: 1000, now: () => now })
  const [one, other] = [job(), job()]
  const first = queue.run(one.work)
  const second = queue.run(other.work)
  now = 1000
  one.resolve('first')
  other.resolve('second')
  t.deepEqual(await Promise.all([first, second]), ['first', 'second'])
})

import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { Deadline } from '../lib/deadline.ts'

const LONG = 60_000

/** A server that can be frozen: its calls then never answer, not even when it is thawed, as those of a connection that was lost. */
function freezable() {
  let frozen = true
  const server = {
    /** How many calls it lost. */
    hanging: 0,
    thaw() {
      frozen = false
    },
    call(): Promise<string> {
      if (!frozen) return Promise.resolve('here')
      server.hanging++
      return new Promise(() => {})
    },
  }
  return server
}

function times(count: number, call: () => Promise<unknown>): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled(Array.from({ length: count }, call))
}

function fulfilled(ends: PromiseSettledResult<unknown>[]): number {
  return ends.filter(({ status }) => status === 'fulfilled').length
}

test('What a call answers in time is the answer, and how it fails is how it fails.', async t => {
  const deadline = new Deadline(LONG)
  t.is(await deadline.run('read', async () => 'here'), 'here')
  t.is(await deadline.run('read', () => 'no promise' as never), 'no promise')
  const down = new Error('ECONNREFUSED')
  t.is(await t.throwsAsync(deadline.run('read', () => Promise.reject(down))), down)
  t.is(
    await t.throwsAsync(
      deadline.run('read', () => {
        throw down
      }),
    ),
    down,
  )
})

test('T3: a call that never answers has failed when the deadline has passed, and the error says which it was.', async t => {
  const start = performance.now()
  await t.throwsAsync(new Deadline(50).run('read', freezable().call), { message: 'no answer to read within 50 ms' })
  const took = performance.now() - start
  t.true(took >= 45 && took < 5000, `${took} ms`)
})

test('A deadline beyond what timers count is none that has passed at once.', async t => {
  const deadline = new Deadline(Number.MAX_SAFE_INTEGER)
  const begun = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<string>()
  const running = deadline.run('read', () => {
    begun.resolve()
    return answer.promise
  })
  await begun.promise
  // A timer that is set to more than it counts runs out in the next turn but one.
  await wait(20)
  answer.resolve('here')
  t.is(await running, 'here')
})

test('T3: behind a frozen server 1,000 calls leave a bounded number of them hanging; the rest fail at once.', async t => {
  const server = freezable()
  const deadline = new Deadline(50)
  const ends: PromiseSettledResult<unknown>[] = []
  for (let wave = 0; wave < 20; wave++) ends.push(...(await times(50, () => deadline.run('read', server.call))))
  t.is(fulfilled(ends), 0)
  t.is(ends.length, 1000)
  // 64, the wave that was under way when there were as many, and a probe for each wave at most.
  t.true(server.hanging <= 64 + 50 + 20, `${server.hanging} hang`)
  const messages = ends.map(end => (end.status === 'rejected' ? end.reason.message : ''))
  t.true(messages.includes('too many calls hang already; read was not tried'))
})

test('T3: without a deadline all of them hang, so that the test above can fail.', t => {
  const server = freezable()
  for (let call = 0; call < 1000; call++) void server.call()
  t.is(server.hanging, 1000)
})

test('T3: behind a server that hangs and now and then fails at once, no more calls are let through than behind one that hangs.', async t => {
  const server = freezable()
  const deadline = new Deadline(20)
  await times(200, () => deadline.run('read', server.call))
  let probes = 0
  const flaky = () => {
    probes++
    return Promise.reject(new Error('no connection'))
  }
  await times(50, () => deadline.run('read', flaky))
  t.true(probes <= 2, `${probes} of 50 were tried`)
})

for (const milliseconds of [20, 2_500]) {
  test(`T4: with a deadline of ${milliseconds} ms, a server that is back is used again within 2 s, also when the calls that it lost never end.`, async t => {
    const server = freezable()
    const deadline = new Deadline(milliseconds)
    await times(200, () => deadline.run('read', server.call))
    // The last probe is lost right before the server is back.
    void deadline.run('read', server.call).catch(() => {})
    await new Promise(setImmediate)
    server.thaw()
    const start = performance.now()
    while ((await deadline.run('read', server.call).catch(() => '')) === '') {
      if (performance.now() - start > 2_000) return t.fail('it takes one probe to be back')
      await wait(10)
    }
    const ends = await times(200, () => deadline.run('read', server.call))
    t.is(fulfilled(ends), 200, 'and all calls get through, not one in each deadline')
  })
}

test('T3: calls that a frozen server answers late are forgotten one by one.', async t => {
  const late: (() => void)[] = []
  const deadline = new Deadline(20)
  await times(100, () => deadline.run('read', () => new Promise<void>(resolve => late.push(resolve))))
  for (const answer of late) answer()
  await new Promise(setImmediate)
  t.is(fulfilled(await times(100, () => deadline.run('read', async () => 'here'))), 100)
})

test('T3: a late answer and a late failure disturb nobody.', async t => {
  const deadline = new Deadline(10)
  for (const end of ['resolve', 'reject'] as const) {
    const late = Promise.withResolvers<void>()
    await t.throwsAsync(deadline.run('read', () => late.promise))
    late[end](new Error('too late') as never)
    // An unhandled rejection would end the process.
    await new Promise(setImmediate)
  }
  t.pass()
})

import test from 'ava'
import { MemoryCounters } from '../../../lib/users/throttle/memory.ts'
import { type Outcome, Reservations } from '../../../lib/users/throttle/reservations.ts'
import { handedClock } from '../../sessions/stores/setups.ts'
import { limitOf } from './counters.ts'

const LIMIT = limitOf(3, 3_600_000)

function setup() {
  const reservations = new Reservations(new MemoryCounters(handedClock().now))
  const settle = (outcome: Outcome) => reservations.settle('k', LIMIT, outcome)
  /** Asks for so many at once, and settles each that is made as `outcomeOf` says, a turn of the event loop later. */
  const run = (count: number, outcomeOf: (index: number) => Outcome) =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const over = await reservations.reserve('k', LIMIT)
        if (over > 0) return 'refused'
        await new Promise(setImmediate)
        await settle(outcomeOf(index))
        return outcomeOf(index)
      }),
    )
  return { reservations, settle, run }
}

function tally(answers: string[]): Record<string, number> {
  return Object.fromEntries(
    [...new Set(answers)].sort().map(answer => [answer, answers.filter(one => one === answer).length]),
  )
}

test('L4: Of 1,000 at once that all fail, exactly as many get a reservation as there may be failures.', async t => {
  const { run } = setup()
  t.deepEqual(tally(await run(1000, () => 'keep')), { keep: 3, refused: 997 })
})

test('L4: Of 1,000 at once that all succeed nobody is refused, though three at a time may be on the way.', async t => {
  const { run } = setup()
  t.deepEqual(tally(await run(1000, () => 'take back')), { 'take back': 1000 })
})

test('L4: Where some fail and some succeed at once, all are looked at until as many have failed as may.', async t => {
  const { run } = setup()
  const answers = await run(1000, index => (index % 100 === 50 ? 'keep' : 'take back'))
  t.is(tally(answers).keep, 3)
  t.true(answers.indexOf('refused') > 250)
  t.deepEqual(tally(await run(5, () => 'take back')), { refused: 5 })
})

test('Who waits when all is forgotten is called, however many fail afterwards.', async t => {
  const { reservations, settle } = setup()
  for (let time = 0; time < 3; time++) t.is(await reservations.reserve('k', LIMIT), 0)
  const waiting = [1, 2, 3, 4].map(() => reservations.reserve('k', LIMIT))
  await new Promise(setImmediate)
  await settle('clear')
  await settle('keep')
  await settle('keep')
  t.deepEqual(await Promise.all(waiting.slice(0, 3)), [0, 0, 0])
  for (let time = 0; time < 3; time++) await settle('keep')
  t.true((await waiting[3]!) > 0)
})

test('Who is given back to while nobody waits leaves room for the next one.', async t => {
  const { reservations, settle } = setup()
  for (let time = 0; time < 3; time++) await reservations.reserve('k', LIMIT)
  await settle('take back')
  t.is(await reservations.reserve('k', LIMIT), 0)
  for (let time = 0; time < 3; time++) await settle('keep')
  t.true((await reservations.reserve('k', LIMIT)) > 0)
})

test('A place that was given back while the answer was on the way is not overlooked.', async t => {
  const counters = new MemoryCounters(handedClock().now)
  const { promise: late, resolve } = Promise.withResolvers<void>()
  let adds = 0
  const slow = new (class extends MemoryCounters {
    override async add(...given: Parameters<MemoryCounters['add']>) {
      const answer = await counters.add(...given)
      if (++adds === 4) await late
      return answer
    }
    override takeBack(...given: Parameters<MemoryCounters['takeBack']>) {
      return counters.takeBack(...given)
    }
  })(Date.now)
  const reservations = new Reservations(slow)
  for (let time = 0; time < 3; time++) await reservations.reserve('k', LIMIT)
  const fourth = reservations.reserve('k', LIMIT)
  for (let time = 0; time < 3; time++) await reservations.settle('k', LIMIT, 'take back')
  resolve()
  t.is(await fourth, 0)
  t.is(adds, 5)
})

import test from 'ava'
import { SingleFlight } from '../../lib/feeds/single-flight.ts'

/** Calls that answer what was true when they began, and end when they are told to. */
function calls() {
  const flights = new SingleFlight<string>()
  const begun: PromiseWithResolvers<void>[] = []
  let truth = 'before'
  const ask = (key = 'k') =>
    flights.run(key, async () => {
      const seen = truth
      const end = Promise.withResolvers<void>()
      begun.push(end)
      await end.promise
      return seen
    })
  return {
    ask,
    begun,
    change: () => {
      truth = 'after'
    },
  }
}

/** Has everything happen that waits for no one. */
const settled = () => new Promise(setImmediate)

test('Whoever asks while a call is underway is answered by the next one, which begins afterwards, and there is one for all of them.', async t => {
  const { ask, begun, change } = calls()
  const first = ask()
  change()
  const others = Array.from({ length: 1000 }, () => ask())
  await settled()
  t.is(begun.length, 1)
  begun[0]!.resolve()
  t.is(await first, 'before')
  await settled()
  t.is(begun.length, 2)
  begun[1]!.resolve()
  t.deepEqual(new Set(await Promise.all(others)), new Set(['after']))
  t.is(begun.length, 2)
})

test('Who comes while the next call is underway waits for the one behind it; when all are answered, a call begins at once.', async t => {
  const { ask, begun } = calls()
  const answers = [ask(), ask()]
  begun[0]!.resolve()
  await settled()
  answers.push(ask(), ask())
  await settled()
  t.is(begun.length, 2)
  begun[1]!.resolve()
  await settled()
  t.is(begun.length, 3)
  begun[2]!.resolve()
  await Promise.all(answers)
  ask()
  t.is(begun.length, 4)
})

test('Keys do not wait for each other.', t => {
  const { ask, begun } = calls()
  ask('one')
  ask('other')
  t.is(begun.length, 2)
})

test('Where a call fails, so do those that wait for the next, which is not made; who asks later has another made.', async t => {
  const { ask, begun } = calls()
  const answers = [ask(), ask(), ask()]
  begun[0]!.reject(new Error('busy'))
  for (const answer of answers) await t.throwsAsync(answer, { message: 'busy' })
  t.is(begun.length, 1)
  const later = ask()
  begun[1]!.resolve()
  t.is(await later, 'before')
})

import test from 'ava'
import { COUNTERS, limitOf } from './counters.ts'

const HOUR = 3_600_000

for (const [name, setup] of Object.entries(COUNTERS)) {
  test(`${name}: As many failures are let through as there may be, whoever adds them, and none beyond.`, async t => {
    const { counters, others } = await setup(t)
    const limit = limitOf(5, HOUR)
    const answers: number[] = []
    for (let time = 0; time < 8; time++) answers.push(await (time % 2 ? others : counters).add('k', limit))
    t.deepEqual(
      answers.map(over => over === 0),
      [true, true, true, true, true, false, false, false],
    )
    for (const over of answers.slice(5)) t.true(over > 0.9 * limit.weight && over <= limit.weight, String(over))
  })

  test(`L4: ${name}: Of 200 at once, in two processes, exactly as many are let through as there may be.`, async t => {
    const { counters, others } = await setup(t)
    const limit = limitOf(7, HOUR)
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => (index % 2 ? others : counters).add('k', limit)),
    )
    t.is(answers.filter(over => over === 0).length, 7)
  })

  test(`${name}: Keys count apart.`, async t => {
    const { counters } = await setup(t)
    const limit = limitOf(1, HOUR)
    t.is(await counters.add('one', limit), 0)
    t.is(await counters.add('other', limit), 0)
    t.true((await counters.add('one', limit)) > 0)
  })

  test(`${name}: A failure that is taken back leaves room for another one, in the other process too.`, async t => {
    const { counters, others } = await setup(t)
    const limit = limitOf(3, HOUR)
    for (let time = 0; time < 3; time++) await counters.add('k', limit)
    t.true((await counters.add('k', limit)) > 0)
    await others.takeBack('k', limit)
    t.is(await counters.add('k', limit), 0)
    t.true((await counters.add('k', limit)) > 0)
  })

  test(`${name}: To take back what is not there makes no room beyond the limit.`, async t => {
    const { counters } = await setup(t)
    const limit = limitOf(2, HOUR)
    await counters.takeBack('k', limit)
    await counters.add('k', limit)
    for (let time = 0; time < 3; time++) await counters.takeBack('k', limit)
    const answers = []
    for (let time = 0; time < 3; time++) answers.push((await counters.add('k', limit)) === 0)
    t.deepEqual(answers, [true, true, false])
  })

  test(`${name}: All failures of a key can be forgotten at once.`, async t => {
    const { counters, others } = await setup(t)
    const limit = limitOf(3, HOUR)
    for (let time = 0; time < 3; time++) await counters.add('k', limit)
    await others.clear('k')
    for (let time = 0; time < 3; time++) t.is(await counters.add('k', limit), 0)
    await t.notThrowsAsync(counters.clear('nobody'))
  })

  test(`${name}: A mark is there for everybody, for as long as it lasts.`, async t => {
    const { counters, others, advance } = await setup(t)
    t.is(await counters.marked('k'), 0)
    await counters.mark('k', HOUR)
    const left = await others.marked('k')
    t.true(left > 0.9 * HOUR && left <= HOUR)
    await others.mark('k', 2 * HOUR)
    t.true((await counters.marked('k')) > HOUR)
    if (!advance) return
    advance(2 * HOUR - 1)
    t.is(await counters.marked('k'), 1)
    advance(1)
    t.is(await counters.marked('k'), 0)
  })

  test(`${name}: What it says of the time until there is room is right, to the millisecond where the clock is handed in.`, async t => {
    const { counters, advance } = await setup(t)
    if (!advance) {
      const limit = limitOf(2, 20_000)
      const earliest = performance.now() + limit.weight
      await counters.add('k', limit)
      const latest = performance.now() + limit.weight
      await counters.add('k', limit)
      const asked = performance.now()
      const over = await counters.add('k', limit)
      // Its milliseconds are not ours, by some.
      t.true(over >= earliest - performance.now() - 20 && over <= latest - asked + 20, String(over))
      const short = { weight: 50, most: 50 }
      const begun = performance.now()
      t.is(await counters.add('short', short), 0)
      let left = short.weight
      while (left > 0) left = await counters.add('short', short)
      t.true(performance.now() - begun >= short.weight - 20)
      return
    }
    const limit = limitOf(3, HOUR)
    for (let time = 0; time < 3; time++) await counters.add('k', limit)
    const over = await counters.add('k', limit)
    advance(over - 1)
    t.is(await counters.add('k', limit), 1)
    advance(1)
    t.is(await counters.add('k', limit), 0)
    t.is(await counters.add('k', limit), limit.weight)
    advance(HOUR)
    for (let time = 0; time < 3; time++) t.is(await counters.add('k', limit), 0)
  })
}

import test from 'ava'
import { file } from '../servers/file-owner.ts'
import { turns } from '../turns.ts'
import { interopChecks, leftAloneChecks } from './interop/checks.ts'
import { Pair } from './interop/pair.ts'
import { type Stage, THOROUGH, WAYS, type Way } from './interop/ways.ts'

const stages = new Map<string, Stage>()

test.before(async () => {
  for (const stage of await Promise.all(WAYS.map(way => way.start(file)))) stages.set(stage.way.name, stage)
})

for (const { name, traits } of WAYS) {
  // Django on SQLite answers 500 where another transaction has come between one's reading and writing.
  const inTurn = turns(1)

  for (const [title, check] of Object.entries(interopChecks)) {
    // What every way gives, the database without a cache has shown.
    const isNew = check.needs !== null || THOROUGH || !traits.includes('cache')
    if (!isNew || !(check.needs === null || traits.includes(check.needs))) continue
    const promise = Object.hasOwn(leftAloneChecks, title) ? 'X8: ' : 'X7: '
    test(`${promise}django ${name}: ${title}`, t =>
      inTurn(async () => {
        const pair = await Pair.start(t, stages.get(name)!)
        await t.notThrowsAsync(check(pair))
        t.deepEqual(pair.takeFaults(), [])
      }))
  }
}

test('The checks are more than sixty, each titled by a sentence, and each is one of some way.', t => {
  const titles = Object.keys(interopChecks)
  for (const title of titles) t.regex(title, /^[A-Za-z].{15,}\.$/u)
  const applying = ({ traits }: Way) =>
    Object.values(interopChecks).filter(({ needs }) => needs === null || traits.includes(needs))
  t.true(WAYS.flatMap(applying).length > 60)
  t.is(new Set(WAYS.flatMap(applying)).size, titles.length)
})

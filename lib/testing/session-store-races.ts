import assert from 'node:assert/strict'
import { atOnce, checksOf, newId } from './store-under-test.ts'

const RACERS = 20
const ROUNDS = 25

function isVersion(answer: string | null): answer is string {
  return answer !== null && answer !== 'changed' && answer !== 'gone'
}

/** Calls that meet. */
export const raceChecks = checksOf(null, {
  async 'Of many who create one id at once, exactly one wins, and its record is the one stored.'(on) {
    for (let round = 0; round < ROUNDS; round++) {
      const id = newId()
      const answers = await atOnce(RACERS, index => on.each(index).create(id, on.record({ index })))
      const winners = answers.flatMap((version, index) => (version === null ? [] : [{ index, version }]))
      assert.equal(winners.length, 1)
      const found = await on.store.read(id)
      assert.deepEqual([found?.data, found?.version], [{ index: winners[0]!.index }, winners[0]!.version])
    }
  },

  async 'Of many who create an expired id at once, exactly one wins, and its record is the one stored.'(on) {
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await on.addExpired()
      const answers = await atOnce(RACERS, index => on.each(index).create(id, on.record({ index })))
      const winners = answers.flatMap((version, index) => (version === null ? [] : [{ index, version }]))
      assert.equal(winners.length, 1)
      const found = await on.store.read(id)
      assert.deepEqual([found?.data, found?.version], [{ index: winners[0]!.index }, winners[0]!.version])
    }
  },

  async "Of many who replace one version at once, exactly one wins, and the others hear 'changed'."(on) {
    for (let round = 0; round < ROUNDS; round++) {
      const { id, version } = await on.add()
      const answers = await atOnce(RACERS, index => on.each(index).replace(id, version, on.record({ index })))
      const winner = answers.findIndex(isVersion)
      assert.equal(answers.filter(isVersion).length, 1)
      assert.equal(answers.filter(answer => answer === 'changed').length, RACERS - 1)
      const found = await on.store.read(id)
      assert.deepEqual([found?.data, found?.version], [{ index: winner }, answers[winner]])
    }
  },

  async 'Many who read, add one and replace until it holds lose no count.'(on) {
    const { id } = await on.add(on.record({ count: 0 }))
    await atOnce(RACERS, async index => {
      const store = on.each(index)
      for (;;) {
        const found = (await store.read(id))!
        const answer = await store.replace(id, found.version, on.record({ count: found.data.count + 1 }))
        if (isVersion(answer)) return
        assert.equal(answer, 'changed')
      }
    })
    assert.deepEqual((await on.store.read(id))?.data, { count: RACERS })
  },

  async 'A session destroyed beside a replace is absent afterwards, whichever came first.'(on) {
    for (let round = 0; round < ROUNDS * 2; round++) {
      const { id, version } = await on.add()
      const replace = () => on.store.replace(id, version, on.record({ mark: 'late' }))
      const destroy = () => on.other.destroy(id)
      const [answer] =
        round % 2 ? await Promise.all([replace(), destroy()]) : (await Promise.all([destroy(), replace()])).reverse()
      assert.notEqual(answer, 'changed')
      await on.assertAbsent(id)
    }
  },

  async 'A session destroyed beside a touch is absent afterwards, whichever came first.'(on) {
    for (let round = 0; round < ROUNDS * 2; round++) {
      const { id } = await on.add()
      const calls = [() => on.store.touch(id, on.later(7_200_000)), () => on.other.destroy(id)]
      if (round % 2) calls.reverse()
      await Promise.all(calls.map(call => call()))
      await on.assertAbsent(id)
    }
  },

  async 'A touch beside a replace neither fails it nor brings the old data back.'(on) {
    for (let round = 0; round < ROUNDS * 2; round++) {
      const { id, version } = await on.add()
      const expiresAt = on.later(7_200_000)
      const replace = () => on.store.replace(id, version, on.record({ mark: 'second' }, 'sql:1'))
      const touch = () => on.other.touch(id, expiresAt)
      const [answer, touched] =
        round % 2
          ? await Promise.all([replace(), touch()])
          : await Promise.all([touch(), replace()]).then(([second, first]) => [first, second] as const)
      assert.ok(isVersion(answer), `replace answered ${answer}`)
      assert.equal(touched, true)
      const found = await on.store.read(id)
      assert.deepEqual([found?.data, found?.user, found?.version], [{ mark: 'second' }, 'sql:1', answer])
    }
  },

  async 'Many touches at once all find the session and leave its version.'(on) {
    const { id, version } = await on.add()
    const moments = Array.from({ length: RACERS }, (_, index) => on.later(3_600_000 + index))
    const answers = await atOnce(RACERS, index => on.each(index).touch(id, moments[index]!))
    assert.ok(answers.every(answer => answer === true))
    const found = await on.store.read(id)
    assert.equal(found?.version, version)
    assert.ok(moments.includes(found.expiresAt))
  },

  async 'A reader beside writers always sees one whole record.'(on) {
    const text = 'x'.repeat(2000)
    const data = (round: number) => ({ first: round, text: text + round, last: round })
    let { id, version } = await on.add(on.record(data(-1)))
    for (let round = 0; round < ROUNDS; round++) {
      const [answer, ...found] = await Promise.all([
        on.store.replace(id, version, on.record(data(round))),
        ...Array.from({ length: 10 }, (_, index) => on.each(index).read(id)),
      ])
      for (const one of found) {
        const seen: number = one!.data.first
        assert.deepEqual(one!.data, data(seen))
        assert.equal(one!.version, seen === round ? answer : version)
      }
      version = answer
    }
  },

  async 'Of many who destroy one session at once, none fails.'(on) {
    const { id } = await on.add()
    await atOnce(RACERS, index => on.each(index).destroy(id))
    await on.assertAbsent(id)
  },

  async 'A late replace never overwrites a session that was destroyed and created anew meanwhile.'(on) {
    for (let round = 0; round < ROUNDS; round++) {
      const { id, version } = await on.add()
      const renewed = on.other.destroy(id).then(() => on.other.create(id, on.record({ mark: 'new' })))
      const late = atOnce(5, () => on.store.replace(id, version, on.record({ mark: 'late' })))
      const [next, answers] = await Promise.all([renewed, late])
      const found = await on.store.read(id)
      assert.deepEqual([found?.data, found?.version], [{ mark: 'new' }, next])
      assert.ok(answers.filter(isVersion).length <= 1)
    }
  },

  async 'A create beside a destroy leaves a whole session or none.'(on) {
    for (let round = 0; round < ROUNDS; round++) {
      const id = newId()
      const [version] = await Promise.all([on.store.create(id, on.record({ mark: 'new' })), on.other.destroy(id)])
      assert.ok(version)
      const found = await on.store.read(id)
      if (found) assert.deepEqual([found.data, found.version], [{ mark: 'new' }, version])
      else assert.ok(await on.store.create(id, on.record()))
    }
  },

  async 'A thousand sessions created at once are all there.'(on) {
    const ids = Array.from({ length: 1000 }, newId)
    const versions = await atOnce(1000, index => on.each(index).create(ids[index]!, on.record({ index })))
    const found = await atOnce(1000, index => on.each(index + 1).read(ids[index]!))
    for (const [index, one] of found.entries())
      assert.deepEqual([one?.data, one?.version], [{ index }, versions[index]])
  },
})

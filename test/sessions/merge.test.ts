import test from 'ava'
import fc from 'fast-check'
import { storedSnapshot } from '../../lib/sessions/data.ts'
import { applyChanges, changesBetween } from '../../lib/sessions/merge.ts'
import { scaled } from '../scale.ts'

const snap = storedSnapshot

test('What was set, changed and deleted is told key by key.', t => {
  const changes = changesBetween(snap({ same: 1, other: 1, gone: 1 }), snap({ same: 1, other: 2, fresh: 3 }))
  t.deepEqual([...changes].sort(), [
    ['fresh', '3'],
    ['gone', null],
    ['other', '2'],
  ])
})

test('Values that are written differently are a change, deep inside too.', t => {
  t.is(changesBetween(snap({ a: { b: [1, { c: 1 }] } }), snap({ a: { b: [1, { c: 2 }] } })).size, 1)
  t.is(changesBetween(snap({ a: { b: [1, { c: 1 }] } }), snap({ a: { b: [1, { c: 1 }] } })).size, 0)
  t.is(changesBetween(snap({ a: '1' }), snap({ a: 1 })).size, 1)
})

test('S6: keys that a request left alone keep what others stored.', t => {
  const base = { mine: 1, theirs: 1, dropped: 1 }
  const stored = { mine: 1, theirs: 2, added: 3 }
  t.deepEqual(applyChanges(stored, changesBetween(snap(base), snap({ ...base, mine: 5 }))), {
    mine: 5,
    theirs: 2,
    added: 3,
  })
})

test('S6: where both changed one key, the later save wins, a deletion like a value.', t => {
  t.deepEqual(applyChanges({ a: 2 }, changesBetween(snap({ a: 1 }), snap({ a: 3 }))), { a: 3 })
  t.deepEqual(applyChanges({ a: 2 }, changesBetween(snap({ a: 1 }), snap({}))), {})
})

test('A merge alters neither side, and shares no objects with them.', t => {
  const stored = Object.freeze({ a: 1 })
  const list = [1]
  const merged = applyChanges(stored, changesBetween(snap({}), snap({ list })))
  t.deepEqual(merged, { a: 1, list: [1] })
  t.not(merged.list, list)
})

test('S6: for any base and any two requests, changes of different keys are all kept, in either order.', t => {
  const values = fc.dictionary(fc.stringMatching(/^[a-f]$/), fc.jsonValue({ maxDepth: 2 }))
  fc.assert(
    fc.property(values, values, values, (base, one, other) => {
      const first = changesBetween(snap(base), snap(one))
      const second = new Map([...changesBetween(snap(base), snap(other))].filter(([key]) => !first.has(key)))
      const either = snap(applyChanges(applyChanges(base, first), second))
      const or = snap(applyChanges(applyChanges(base, second), first))
      for (const [key, json] of [...first, ...second]) {
        if ((either.get(key) ?? null) !== json || (or.get(key) ?? null) !== json) return false
      }
      return either.size === or.size
    }),
    { numRuns: scaled(10_000) },
  )
  t.pass()
})

test('S9: what leads from one state to another leads there, whatever the states.', t => {
  const values = fc.dictionary(
    fc.string().filter(key => key !== '__proto__'),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(values, values, (base, now) => {
      const reached = snap(applyChanges(base, changesBetween(snap(base), snap(now))))
      const wanted = snap(now)
      return reached.size === wanted.size && [...wanted].every(([key, json]) => reached.get(key) === json)
    }),
    { numRuns: scaled(10_000) },
  )
  t.pass()
})

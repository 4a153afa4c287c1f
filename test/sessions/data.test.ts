import test from 'ava'
import fc from 'fast-check'
import { SessionDataInvalid } from '../../lib/errors.ts'
import { exactSnapshot, isReservedKey, isStorable, refuseOversize, storedSnapshot } from '../../lib/sessions/data.ts'
import type { SessionData } from '../../lib/sessions/store.ts'
import { scaled } from '../scale.ts'
import { RESERVED_NAMES, UNSTORABLE } from './unstorable.ts'

for (const [what, value, place = 'value'] of UNSTORABLE) {
  test(`S9: ${what} is refused by an error that names where it stands.`, t => {
    const error = t.throws(() => exactSnapshot({ fine: 1, value }), { instanceOf: SessionDataInvalid })
    t.is(error.code, 'SESSION_DATA_INVALID')
    t.true(error.key.startsWith(place), `${error.key} should start with ${place}`)
    t.true(error.message.startsWith(`ctx.session.${error.key} `))
    t.is(error.status, 500)
    t.false(error.expose)
  })
}

for (const name of RESERVED_NAMES) {
  test(`S9: the name '${name}' is refused, not dropped.`, t => {
    t.true(isReservedKey(name))
    const values = Object.defineProperty({}, name, { value: 1, enumerable: true })
    t.is(t.throws(() => exactSnapshot(values), { instanceOf: SessionDataInvalid }).key, name)
  })
}

test('S9: a value under a symbol is refused, not dropped.', t => {
  t.throws(() => exactSnapshot({ [Symbol('s')]: 1 }), { instanceOf: SessionDataInvalid, message: /Symbol\(s\)/ })
})

test('S9: whatever JSON keeps is kept exactly.', t => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string().filter(key => !isReservedKey(key)),
        fc.jsonValue({ maxDepth: 5 }),
      ),
      values => {
        // An own __proto__ deep inside is refused, by a test above.
        if (JSON.stringify(values).includes('__proto__') || JSON.stringify(values).includes('toJSON')) return
        const snapshot = exactSnapshot(values)
        const back = Object.fromEntries([...snapshot].map(([key, json]) => [key, JSON.parse(json)]))
        if (JSON.stringify(back) !== JSON.stringify(values)) throw new Error('changed')
      },
    ),
    { numRuns: scaled(20_000) },
  )
  t.pass()
})

test('S9: what is neither kept nor refused does not exist: any JavaScript value is one of the two.', t => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
    withObjectString: true,
    withBoxedValues: true,
  })
  let kept = 0
  let refused = 0
  fc.assert(
    fc.property(anything, value => {
      if (value === undefined) return
      let json: string | undefined
      try {
        json = exactSnapshot({ value }).get('value')
      } catch (error) {
        refused++
        if (!(error instanceof SessionDataInvalid)) throw error
        return
      }
      kept++
      t.deepEqual(plain(JSON.parse(json!)), plain(value))
    }),
    { numRuns: scaled(20_000) },
  )
  t.true(kept > 100 && refused > 100, `${kept} kept, ${refused} refused`)
})

/** The same with one prototype for all objects and one zero: the two differences that JSON makes and `===` does not see. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value === 0) return 0
  if (value === null || typeof value !== 'object') return value
  return { ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)])) }
}

test('A top-level undefined is an absent key.', t => {
  t.deepEqual([...exactSnapshot({ a: undefined, b: null })], [['b', 'null']])
})

test('Texts with half a surrogate pair, NULs and line separators are kept.', t => {
  for (const text of ['\ud800', '\0', '\u2028', '"\\', '\uffff', '']) {
    t.is(JSON.parse(exactSnapshot({ text }).get('text')!), text)
  }
})

const big = (kibibytes: number, letter = 'x') => letter.repeat(kibibytes * 1024)
const tooLarge: [string, SessionData, string][] = [
  ['a long text', { a: 1, b: big(256) }, 'b'],
  ['several texts', { a: big(100), b: big(150), c: big(100) }, 'b'],
  ['a long name', { a: 1, [big(256, 'k')]: 1 }, 'a'],
  ['letters of two bytes', { a: big(130, 'é') }, 'a'],
  ['characters that JSON escapes', { a: big(50, '\0') }, 'a'],
  ['names that JSON escapes', { a: 'xx', [big(50, '\0')]: 1 }, 'a'],
  ['a list of many', { list: new Array(100_000).fill(true) }, 'list'],
]

for (const [what, data, key] of tooLarge) {
  test(`A session of more than 256 KiB as JSON for ${what} is refused, and the largest key named.`, t => {
    const error = t.throws(() => refuseOversize(data, null), { instanceOf: SessionDataInvalid })
    t.is(error.key, key)
    t.regex(error.message, /256 KiB/)
  })
}

test('A session of 256 KiB is taken, and one that is too large may be made smaller.', t => {
  t.notThrows(() => refuseOversize({ a: 'x'.repeat(256 * 1024 - 8) }, null))
  t.notThrows(() => refuseOversize({ a: big(300) }, { a: big(301) }))
  t.notThrows(() => refuseOversize({ a: big(300) }, { a: big(300) }))
  t.throws(() => refuseOversize({ a: big(301) }, { a: big(300) }), { instanceOf: SessionDataInvalid })
})

test('T2: whatever may be stored can be read back: nesting of 32 levels, in a login too, and 256 KiB.', t => {
  let deepest: unknown = 1
  for (let level = 0; level < 32; level++) deepest = { deepest }
  t.notThrows(() => exactSnapshot({ value: deepest }))
  t.true(isStorable({ value: deepest, _created: 1 }))
  t.true(isStorable({ _login: { backend: 'b', id: 'i', stamp: 's', snapshot: deepest } }))
  t.false(isStorable({ value: { deepest }, _created: 1 }))
  t.false(isStorable({ _login: { backend: 'b', id: 'i', stamp: 's', snapshot: { deepest } } }))
  t.true(isStorable({ value: big(256), _created: 1 }))
  t.false(isStorable({ value: big(512), _created: 1 }))
})

test('The snapshot of stored values is that of the same values in a session.', t => {
  const values = { a: 1, b: [1, { c: 'x' }], d: null }
  t.deepEqual(storedSnapshot(values), exactSnapshot(values))
})

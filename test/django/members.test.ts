import test from 'ava'
import fc from 'fast-check'
import { membersOf } from '../../lib/django/members.ts'
import { asciiJson } from '../../lib/sessions/ascii-json.ts'
import { scaled } from '../scale.ts'

const valuesIn = (json: string) =>
  Object.fromEntries([...(membersOf(json) ?? [])].map(([name, { value }]) => [name, value]))
const textsIn = (json: string) =>
  Object.fromEntries([...(membersOf(json) ?? [])].map(([name, { text }]) => [name, text]))

test('The members of any object have its names and its values, and texts that are those values.', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { noNullPrototype: true }), object => {
        const json = asciiJson(object)
        const members = membersOf(json)!
        const expected = JSON.parse(json)
        const names = Object.keys(expected)
        return (
          members.size === names.length &&
          names.every(name => {
            const { text, value } = members.get(name)!
            const isExact = value === undefined || JSON.stringify(value) === JSON.stringify(expected[name])
            return isExact && JSON.stringify(JSON.parse(text)) === JSON.stringify(expected[name])
          })
        )
      }),
      { numRuns: scaled(50_000) },
    ),
  )
})

test('Any text is read as JSON.parse() reads it, or is no object.', t => {
  const bits = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '"a"', '"b"', '1', 'null', '\\', ' ', 'x', '1e5')
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(bits, { maxLength: 12 }), parts => {
        const text = parts.join('')
        const members = membersOf(text)
        const parsed = parse(text)
        // What is no JSON within a value makes that value one that cannot be held, and no more.
        if (parsed === undefined)
          return members === null || [...members.values()].some(({ value }) => value === undefined)
        return members !== null && JSON.stringify(valuesIn(text)) === JSON.stringify(parsed)
      }),
      { numRuns: scaled(100_000) },
    ),
  )
})

function parse(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

test('What Python writes and JavaScript cannot hold has a text and no value.', t => {
  const json =
    '{"nan":NaN,"list":[1,-Infinity],"big":12345678901234567890,"inside":{"id":-98765432109876543210},"fine":9007199254740991,' +
    '"text":"12345678901234567890 NaN","float":12345678901234567.5,"exponent":1e300,"small":1.0}'
  const { nan, list, big, inside, ...held } = valuesIn(json)
  t.deepEqual([nan, list, big, inside], [undefined, undefined, undefined, undefined])
  t.deepEqual(held, {
    fine: 9007199254740991,
    text: '12345678901234567890 NaN',
    float: Number('12345678901234567.5'),
    exponent: 1e300,
    small: 1,
  })
  t.is(textsIn(json).inside, '{"id":-98765432109876543210}')
  t.is(textsIn(json).small, '1.0')
})

test('Of a name that comes twice the last value counts, as in Python.', t => {
  t.deepEqual(valuesIn('{"a":1,"a":2}'), { a: 2 })
})

for (const text of [
  '',
  '[]',
  'null',
  '1',
  '"{}"',
  '{',
  '}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{a:1}',
  '{"a":1}}',
  '{"a":1]}',
])
  test(`'${text}' is no object.`, t => {
    t.is(membersOf(text), null)
  })

test('Half a megabyte of strings and of brackets is read in one go.', t => {
  const long = `{"a":"${'\\"x'.repeat(170_000)}","b":${'['.repeat(5000)}${']'.repeat(5000)}}`
  t.is(membersOf(long)?.size, 2)
})

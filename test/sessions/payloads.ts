import fc from 'fast-check'

/** Names that have hurt somebody once, as keys of stored JSON. */
const NASTY_KEYS = [
  ...['__proto__', 'constructor', 'prototype', 'toJSON', 'toString', 'valueOf', 'hasOwnProperty', 'then'],
  ...['length', 'isNew', 'populated', 'maxAge', 'save', 'regenerate', 'commit', 'externalKey', '_expire', '_maxAge'],
  ...['_session', '_requireSave', '_created', '_login', '_ended', '_successor', '_epoch', '_', '__defineGetter__'],
  ...['0', '1', '-1', '4294967295', '', ' ', 'polluted', 'backend', 'id', 'stamp', 'snapshot', 'value', 'a'],
]

const key = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...NASTY_KEYS) }, fc.string({ maxLength: 12 }))

const scalar = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '0', '-0', '1', '1.5', '1e400', '-1e999', '1E-7', '9007199254740993', '""'),
  fc.string({ maxLength: 20, unit: 'binary' }).map(text => JSON.stringify(text)),
  fc.constantFrom('"\\ud800"', '"\\u0000"', '"\u2028"', '"__proto__"'),
  fc.double().map(number => JSON.stringify(number)),
)

/** JSON as text, so that a key may come twice, and mean what it says. */
const json = fc.letrec<{ value: string; object: string; list: string }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    scalar,
    scalar,
    { arbitrary: tie('object'), weight: 2 },
    tie('list'),
  ),
  object: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 5, depthIdentifier: 'json' })
    .map(pairs => objectOf(pairs)),
  list: fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'json' }).map(items => `[${items.join(',')}]`),
}))

function objectOf(pairs: [key: string, json: string][]): string {
  return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
}

/** Up to ten levels more than may be, and seldom so many that recursion ends. */
const deep = fc
  .tuple(fc.oneof({ weight: 50, arbitrary: fc.integer({ min: 28, max: 42 }) }, fc.constant(20_000)), fc.boolean())
  .map(([levels, lists]) =>
    lists ? `${'['.repeat(levels)}${']'.repeat(levels)}` : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
  )

const huge = fc
  .constantFrom(200_000, 262_000, 262_200, 400_000, 524_200, 600_000)
  .map(length => JSON.stringify('x'.repeat(length)))

/** @param now the moment, for sessions that could be going on */
export function storedText(now: number): fc.Arbitrary<string> {
  const created = fc.oneof(
    { weight: 8, arbitrary: fc.constant(String(now)) },
    fc.constantFrom('0', '-1', '9007199254740991', '1e400', 'null', '"1"', `[${now}]`, `{"valueOf":${now}}`, '1.5'),
    json.value,
  )
  const login = fc.oneof(
    fc
      .tuple(scalar, scalar, scalar, fc.option(json.value))
      .map(([backend, id, stamp, snapshot]) =>
        objectOf([
          ['backend', backend],
          ['id', id],
          ['stamp', stamp],
          ...(snapshot === null ? [] : [['snapshot', snapshot] as [string, string]]),
        ]),
      ),
    fc.constant('{"backend":"test","id":"ada","stamp":"","snapshot":{"a":1}}'),
    json.value,
  )
  const kept = fc.tuple(
    key,
    fc.oneof(
      { weight: 30, arbitrary: json.value },
      { weight: 3, arbitrary: deep },
      { weight: 1, arbitrary: fc.oneof({ weight: 60, arbitrary: scalar }, huge) },
    ),
  )
  const own = fc.record(
    {
      _created: created,
      _login: login,
      _ended: fc.oneof(fc.constant('true'), json.value),
      _successor: fc.oneof(fc.constant(JSON.stringify('f'.repeat(64))), json.value),
      _epoch: json.value,
    },
    { requiredKeys: [] },
  )
  const session = fc
    .tuple(fc.array(kept, { maxLength: 5 }), own, fc.constantFrom('before', 'after', 'created', 'created', 'created'))
    .map(([pairs, { _created, _ended, _login, ...rest }, how]) => {
      const good: [string, string][] = [['_created', _created ?? String(now)]]
      if (how === 'created') return objectOf([...pairs.filter(([name]) => name !== '_ended'), ...good])
      const ours = Object.entries({ ...rest, ...(_ended && { _ended }), ...(_login && { _login }) })
      return objectOf(how === 'before' ? [...good, ...ours, ...pairs] : [...pairs, ...good, ...ours])
    })
  const spoilt = fc
    .tuple(session, fc.nat(), fc.string({ maxLength: 3 }), fc.nat(20))
    .map(([text, at, put, cut]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + cut))
  return fc.oneof({ weight: 12, arbitrary: session }, spoilt, json.value, deep, fc.string({ unit: 'binary' }))
}

class Point {
  x = 1
  toJSON() {
    return 'a point'
  }
}

/** Whatever an application may try to keep. */
export const anyValue = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.anything({
      key: fc.oneof({ weight: 4, arbitrary: fc.string() }, fc.constantFrom(...NASTY_KEYS)),
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
    }),
  },
  { weight: 6, arbitrary: fc.jsonValue({ stringUnit: 'binary' }) },
  json.value.map(text => JSON.parse(text)),
  fc.constantFrom(
    () => 1,
    Symbol('s'),
    new Point(),
    new Error('x'),
    /x/,
    Promise.resolve(),
    new WeakMap(),
    Object.freeze({ a: Object.freeze([1]) }),
    Object.defineProperty({}, 'hidden', { value: 1 }),
    Object.defineProperty({}, 'got', { get: () => 1, enumerable: true }),
    Object.create({ inherited: 1 }),
    Number.NaN,
    Number.NEGATIVE_INFINITY,
  ),
)
/** Keys of all kinds. */
export const anyKey = fc.oneof({ weight: 3, arbitrary: fc.string() }, fc.constantFrom(...NASTY_KEYS))

const login = { backend: 'sql', id: '7', stamp: 's' }

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { value }
  return value
}

const cycle: Record<string, unknown> = { _created: 1 }
cycle.self = cycle

/** Stored payloads that are none: what another program, an older version or an attacker may have left in a store. */
export const CORRUPT: [string, unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['text', 'text'],
  ['text that is JSON', '{"_created":1}'],
  ['empty text', ''],
  ['a number', 42],
  ['true', true],
  ['a list', [{ _created: 1 }]],
  ['an empty list', []],
  ['a Map', new Map([['_created', 1]])],
  ['a Date', new Date(0)],
  ['an object without a time of creation', {}],
  ['a time of creation that is text', { _created: '1' }],
  ['a time of creation that is no whole number', { _created: 1.5 }],
  ['a time of creation that is infinite', { _created: Number.POSITIVE_INFINITY }],
  ['a time of creation beyond the exact numbers', { _created: 2 ** 53 }],
  ['a time of creation under __proto__', JSON.parse('{"__proto__":{"_created":1}}')],
  ['a login that is text', { _created: 1, _login: 'sql:7' }],
  ['a login that is null', { _created: 1, _login: null }],
  ['a login that is a list', { _created: 1, _login: ['sql', '7', 's'] }],
  ['a login without a backend', { _created: 1, _login: { id: '7', stamp: 's' } }],
  ['a login without a stamp', { _created: 1, _login: { backend: 'sql', id: '7' } }],
  ['a login whose id is a number', { _created: 1, _login: { backend: 'sql', id: 7, stamp: 's' } }],
  ['a login whose stamp is true', { _created: 1, _login: { backend: 'sql', id: '7', stamp: true } }],
  ['a login whose snapshot is text', { _created: 1, _login: { ...login, snapshot: 'x' } }],
  ['a login whose snapshot is a list', { _created: 1, _login: { ...login, snapshot: [] } }],
  ['nesting that is too deep', { _created: 1, deep: nested(60) }],
  ['nesting that is too deep by one', { _created: 1, deep: nested(33) }],
  ['a login whose snapshot is too deep by one', { _created: 1, _login: { ...login, snapshot: { deep: nested(32) } } }],
  ['an inner __proto__', JSON.parse('{"_created":1,"inner":[{"__proto__":{"polluted":1}}]}')],
  ['an inner toJSON', { _created: 1, inner: { list: [{ toJSON: 1 }] } }],
  ['a toJSON in a login', { _created: 1, _login: { ...login, snapshot: { toJSON: {} } } }],
  ['nesting far beyond the stack', { _created: 1, deep: nested(100_000) }],
  ['more than half a megabyte', { _created: 1, big: 'x'.repeat(600_000) }],
  ['half a megabyte of names', { _created: 1, ['k'.repeat(600_000)]: 1 }],
  ['a cycle', cycle],
  ['a BigInt', { _created: 1, big: 1n }],
  ['a function', { _created: 1, call() {} }],
  ['a toJSON that is a function', { _created: 1, toJSON: () => ({ _created: 1 }) }],
  ['a toJSON that throws', { _created: 1, inner: { toJSON: () => Error('x') } }],
  ['NaN', { _created: 1, value: Number.NaN }],
  ['undefined in it', { _created: 1, value: undefined }],
  ['a Date in it', { _created: 1, value: new Date(0) }],
]

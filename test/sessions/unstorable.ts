class Point {
  x = 1
}

class List extends Array<number> {}

const cycle: { self?: unknown } = {}
cycle.self = cycle

const cyclicList: unknown[] = []
cyclicList.push({ list: cyclicList })

let deep: unknown = 1
for (let level = 0; level < 33; level++) deep = [deep]

/** Values that JSON would change or drop, each with the place in `ctx.session.value` that the error names. */
export const UNSTORABLE: [what: string, value: unknown, place?: string][] = [
  ['a Map', new Map([['a', 1]])],
  ['an empty Map', new Map()],
  ['a Set', new Set([1])],
  ['a WeakMap', new WeakMap()],
  ['a BigInt', 1n],
  ['a boxed BigInt', Object(1n)],
  ['a cycle', cycle],
  ['a cycle through a list', cyclicList],
  ['nesting of 33 levels', deep],
  ['a function', () => 1],
  ['a class', Point],
  ['a symbol', Symbol('s')],
  ['a Date', new Date(0)],
  ['a Date that is invalid', new Date(Number.NaN)],
  ['an instance of a class', new Point()],
  ['an instance with toJSON', { a: new URL('http://example.test') }, 'value.a'],
  ['an object whose prototype is another object', Object.create({ inherited: 1 })],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['minus Infinity', Number.NEGATIVE_INFINITY],
  ['NaN in a list', [1, Number.NaN], 'value[1]'],
  ['undefined in an object', { a: undefined }, 'value.a'],
  ['undefined in a list', [undefined], 'value[0]'],
  ['a sparse list', new Array(2), 'value[0]'],
  ['a list with a hole', Object.assign([1], { 2: 3 }), 'value[1]'],
  ['a list with a name of its own', Object.assign([1], { extra: 2 })],
  ['what a match of a RegExp answers', 'ab'.match(/(b)/)],
  ['a list with a symbol', Object.assign([1], { [Symbol('s')]: 2 })],
  ['an instance of a class of lists', List.from([1, 2])],
  ['a RegExp', /x/],
  ['an Error', new Error('x')],
  ['a Promise', Promise.resolve(1)],
  ['a Buffer', Buffer.from('x')],
  ['a typed array', new Uint8Array(2)],
  ['an ArrayBuffer', new ArrayBuffer(2)],
  ['a boxed text', Object('text')],
  ['a boxed number', Object(1)],
  ['a boxed boolean', Object(false)],
  ['an object with a symbol', { [Symbol('s')]: 1 }],
  ['an object with a hidden property', Object.defineProperty({}, 'hidden', { value: 1 })],
  ['an own toJSON', { toJSON: 1 }, 'value.toJSON'],
  ['an own toJSON that is a function', { toJSON: () => 1 }, 'value.toJSON'],
  ['an own __proto__', JSON.parse('{"__proto__":{"a":1}}'), 'value.__proto__'],
  ['an own __proto__ deep inside', [{ a: JSON.parse('{"__proto__":1}') }], 'value[0].a.__proto__'],
  ['a Date deep inside', { a: [{ b: new Date(0) }] }, 'value.a[0].b'],
  ['a generator', (function* () {})()],
  ['a frozen Map', Object.freeze(new Map())],
]

/** Names that `ctx.session` cannot hold. */
export const RESERVED_NAMES = [
  '_x',
  '_',
  '_login',
  '_created',
  '_expire',
  '_maxAge',
  '_session',
  '_requireSave',
  'save',
  'length',
  'populated',
  'regenerate',
  'manuallyCommit',
  'commit',
  'externalKey',
  'maxAge',
  'isNew',
  'toJSON',
  'constructor',
  'hasOwnProperty',
  'toString',
  'valueOf',
  '__proto__',
  '__defineGetter__',
]

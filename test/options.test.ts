import test, { type ExecutionContext } from 'ava'
import { OptionInvalid } from '../lib/errors.ts'
import {
  checkClock,
  checkDuration,
  checkMethods,
  checkOneOf,
  checkOptionalFunction,
  checkText,
  isPlainObject,
  knownOptions,
} from '../lib/options.ts'

function refused(t: ExecutionContext, check: () => void, option: string): void {
  const error = t.throws(check, { instanceOf: OptionInvalid })
  t.is(error.where, 'here()')
  t.is(error.option, option)
}

test('Options that are no object are refused as such.', t => {
  for (const options of [undefined, null, 5, 'text', true, [], [1], () => {}]) {
    refused(t, () => knownOptions('here()', options, ['a']), 'options')
  }
})

test('An option that is not known is refused by its name, and the ones that are known are told.', t => {
  refused(t, () => knownOptions('here()', { a: 1, A: 2 }, ['a', 'b']), 'A')
  refused(t, () => knownOptions('here()', JSON.parse('{"__proto__":1}'), ['a']), '__proto__')
  t.throws(() => knownOptions('here()', { c: undefined }, ['a', 'b']), {
    message: "here(): option 'c' is unknown. Known: a, b.",
  })
})

test('Options that are known pass, and so do none.', t => {
  t.notThrows(() => knownOptions('here()', {}, []))
  t.notThrows(() => knownOptions('here()', Object.create(null), ['a']))
  t.notThrows(() => knownOptions('here()', { a: undefined, b: null }, ['a', 'b']))
})

test('A duration is a whole number of milliseconds, of the least one at least.', t => {
  for (const value of [1, 1000, Number.MAX_SAFE_INTEGER]) {
    t.notThrows(() => checkDuration('here()', 'timeout', value))
  }
  for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, undefined, 5n, [5], {}]) {
    refused(t, () => checkDuration('here()', 'timeout', value), 'timeout')
  }
  refused(t, () => checkDuration('here()', 'timeout', 999, 1000), 'timeout')
  t.notThrows(() => checkDuration('here()', 'timeout', 0, 0))
})

test('One of a list is that very value.', t => {
  t.notThrows(() => checkOneOf('here()', 'mode', 'a', ['a', 'b']))
  t.notThrows(() => checkOneOf('here()', 'mode', false, [true, false]))
  for (const value of ['A', '', 'ab', ['a'], null, undefined, 0]) {
    refused(t, () => checkOneOf('here()', 'mode', value, ['a', 'b']), 'mode')
  }
  t.throws(() => checkOneOf('here()', 'mode', 1, ['a', true]), {
    message: 'here(): option \'mode\' must be one of "a", true.',
  })
})

test('Methods are looked for on the object and its class.', t => {
  class Store {
    read() {}
    write() {}
  }
  t.notThrows(() => checkMethods('here()', 'store', new Store(), ['read', 'write']))
  t.notThrows(() => checkMethods('here()', 'store', { read() {} }, ['read']))
  for (const value of [undefined, null, 5, 'text', {}, [], Store, { read: true }, { read() {} }]) {
    refused(t, () => checkMethods('here()', 'store', value, ['read', 'write']), 'store')
  }
  t.throws(() => checkMethods('here()', 'store', {}, ['read', 'write']), {
    message: "here(): option 'store' must be an object with read(), write().",
  })
})

test('Text is text that the pattern matches.', t => {
  t.notThrows(() => checkText('here()', 'name', 'abc', /^[a-z]+$/, 'must be letters.'))
  for (const value of ['', 'A', 'a1', 5, null, undefined, ['abc'], { toString: () => 'abc' }]) {
    refused(t, () => checkText('here()', 'name', value, /^[a-z]+$/, 'must be letters.'), 'name')
  }
  t.throws(() => checkText('here()', 'name', 'A', /^[a-z]+$/, 'must be letters.'), {
    message: "here(): option 'name' must be letters.",
  })
})

test('A plain object is one without a class.', t => {
  t.true(isPlainObject({}))
  t.true(isPlainObject(Object.create(null)))
  for (const other of [null, [], new Map(), 'x', 1, () => 1, new (class {})()]) t.false(isPlainObject(other))
})

test('A clock is a function, and what is optional is one or nothing.', t => {
  t.notThrows(() => checkClock('here()', Date.now))
  t.notThrows(() => checkOptionalFunction('here()', 'extra', undefined))
  t.notThrows(() => checkOptionalFunction('here()', 'extra', () => 1))
  for (const wrong of [null, 0, 'now', {}]) {
    t.throws(() => checkClock('here()', wrong), {
      message: "here(): option 'now' must be a function that answers epoch milliseconds.",
    })
    t.throws(() => checkOptionalFunction('here()', 'extra', wrong), {
      message: "here(): option 'extra' must be a function, or left out.",
    })
  }
})

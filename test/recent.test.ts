import test from 'ava'
import { Recent } from '../lib/recent.ts'

test('Of recent values the one goes that was set longest ago, however old its key is.', t => {
  const recent = new Recent<number>(3)
  for (const [index, key] of ['a', 'b', 'c', 'a', 'd'].entries()) recent.set(key, index)
  t.deepEqual(
    ['a', 'b', 'c', 'd'].map(key => recent.get(key)),
    [3, undefined, 2, 4],
  )
  t.is(recent.size, 3)
  recent.delete('c')
  t.is(recent.size, 2)
})

test('To look at a value does not keep it, and keys that every object has are keys.', t => {
  const recent = new Recent<number>(2)
  recent.set('__proto__', 1)
  recent.set('constructor', 2)
  t.deepEqual([recent.get('__proto__'), recent.get('constructor'), recent.get('toString')], [1, 2, undefined])
  recent.set('c', 3)
  t.is(recent.get('__proto__'), undefined)
  t.is(recent.get('constructor'), 2)
})

test('However many keys come, no more are kept than there may be.', t => {
  const recent = new Recent<number>(10)
  for (let key = 0; key < 10_000; key++) {
    recent.set(`key ${key}`, key)
    if (recent.size > 10) return t.fail(`${recent.size} are kept`)
  }
  t.is(recent.get('key 9999'), 9999)
  t.is(recent.get('key 9989'), undefined)
})

import assert from 'node:assert/strict'
import type { SessionData } from '../sessions/store.ts'
import { checksOf, newId, type SessionStoreCheck } from './store-under-test.ts'

function nested(levels: number): SessionData {
  return levels === 0 ? { bottom: true } : { deeper: levels % 2 ? nested(levels - 1) : [nested(levels - 1)] }
}

const CONTROLS = String.fromCharCode(...Array.from({ length: 32 }, (_, code) => code), 0x7f, 0x85)

const VALUES: Record<string, SessionData> = {
  'an empty object': {},
  'text that is not ASCII, composed and decomposed': {
    é: 'é',
    'e\u0301': 'e\u0301',
    ß: 'ﬁ ſ İ ı',
    日本: '日本語',
    ar: 'مرحبا',
  },
  'emoji and other characters beyond 16 bits': { '🦊': '👩‍👩‍👧‍👦🏳️‍🌈', math: '𝔘𝔫𝔦', last: '\u{10ffff}' },
  'halves of surrogate pairs': { high: '\ud83d', low: '\ude00', swapped: '\ude00\ud83d', '\ud800': 'key' },
  'NUL and the other control characters': {
    nul: 'a\0b',
    end: 'a\0',
    controls: CONTROLS,
    'k\0ey': 1,
    lines: '\r\n\u2028\u2029',
  },
  'quotes and backslashes': { '\'"`': '\'"`', '\\': '\\\\\'\\"', mixed: '\\u0000 \\n $1 $$ $& %s %d ?' },
  'text that looks like SQL': { sql: "'); DROP TABLE sessions; --", "x' or 1=1": '/* */ ;', bind: ':name ? ?? $1 @p' },
  'text that looks like a cache protocol': { end: '\r\nEND\r\n', set: 'x 0 0 1\r\nset y', bulk: '$-1\r\n*0\r\n+OK' },
  'text that looks like another type': {
    number: '12',
    null: 'null',
    bool: 'true',
    date: '2026-01-01T00:00:00.000Z',
    o: '{}',
  },
  'values of 100,000 characters': { ascii: 'a'.repeat(1e5), spaces: ' '.repeat(1e5) },
  'values of 100,000 characters that are not ASCII': { three: '語'.repeat(1e5) },
  'numbers of every size': {
    whole: [0, 1, -1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
    float: [0.1 + 0.2, 1 / 3, -1.5, Number.EPSILON, 5e-324, Number.MAX_VALUE, 1e21, 1e-7, 123456789.125],
  },
  'null, true, false, and what is empty': { null: null, yes: true, no: false, text: '', list: [], object: {}, zero: 0 },
  'lists of everything': { list: [1, 'two', null, [3, [4, []]], { five: 5 }, false, {}] },
  '30 levels of nesting': nested(30),
  'a thousand keys': Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key ${index}`, index])),
  'keys of every kind': {
    '': 'empty',
    ' ': 'space',
    ' padded ': 1,
    0: 'digit',
    '-1': 'minus',
    'a.b': 'dot',
    'a[0]': 'bracket',
    $set: 'dollar',
    'a/b': 'slash',
    '*': 'star',
    undefined: 'word',
    null: 'word',
    true: 'word',
    Case: 1,
    case: 2,
  },
  "keys that start with '_'": { _created: 1, _login: { id: '1' }, __: 2, _id: 'x' },
}

/** What goes in comes out. */
export const valueChecks: Record<string, SessionStoreCheck> = checksOf(null, {
  ...Object.fromEntries(
    Object.entries(VALUES).map(([what, data]) => [
      `Data with ${what} comes back as it was.`,
      async on => {
        const { id, version } = await on.add(on.record(data))
        assert.deepEqual((await on.other.read(id))?.data, data)
        await on.store.replace(id, version, on.record({ in: 'between' })).then(async next => {
          await on.store.replace(id, next, on.record(data))
        })
        assert.deepEqual((await on.other.read(id))?.data, data)
      },
    ]),
  ),

  async 'Keys such as __proto__, constructor and toJSON come back as own keys, and no prototype changes.'(on) {
    const json =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":2,"toJSON":"text",' +
      '"hasOwnProperty":3,"valueOf":null,"in":{"__proto__":{"polluted":1},"toJSON":4}}'
    const { id, version } = await on.add(on.record(JSON.parse(json)))
    for (const round of [1, 2]) {
      const data = (await on.other.read(id))?.data
      assert.deepEqual(JSON.parse(JSON.stringify(data)), JSON.parse(json), `round ${round}`)
      assert.deepEqual(Object.keys(data!).sort(), Object.keys(JSON.parse(json)).sort())
      assert.equal(Object.getPrototypeOf(data), Object.prototype)
      assert.equal(Object.getPrototypeOf(data!.in), Object.prototype)
      assert.equal(({} as SessionData).polluted, undefined)
      if (round === 1) await on.store.replace(id, version, on.record(JSON.parse(json)))
    }
  },

  async 'Read data is of plain objects and arrays.'(on) {
    const { id } = await on.add(on.record({ list: [{}], object: { inner: {} } }))
    const data = (await on.store.read(id))!.data
    for (const object of [data, data.list[0], data.object, data.object.inner])
      assert.equal(Object.getPrototypeOf(object), Object.prototype)
    assert.ok(Array.isArray(data.list))
  },

  async 'Changing what was handed to create does not change what is stored.'(on) {
    const record = on.record({ list: [1], inner: { key: 'old' } }, 'sql:1')
    const { id } = await on.add(record)
    record.data.list.push(2)
    record.data.inner.key = 'new'
    record.data.more = true
    record.user = 'sql:2'
    const found = await on.store.read(id)
    assert.deepEqual([found?.data, found?.user], [{ list: [1], inner: { key: 'old' } }, 'sql:1'])
  },

  async 'Changing what was handed to replace does not change what is stored.'(on) {
    const { id, version } = await on.add()
    const record = on.record({ list: [1], inner: { key: 'old' } })
    await on.store.replace(id, version, record)
    record.data.list.push(2)
    record.data.inner.key = 'new'
    assert.deepEqual((await on.store.read(id))?.data, { list: [1], inner: { key: 'old' } })
  },

  async 'Changing what create was handed while it runs stores what it was handed.'(on) {
    const record = on.record({ key: 'old' })
    const id = newId()
    const created = on.store.create(id, record)
    record.data.key = 'new'
    await created
    assert.deepEqual((await on.store.read(id))?.data, { key: 'old' })
  },

  async 'Changing what was read does not change what is stored.'(on) {
    const { id } = await on.add(on.record({ list: [1], inner: { key: 'old' } }))
    const found = (await on.store.read(id))!
    found.data.list.push(2)
    found.data.inner.key = 'new'
    found.data.more = true
    found.expiresAt = 0
    assert.deepEqual((await on.store.read(id))?.data, { list: [1], inner: { key: 'old' } })
  },

  async 'Two readers get a copy each.'(on) {
    const { id } = await on.add(on.record({ inner: {} }))
    const [one, two] = await Promise.all([on.store.read(id), on.store.read(id)])
    assert.notEqual(one!.data, two!.data)
    assert.notEqual(one!.data.inner, two!.data.inner)
  },

  async 'A store changes nothing of what it is handed, and takes what is frozen.'(on) {
    const frozen = () =>
      Object.freeze({ data: Object.freeze({ list: Object.freeze([1]) }), user: null, expiresAt: on.later() })
    const { id, version } = await on.add(frozen())
    const record = frozen()
    assert.ok(await on.store.replace(id, version, record))
    assert.deepEqual(Object.keys(record), ['data', 'user', 'expiresAt'])
    assert.deepEqual((await on.store.read(id))?.data, { list: [1] })
  },
})

import assert from 'node:assert/strict'
import { checksOf, type InteropChecks } from './check.ts'
import type { PairVisitor } from './pair.ts'

/** Text that encodings, escapes and templates get wrong. */
const TEXTS = {
  emoji: '👩‍👩‍👧 ☕',
  rtl: 'שלום \u202eمرحبا',
  separators: '\u2028\u2029\u0085\ufeff',
  surrogates: '\ud800 and \udc00 alone',
  controls: Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('\u007f'),
  quotes: `"'\\</script>&amp;\u{e9}\u{1d11e}`,
  'a key like ☕ "any" \u2028': 'of its own',
  '': 'under no name',
}
/** What both languages have. */
const VALUES = {
  ...TEXTS,
  nested: { list: [1, [2, { deep: [null, true, false] }], {}], empty: [], π: TEXTS },
  numbers: [0, -1, 0.1, 1.5e300, 5e-324, 2 ** 53 - 1, -(2 ** 53) + 1],
  '1': 'under a number',
  '2': null,
}

/** What Python writes and JavaScript cannot hold, and names that `ctx.session` cannot have, as JSON. */
const ODDITIES = `{
  "nan": NaN, "infinite": [Infinity, -Infinity],
  "big": 123456789012345678901234567890, "bigger": {"than": [9007199254740993, -9007199254740993]},
  "float": 1.0, "fraction": 0.1, "exponent": 1e16, "small": 1e-07, "zero": -0.0,
  "length": 3, "constructor": "c", "__proto__": {"polluted": true}, "toJSON": "t", "isNew": false, "maxAge": 5,
  "hasOwnProperty": 1, "inside": {"__proto__": 1, "toJSON": 2},
  "_private": "p", "_created": 1, "_login": "l", "_guest": "g", "_ended": true, "_epoch": 0, "_successor": "s",
  "deep": ${'['.repeat(60)}${']'.repeat(60)},
  "long": "${'ž'.repeat(40)}",
  "ours": 1
}`

/** The very text in which Django answers what a session holds, in its order, with its numbers; without what a login puts there. */
async function textThere(visitor: PairVisitor): Promise<string> {
  const { text } = await visitor.there('/session')
  const data = text.slice('{"data": '.length, text.lastIndexOf(', "key": '))
  return data.replace(/"_(?:csrftoken|auth_user_\w+)": "[^"]*"(?:, )?/g, '').replace(/, }$/, '}')
}

async function setThere(visitor: PairVisitor, json: string): Promise<void> {
  const { status, text } = await visitor.send('POST', '/session', `{"set": ${json}}`)
  assert.equal(status, 200, text)
}

/** The values that a session holds and no framework has put there. */
function own(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([name]) => !name.startsWith('_')))
}

/** What sessions hold. */
export const dataChecks: InteropChecks = checksOf(null, {
  async 'What is stored here is read in Django as it was: texts of any kind, nested values, keys of any kind.'(pair) {
    const visitor = await pair.loggedIn(await pair.person())
    await visitor.here('/session', { set: VALUES })
    assert.deepEqual(own(await visitor.dataThere()), VALUES)
    assert.deepEqual(await visitor.dataHere(), VALUES)
  },

  async 'What Django stores is read here as it was: texts of any kind, nested values, keys of any kind.'(pair) {
    const visitor = await pair.loggedIn(await pair.person())
    await visitor.there('/session', { set: VALUES })
    assert.deepEqual(await visitor.dataHere(), VALUES)
    assert.deepEqual(own(await visitor.dataThere()), VALUES)
  },

  async 'What is deleted on one side is gone on the other, and its neighbours stay.'(pair) {
    const visitor = await pair.loggedIn(await pair.person())
    await visitor.there('/session', { set: { a: 1, b: 2, c: 3 } })
    await visitor.here('/session', { delete: ['a'] })
    assert.deepEqual(own(await visitor.dataThere()), { b: 2, c: 3 })
    await visitor.there('/session', { delete: ['b'] })
    assert.deepEqual(await visitor.dataHere(), { c: 3 })
  },

  async 'What Django alone can hold stays whole, in its order and to the letter, while another key is changed here.'(
    pair,
  ) {
    const visitor = await pair.loggedIn(await pair.person())
    await setThere(visitor, ODDITIES)
    const before = await textThere(visitor)
    assert.match(before, /"nan": NaN.*"big": 123456789012345678901234567890,.*"float": 1\.0,.*"ours": 1/)
    for (const [path, changed] of [
      ['/session', 2],
      ['/update', 3],
    ] as const) {
      await visitor.here(path, { set: { ours: changed } })
      assert.equal(await textThere(visitor), before.replace('"ours": 1', `"ours": ${changed}`))
    }
    const here = await visitor.dataHere()
    for (const name of ['nan', 'infinite', 'big', 'bigger', 'length', 'constructor', '_private', 'inside', 'deep'])
      assert.ok(!Object.hasOwn(here, name), name)
    assert.deepEqual([here.float, here.exponent, here.ours], [1, 1e16, 3])
    assert.equal((Object.prototype as { polluted?: unknown }).polluted, undefined)
  },

  async 'It stays whole through a login here of the same user, and through one of an anonymous visitor.'(pair) {
    const person = await pair.person()
    for (const visitor of [pair.visitor(), await pair.loggedIn(person)]) {
      await setThere(visitor, ODDITIES)
      const before = await textThere(visitor)
      await visitor.logInHere(person)
      await visitor.is(person.name)
      assert.equal(await textThere(visitor), before)
    }
  },

  async 'A message of Django’s that waits in the session survives changes here, and is read there once.'(pair) {
    const visitor = await pair.loggedIn(await pair.person())
    await visitor.there('/messages', { text: '<b>ž ☕</b>' })
    await visitor.here('/session', { set: { mark: 1 } })
    await visitor.there('/messages', { text: 'second' })
    await visitor.here('/update', { set: { mark: 2 } })
    const { messages } = (await visitor.there('/messages')).json
    assert.deepEqual(
      messages.map(({ text }: { text: string }) => text),
      ['<b>ž ☕</b>', 'second'],
    )
    assert.deepEqual((await visitor.there('/messages')).json.messages, [])
    assert.deepEqual(await visitor.dataHere(), { mark: 2 })
  },

  async 'A form that Django gave before a change here posts well after it, with the token that is in the session.'(
    pair,
  ) {
    const visitor = await pair.loggedIn(await pair.person())
    const [, token = ''] = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec((await visitor.there('/form')).text)!
    await visitor.here('/session', { set: { mark: 1 } })
    const post = (csrfmiddlewaretoken: string) =>
      visitor.send('POST', '/form', new URLSearchParams({ csrfmiddlewaretoken, text: 'ž' }))
    assert.deepEqual((await post(token)).json, { text: 'ž' })
    assert.equal((await post('x'.repeat(64))).status, 403, 'the control: another token')
  },
})

import test from 'ava'
import { ENDED, newContent, parseContent, userKey, userOf, valuesOf } from '../../lib/sessions/content.ts'
import { CORRUPT } from './corrupt.ts'

const login = { backend: 'sql', id: '7', stamp: 's' }

test('What a session begins with is read back as a session without values.', t => {
  t.deepEqual(parseContent(newContent(5)), { values: {}, guest: {}, created: 5, login: null })
  t.deepEqual(parseContent(newContent(5, login)), { values: {}, guest: {}, created: 5, login })
})

test('The marker of an ended session is told from one that is corrupt.', t => {
  t.is(parseContent(ENDED), 'ended')
  t.is(parseContent(structuredClone(ENDED)), 'ended')
  t.is(parseContent({ _ended: 'true' }), 'corrupt')
})

for (const [what, data] of CORRUPT) {
  test(`T2: ${what} is no data of a session.`, t => {
    t.is(parseContent(data), 'corrupt')
  })
}

test('T2: names that a session object cannot hold are not shown, and stay where they are stored.', t => {
  const stored = JSON.parse(
    '{"_created":1,"ok":1,"__proto__":{"polluted":1},"constructor":1,"toJSON":1,"save":1,"length":3,"_other":1,"hasOwnProperty":1}',
  )
  const content = parseContent(stored)
  t.deepEqual(content, { values: { ok: 1 }, guest: {}, created: 1, login: null })
  t.is(Object.getPrototypeOf((content as { values: object }).values), Object.prototype)
  t.is(({} as { polluted?: number }).polluted, undefined)
  t.true(Object.hasOwn(stored, 'save'))
})

test('The values of a session are its keys without the reserved ones.', t => {
  t.deepEqual(valuesOf({ a: 1, _login: login, _x: 2, maxAge: 3 }), { a: 1 })
})

test('The user of a session is known by the key of the login in it.', t => {
  t.is(userOf(newContent(1)), null)
  t.is(userOf(newContent(1, login)), 'sql:7')
  t.is(userKey('ldap', 'a:b'), 'ldap:a:b')
})

import test from 'ava'
import { AnonymousUser, DetachedUser, type DetachedUserInit, OptionInvalid } from 'koa-strata'

const WRONG: [string, unknown, option: string][] = [
  ['nothing', undefined, 'options'],
  ['null', null, 'options'],
  ['text', 'alice', 'options'],
  ['a misspelt field', { backend: 'ldap', id: 'a', user: 'a' }, 'user'],
  ['isSuperuser', { backend: 'ldap', id: 'a', isSuperuser: true }, 'isSuperuser'],
  ['isStaff', { backend: 'ldap', id: 'a', isStaff: true }, 'isStaff'],
  ['no backend', { id: 'a' }, 'backend'],
  ['a backend with a colon', { backend: 'a:b', id: 'a' }, 'backend'],
  ['a backend that is a number', { backend: 1, id: 'a' }, 'backend'],
  ['no id', { backend: 'ldap' }, 'id'],
  ['an empty id', { backend: 'ldap', id: '' }, 'id'],
  ['id: null', { backend: 'ldap', id: null }, 'id'],
  ['an id that is a number', { backend: 'ldap', id: 5 }, 'id'],
  ['an id that is a list', { backend: 'ldap', id: ['a'] }, 'id'],
  ['an id of 1,025 bytes', { backend: 'ldap', id: 'a'.repeat(1025) }, 'id'],
  ['an id of 1,025 bytes in fewer characters', { backend: 'ldap', id: `a${'ä'.repeat(512)}` }, 'id'],
  ['half a character in the id', { backend: 'ldap', id: 'a\ud800' }, 'id'],
  ['a username that is a number', { backend: 'ldap', id: 'a', username: 5 }, 'username'],
  ['username: null', { backend: 'ldap', id: 'a', username: null }, 'username'],
  ['an e-mail address that is a list', { backend: 'ldap', id: 'a', email: ['a@b'] }, 'email'],
  ['email: false', { backend: 'ldap', id: 'a', email: false }, 'email'],
  ['permissions: text', { backend: 'ldap', id: 'a', permissions: 'read' }, 'permissions'],
  ['permissions: null', { backend: 'ldap', id: 'a', permissions: null }, 'permissions'],
  ['permissions: a number', { backend: 'ldap', id: 'a', permissions: 5 }, 'permissions'],
  ['permissions: true', { backend: 'ldap', id: 'a', permissions: true }, 'permissions'],
  ['permissions: an object', { backend: 'ldap', id: 'a', permissions: { read: true } }, 'permissions'],
  ['permissions that are no text', { backend: 'ldap', id: 'a', permissions: ['read', 5] }, 'permissions'],
  ['permissions in a Map', { backend: 'ldap', id: 'a', permissions: new Map([['read', 1]]) }, 'permissions'],
  ['attributes: null', { backend: 'ldap', id: 'a', attributes: null }, 'attributes'],
  ['attributes: a list', { backend: 'ldap', id: 'a', attributes: [] }, 'attributes'],
  ['attributes: text', { backend: 'ldap', id: 'a', attributes: 'x' }, 'attributes'],
  ['attributes: a Map', { backend: 'ldap', id: 'a', attributes: new Map() }, 'attributes'],
  ['a stamp that is a number', { backend: 'ldap', id: 'a', stamp: 1 }, 'stamp'],
  ['stamp: null', { backend: 'ldap', id: 'a', stamp: null }, 'stamp'],
]

for (const [what, init, option] of WRONG) {
  test(`A DetachedUser made with ${what} is an OptionInvalid that names '${option}'.`, t => {
    const error = t.throws(() => new DetachedUser(init as DetachedUserInit), { instanceOf: OptionInvalid })
    t.is(error.where, 'DetachedUser')
    t.is(error.option, option)
  })
}

test('A detached user has the shape of a user: authenticated, active, without the rights of local ones.', t => {
  const user = new DetachedUser({ backend: 'ldap', id: 'uid=a,dc=b' })
  t.is(user.key, 'ldap:uid=a,dc=b')
  t.is(user.username, 'uid=a,dc=b')
  t.is(user.email, null)
  t.is(user.stamp, '')
  t.deepEqual(
    [user.isAuthenticated, user.isAnonymous, user.isActive, user.isStaff, user.isSuperuser],
    [true, false, true, false, false],
  )
  t.deepEqual(user.attributes, {})
  t.is(user.permissions.size, 0)
})

test('Every member of an anonymous user is a member of a detached one, and the other way round but for what it may be told of.', t => {
  const shape = (user: object) => [...Object.keys(user), 'hasPermission']
  const [anonymous, detached] = [shape(new AnonymousUser()), shape(new DetachedUser({ backend: 'a', id: 'b' }))]
  t.deepEqual(
    anonymous.filter(name => !detached.includes(name)),
    [],
  )
  t.deepEqual(detached.filter(name => !anonymous.includes(name)).sort(), ['attributes', 'permissions', 'stamp'])
})

test('R1: a detached user has the permissions listed and no other, whatever they are called.', t => {
  const user = new DetachedUser({ backend: 'ldap', id: 'a', permissions: new Set(['read', 'toString']) })
  t.true(user.hasPermission('read'))
  t.true(user.hasPermission('toString'))
  for (const name of ['write', '', 'READ', 'read ', '__proto__', 'constructor', 'hasOwnProperty', 'isStaff', 'size']) {
    t.false(user.hasPermission(name), name)
  }
  for (const name of [undefined, null, 0, ['read'], { toString: () => 'read' }]) {
    t.false(user.hasPermission(name as never))
  }
})

test('Ids of 1,024 bytes and of any script are taken as they are.', t => {
  for (const id of ['a'.repeat(1024), 'ä'.repeat(512), '😀'.repeat(256), ' ', '\t', '\0', 'a/b', ':', '__proto__']) {
    t.is(new DetachedUser({ backend: 'ldap', id }).id, id)
  }
})

test('Two detached users are the same exactly when their keys are: no backend and id make the key of another pair.', t => {
  const pairs: [string, string][] = [
    ['a', 'b:c'],
    ['a', 'b'],
    ['a', 'b '],
    ['a', 'B'],
    ['A', 'b'],
    ['a', 'é'],
    ['a', 'e\u0301'],
    ['ab', ':c'],
    ['a', ':b:c'],
  ]
  const keys = pairs.map(([backend, id]) => new DetachedUser({ backend, id }).key)
  t.is(new Set(keys).size, pairs.length)
})

test('What it is made from can change afterwards without effect.', t => {
  const permissions = ['read']
  const attributes: Record<string, unknown> = { dn: 'uid=a' }
  const user = new DetachedUser({ backend: 'ldap', id: 'a', permissions, attributes })
  permissions.push('write')
  attributes.dn = 'uid=b'
  t.false(user.hasPermission('write'))
  t.deepEqual(user.attributes, { dn: 'uid=a' })
  t.true(Object.isFrozen(user.attributes))
})

test('As JSON neither kind of user shows a stamp, permissions or attributes.', t => {
  const init = {
    backend: 'ldap',
    id: 'a',
    email: 'a@example.org',
    stamp: 's',
    permissions: ['p'],
    attributes: { x: 1 },
  }
  t.deepEqual(JSON.parse(JSON.stringify(new DetachedUser(init))), {
    id: 'a',
    backend: 'ldap',
    key: 'ldap:a',
    username: 'a',
    email: 'a@example.org',
    isAuthenticated: true,
    isStaff: false,
  })
  t.deepEqual(JSON.parse(JSON.stringify(new AnonymousUser())), {
    id: '',
    backend: '',
    key: '',
    username: '',
    email: null,
    isAuthenticated: false,
    isStaff: false,
  })
})

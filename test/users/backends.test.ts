import test from 'ava'
import { OptionInvalid, type UserBackend, users } from 'koa-strata'
import { Backends } from '../../lib/users/backends.ts'
import { directory, logIn, startUsersApp, userOf } from './app.ts'

const load = async () => null

const WRONG: [string, unknown, option: string][] = [
  ['nothing', undefined, 'options'],
  ['null', null, 'options'],
  ['a list', [], 'options'],
  ['text', 'local', 'options'],
  ['no backends', {}, 'backends'],
  ['backends: null', { backends: null }, 'backends'],
  ['an empty list', { backends: [] }, 'backends'],
  ['one backend that is not in a list', { backends: { name: 'a', load } }, 'backends'],
  ['backends: text', { backends: 'local' }, 'backends'],
  ['an option that is misspelt', { backend: [{ name: 'a', load }] }, 'backend'],
  ['an unknown option', { backends: [{ name: 'a', load }], cached: true }, 'cached'],
  ['a list of text', { backends: ['local'] }, 'backends[0]'],
  ['a list of null', { backends: [null] }, 'backends[0]'],
  ['a list of undefined', { backends: [{ name: 'a', load }, undefined] }, 'backends[1]'],
  ['a backend without load', { backends: [{ name: 'a' }] }, 'backends[0]'],
  ['a backend whose load is no function', { backends: [{ name: 'a', load: null }] }, 'backends[0]'],
  ['a promise of a backend', { backends: [Promise.resolve({ name: 'a', load })] }, 'backends[0]'],
  ['a backend without a name', { backends: [{ load }] }, 'backends[0].name'],
  ['an empty name', { backends: [{ name: '', load }] }, 'backends[0].name'],
  ['a name with a colon', { backends: [{ name: 'a:b', load }] }, 'backends[0].name'],
  ['a name with a space', { backends: [{ name: 'a b', load }] }, 'backends[0].name'],
  ['a name with a newline', { backends: [{ name: 'a\n', load }] }, 'backends[0].name'],
  ['a name that begins with a digit', { backends: [{ name: '1a', load }] }, 'backends[0].name'],
  ['a name that begins with _', { backends: [{ name: '__proto__', load }] }, 'backends[0].name'],
  ['a name of 65 characters', { backends: [{ name: 'a'.repeat(65), load }] }, 'backends[0].name'],
  ['a name that is a number', { backends: [{ name: 5, load }] }, 'backends[0].name'],
  [
    'two backends of one name',
    {
      backends: [
        { name: 'a', load },
        { name: 'b', load },
        { name: 'a', load },
      ],
    },
    'backends[2].name',
  ],
  [
    'stampFollowsPassword that is text',
    { backends: [{ name: 'a', load, stampFollowsPassword: 'no' }] },
    'backends[0].stampFollowsPassword',
  ],
  [
    'authenticate that is no function',
    { backends: [{ name: 'a', load, authenticate: {} }] },
    'backends[0].authenticate',
  ],
  ['loadMany that is no function', { backends: [{ name: 'a', load, loadMany: true }] }, 'backends[0].loadMany'],
  ['endSessions that is null', { backends: [{ name: 'a', load, endSessions: null }] }, 'backends[0].endSessions'],
  ['toSession without fromSession', { backends: [{ name: 'a', load, toSession: load }] }, 'backends[0]'],
  ['fromSession without toSession', { backends: [{ name: 'a', load, fromSession: load }] }, 'backends[0]'],
]

for (const [what, options, option] of WRONG) {
  test(`users() with ${what} is an OptionInvalid that names '${option}'.`, t => {
    const error = t.throws(() => users(options as never), { instanceOf: OptionInvalid })
    t.is(error.where, 'users()')
    t.is(error.option, option)
    t.true(error.message.startsWith(`users(): option '${option}' `))
  })
}

test('Names of 64 characters, of any case and with digits, hyphens and underscores are taken.', t => {
  for (const name of ['a', 'A', 'a'.repeat(64), 'ldap-2_b', 'constructor', 'toString']) {
    t.notThrows(() => users({ backends: [{ name, load }] }))
  }
})

test('The list of backends may change afterwards without effect.', async t => {
  const list: UserBackend[] = [directory('local', { alice: {} })]
  const app = await startUsersApp(t, { backends: list })
  list.length = 0
  t.is((await logIn(app.browser(), 'alice')).text, 'local:alice')
})

test('Concurrent loads become one call of loadMany, and each is answered its own user.', async t => {
  const calls: string[][] = []
  const people = { a: {}, b: {}, c: {} }
  const local = directory('local', people, {
    async loadMany(ids) {
      calls.push(ids)
      return ids.map(id => (id in people ? userOf('local', id) : null))
    },
  })
  const backends = new Backends('test', [local])
  const found = await Promise.all(['a', 'b', 'nobody', 'a', 'c'].map(id => backends.load(local, id)))
  t.deepEqual(
    found.map(user => user?.key),
    ['local:a', 'local:b', undefined, 'local:a', 'local:c'],
  )
  t.deepEqual(calls, [['a', 'b', 'nobody', 'c']])
  t.deepEqual(local.loaded, [])
})

test('A loadMany that answers too few is 503 for all who were in the call, and nobody is somebody else.', async t => {
  const backend = directory('local', { alice: {}, bob: {} }, { loadMany: async () => [] })
  const app = await startUsersApp(t, { backends: [backend] })
  const alice = app.browser()
  await logIn(alice, 'alice')
  t.is((await alice.get('/me')).status, 503)
})

test('A loadMany that answers in another order is a mistake that is told, and nobody is somebody else.', async t => {
  const backend = directory(
    'local',
    { alice: {}, bob: {} },
    {
      loadMany: async ids => ids.map(id => userOf('local', id === 'alice' ? 'bob' : 'alice')),
    },
  )
  const app = await startUsersApp(t, { backends: [backend] })
  const alice = app.browser()
  await logIn(alice, 'alice')
  t.is((await alice.get('/me')).status, 500)
  t.is(app.errors[0]!.code, 'BACKEND_INVALID')
})

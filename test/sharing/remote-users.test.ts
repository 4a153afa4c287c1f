import test from 'ava'
import { BackendInvalid, DetachedUser, OptionInvalid } from 'koa-strata'
import { type RemoteUsersOptions, remoteUsers } from '../../lib/sharing/remote-users.ts'

const CTX = {} as never
const load = async () => null

const WRONG: [string, unknown, option: string][] = [
  ['null', null, 'options'],
  ['text', 'remote', 'options'],
  ['an empty name', { name: '' }, 'name'],
  ['a name with a colon', { name: 'a:b' }, 'name'],
  ['name: null', { name: null }, 'name'],
  ['permissions that are a list', { permissions: ['read'] }, 'permissions'],
  ['permissions: null', { permissions: null }, 'permissions'],
  ['load: true', { load: true }, 'load'],
  ['permissions beside load', { permissions: () => [], load }, 'permissions'],
  ['a misspelt option', { permission: () => [] }, 'permission'],
]

for (const [what, options, option] of WRONG) {
  test(`remoteUsers() with ${what} is an OptionInvalid that names '${option}'.`, t => {
    const error = t.throws(() => remoteUsers(options as RemoteUsersOptions), { instanceOf: OptionInvalid })
    t.is(error.where, 'remoteUsers()')
    t.is(error.option, option)
  })
}

test('Whoever is named is a detached user of that id, with the permissions that the application gives.', async t => {
  const user = await remoteUsers({ permissions: async () => new Set(['read']) }).identify!('a/b', CTX)
  t.true(user instanceof DetachedUser)
  t.is(user!.key, 'remote:a/b')
  t.true(user!.hasPermission('read'))
  const plain = await remoteUsers({ name: 'kerberos' }).identify!('a', CTX)
  t.is(plain!.key, 'kerberos:a')
  t.deepEqual([...(plain as DetachedUser).permissions], [])
})

test('Nobody logs in to it by credentials, and the session carries its users, or load has them.', async t => {
  const carried = remoteUsers()
  t.is(carried.authenticate, undefined)
  t.is(await carried.load('a'), null)
  const user = (await carried.identify!('a', CTX))!
  t.is(carried.fromSession!(carried.toSession!(user))!.key, 'remote:a')
  const loaded = remoteUsers({ load: async id => (id === 'a' ? { id, email: 'a@example.org' } : null) })
  t.is(loaded.toSession, undefined)
  t.is((await loaded.identify!('a', CTX))!.email, 'a@example.org')
  t.is(await loaded.identify!('b', CTX), null)
  t.is((await loaded.load('a'))!.email, 'a@example.org')
})

test('Permissions that are no list are a mistake that names the backend.', async t => {
  const backend = remoteUsers({ permissions: () => 'read' })
  const error = await t.throwsAsync(backend.identify!('a', CTX), { instanceOf: BackendInvalid })
  t.is(
    error.message,
    "Backend 'remote' answered no identity: DetachedUser: option 'permissions' must be a list of texts.",
  )
})

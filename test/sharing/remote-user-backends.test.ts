import test, { type ExecutionContext } from 'ava'
import { AccessDenied, detachedUsers, memoryStore, type UserBackend } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { remoteUsers } from '../../lib/sharing/remote-users.ts'
import { migratedSqlite } from '../database/sqlite.ts'
import { heard } from '../heard.ts'
import { causes, recorded } from '../sessions/app.ts'
import { directory, userOf } from '../users/app.ts'
import { startProxiedApp } from './proxied.ts'

const ALICE = 'X-Remote-User: alice'
const BOB = 'X-Remote-User: bob'

/** People in a table, whom a proxy may name by their user name. */
async function table(t: ExecutionContext) {
  const knex = await migratedSqlite(t)
  const people = sqlUsers(knex)
  const { id } = await people.create({ username: 'Alice' })
  return { knex, people, id }
}

test('A header names users of the backend that is named: by their canonical name, with their own rights.', async t => {
  const { people, id } = await table(t)
  await people.grant(id, 'read')
  const app = await startProxiedApp(t, {
    backends: [remoteUsers(), people],
    remote: { backend: 'sql' },
    handlers: { '/may': ctx => String(ctx.state.user.hasPermission('read')) },
  })
  const client = app.client()
  for (const line of [ALICE, 'X-Remote-User: ALICE', ALICE]) t.is(await client.whoIs(line), `sql:${id}`)
  t.is((await client.get('/may', { lines: [ALICE] })).text, 'true')
  await people.revoke(id, 'read')
  t.is((await client.get('/may', { lines: [ALICE] })).text, 'false')
  t.is(await client.whoIs(BOB), '')
})

test('Who is deactivated is anonymous at the next request, though the header still names them; and so is who never was.', async t => {
  const { people, id } = await table(t)
  const app = await startProxiedApp(t, { backends: [people], remote: { backend: 'sql' } })
  const client = app.client()
  t.is(await client.whoIs(ALICE), `sql:${id}`)
  await people.deactivate(id)
  t.is(await client.whoIs(ALICE), '')
  t.is(await app.client().whoIs(ALICE), '')
  t.is(await app.client().whoIs(BOB), '')
})

for (const persistent of [false, true]) {
  test(`A header that names nobody logs out whoever was in, by the header or a form${persistent ? ', persistent' : ''}.`, async t => {
    const local = directory('local', { dave: {}, alice: {} }, { identify: async name => local.load(name) })
    const app = await startProxiedApp(t, { backends: [local], remote: { backend: 'local', persistent } })
    const [named, form, nobody] = [app.client(), app.client(), app.client()]
    await named.whoIs(ALICE)
    await form.get('/login?u=dave&p=pw')
    await nobody.get('/set?cart=1')
    for (const client of [named, form]) {
      t.is(await client.whoIs(BOB), '')
      t.is(client.cookie, '')
    }
    const { text } = await nobody.get('/me', { lines: [BOB] })
    t.deepEqual(JSON.parse(text), { key: '', session: { cart: '1' } }, 'who was nobody keeps what they had')
  })
}

test('X3: R1: the header logs in nobody but a user of the backend that is named, whatever others are called.', async t => {
  const { people, knex } = await table(t)
  const root = await people.create({ username: 'admin' })
  await knex('users').where({ id: root.id }).update({ is_superuser: true, is_staff: true })
  const app = await startProxiedApp(t, {
    backends: [people, remoteUsers()],
    handlers: {
      '/rights': ({ state: { user } }) => [user.key, user.isStaff, user.isSuperuser, user.hasPermission('anything')],
    },
  })
  const rights = async (name: string) =>
    JSON.parse((await app.client().get('/rights', { lines: [`X-Remote-User: ${name}`] })).text)
  for (const name of ['admin', 'Admin', `sql:${root.id}`, root.id])
    t.deepEqual(await rights(name), [`remote:${name}`, false, false, false])
})

test('Permissions of remoteUsers() are asked once for a login, and hold until its session is ended.', async t => {
  const granted = ['read']
  const asked: string[] = []
  const app = await startProxiedApp(t, {
    backends: [
      remoteUsers({
        permissions: async (name, ctx) => {
          asked.push(`${name} of ${ctx.get('X-Groups')}`)
          return [...granted]
        },
      }),
    ],
    handlers: {
      '/may': ({ state: { user } }) => ['read', 'write'].filter(name => user.hasPermission(name)),
      async '/renew'(ctx) {
        await ctx.endSessions({ backend: 'remote', id: 'alice' })
        return 'renewed'
      },
    },
  })
  const client = app.client()
  const may = async () => JSON.parse((await client.get('/may', { lines: [ALICE, 'X-Groups: staff'] })).text)
  t.deepEqual(await may(), ['read'])
  granted.push('write')
  t.deepEqual(await may(), ['read'])
  t.deepEqual(asked, ['alice of staff'])
  await app.client().get('/renew')
  t.deepEqual(await may(), ['read', 'write'])
  t.is(asked.length, 2)
})

test('R2: with load what a user of the header may do holds at the next request, and one who is gone is anonymous.', async t => {
  let permissions: string[] | null = ['read']
  const app = await startProxiedApp(t, {
    backends: [remoteUsers({ load: async id => (permissions ? { id, permissions } : null) })],
    handlers: { '/may': ({ state: { user } }) => [user.key, user.hasPermission('read')] },
  })
  const client = app.client()
  const may = async () => JSON.parse((await client.get('/may', { lines: [ALICE] })).text)
  t.deepEqual(await may(), ['remote:alice', true])
  permissions = []
  t.deepEqual(await may(), ['remote:alice', false])
  permissions = null
  t.deepEqual(await may(), ['', false])
  permissions = ['read']
  t.deepEqual(await may(), ['remote:alice', true])
})

test('detachedUsers() with identify is a backend that people come to by credentials and by a header.', async t => {
  const known = async (id: string | undefined) => (id === 'alice' ? { id, permissions: ['read'] } : null)
  const ldap = detachedUsers({
    name: 'ldap',
    authenticate: async ({ username, password }) => (password === 'pw' ? known(username) : null),
    identify: known,
  })
  const app = await startProxiedApp(t, { backends: [ldap], remote: { backend: 'ldap' } })
  const [header, form] = [app.client(), app.client()]
  t.is(await header.whoIs(ALICE), 'ldap:alice')
  t.is((await form.get('/login?u=alice&p=pw')).text, 'ldap:alice')
  t.is(await form.whoIs(), 'ldap:alice')
  t.is(await header.whoIs(), '')
  t.is(await header.whoIs(BOB), '')
})

test('A backend that fails is 503, and whoever is logged in stays so.', async t => {
  let broken = true
  const backends = [
    remoteUsers({ load: async id => (broken ? Promise.reject(new Error('secret')) : { id }) }),
    directory('local', { dave: {} }),
  ]
  const store = recorded(memoryStore())
  const app = await startProxiedApp(t, { store, backends })
  const [nobody, dave] = [app.client(), app.client()]
  await dave.get('/login?u=dave&p=pw')
  for (const client of [nobody, dave]) {
    const { status, head, text } = await client.get('/me', { lines: [ALICE] })
    t.is(status, 503)
    t.regex(head, /^Retry-After: 2$/m)
    t.notRegex(text, /secret/)
  }
  t.is((causes(app)[0] as Error).message, 'secret')
  t.is(await dave.whoIs(), 'local:dave')
  t.is(await nobody.whoIs(), '')
  broken = false
  for (const client of [nobody, dave]) t.is(await client.whoIs(ALICE), 'remote:alice')
})

test('A backend that refuses somebody leaves them anonymous, and the event says why each of them is.', async t => {
  // The channel is everybody's: the name tells which events are of this test.
  const name = 'refusing'
  const told = heard(t, 'koa-strata:login-failed')
  const identify: UserBackend['identify'] = async who => {
    if (who === 'denied') throw new AccessDenied()
    return who === 'unknown' ? null : userOf(name, who, { isActive: false })
  }
  const app = await startProxiedApp(t, { backends: [directory(name, {}, { identify })], remote: { backend: name } })
  for (const who of ['denied', 'unknown', 'inactive']) t.is(await app.client().whoIs(`X-Remote-User: ${who}`), '')
  const ours = told.filter(({ backend }) => backend === name)
  t.deepEqual(
    ours.map(({ reason }) => reason),
    ['denied', 'unknown', 'inactive'],
  )
})

for (const [what, identify] of Object.entries<unknown>({
  'what is no user': async () => 'alice',
  'a user of another backend': async () => userOf('other', 'alice'),
  'a user without an id': async () => userOf('local', ''),
})) {
  test(`X3: a backend that answers the header with ${what} is mistaken, and nobody is logged in.`, async t => {
    const backends = [directory('local', {}, { identify: identify as never })]
    const app = await startProxiedApp(t, { backends, remote: { backend: 'local' } })
    const client = app.client()
    t.is((await client.get('/me', { lines: [ALICE] })).status, 500)
    t.is(app.errors[0]!.code, 'BACKEND_INVALID')
    t.is(client.cookie, '')
  })
}

test('A backend that users() does not have, or that cannot tell users by name, is an error of the first request.', async t => {
  const missing = await startProxiedApp(t, { backends: [directory('local', {})] })
  t.is((await missing.client().get('/me')).status, 500)
  t.is(
    missing.errors[0]!.message,
    "remoteUser(): option 'backend' names 'remote', and users() has no such backend. Add remoteUsers() to its backends, or name one of them.",
  )
  const unable = await startProxiedApp(t, { backends: [directory('local', {})], remote: { backend: 'local' } })
  t.is((await unable.client().get('/me')).status, 500)
  t.is(
    unable.errors[0]!.message,
    "remoteUser(): option 'backend' names 'local', a backend without identify(), which cannot tell who goes by a name.",
  )
})

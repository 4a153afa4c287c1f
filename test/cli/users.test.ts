import test, { type ExecutionContext } from 'ava'
import { sqlUsers } from 'koa-strata/sql'
import { DATABASES, type DatabaseName } from '../database/servers.ts'
import { cli, cliJson, OTHER_PASSWORD, PASSWORD } from './cli.ts'
import { emptyDatabase, urlDatabase } from './databases.ts'

for (const name of DATABASES) {
  test(`${name}: migrate makes the tables, once.`, t => migrating(t, name))
  test(`${name}: create-user, set-password and deactivate do what they say, and a password opens what it should.`, t =>
    managing(t, name))
}

async function migrating(t: ExecutionContext, name: DatabaseName): Promise<void> {
  const { url, knex } = await emptyDatabase(t, name)
  const early = await cliJson(t, ['deactivate', 'alice', '--database', url])
  t.is(early.code, 4)
  // Only migrate makes a file.
  t.is(early.json.error.code, name === 'sqlite' ? 'UNREACHABLE' : 'NOT_MIGRATED')
  const first = await cliJson(t, ['migrate', '--database', url])
  t.is(first.code, 0)
  t.true(first.json.ran.length > 0)
  t.true(await knex.schema.hasTable('users'))
  // Each has another name.
  const other = url
    .replace(/^mysql:/, 'mariadb:')
    .replace(/^postgresql:/, 'postgres:')
    .replace(/^sqlite:/, '')
  const second = await cli(t, ['migrate'], { env: { DATABASE_URL: other } })
  t.is(second.code, 0)
  t.regex(second.stdout, /^\S+ is up to date\.\n$/)
}

async function managing(t: ExecutionContext, name: DatabaseName): Promise<void> {
  const { url, knex } = await urlDatabase(t, name)
  const env = { DATABASE_URL: url }
  const people = sqlUsers(knex)
  await people.groups.create('editors', { permissions: ['pages.edit'] })

  const words = ['create-user', 'Ärmel', '--email', 'a@example.org', '--staff', '--permission', 'a.read']
  const made = await cliJson(t, [...words, '--permission', 'a.write', '--group', 'editors'], {
    env,
    input: `${PASSWORD}\n`,
  })
  t.is(made.code, 0)
  const { user } = made.json
  t.like(user, { username: 'Ärmel', email: 'a@example.org', isActive: true, isStaff: true, isSuperuser: false })
  t.deepEqual(user.permissions, ['a.read', 'a.write', 'pages.edit'])
  t.deepEqual(user.groups, ['editors'])
  t.is((await people.authenticate({ username: 'a@example.org', password: PASSWORD }))?.key, user.key)

  const changed = await cli(t, ['set-password', 'a@example.org'], { env, input: `${OTHER_PASSWORD}\r\nmore` })
  t.is(changed.code, 0)
  t.is(changed.stdout, `Ärmel (${user.key}) has a new password; all their sessions have ended.\n`)
  t.is(await people.authenticate({ username: 'Ärmel', password: PASSWORD }), null)
  t.truthy(await people.authenticate({ username: 'Ärmel', password: OTHER_PASSWORD }))

  t.is((await cli(t, ['deactivate', user.key], { env })).code, 0)
  t.false((await people.find({ id: user.id }))?.isActive)
}

test('Users of a backend with another name are managed by that name.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const more = ['--database', url, '--backend', 'staff']
  const { json } = await cliJson(t, ['create-user', 'bob', '--no-password', '--superuser', ...more])
  t.is(json.user.key, 'staff:1')
  t.like(await sqlUsers(knex).find({ username: 'bob' }), { isSuperuser: true })
  t.is(
    await knex('users')
      .first('password')
      .then(row => row.password),
    null,
  )
  t.is((await cli(t, ['deactivate', 'staff:1', ...more])).code, 0)
  const elsewhere = await cli(t, ['deactivate', 'staff:1', '--database', url])
  t.is(elsewhere.code, 3)
  t.regex(elsewhere.stderr, /begin with 'sql:'/)
})

test('What is refused says why, changes nothing and ends with 3.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const env = { DATABASE_URL: url }
  await sqlUsers(knex).create({ username: 'alice', email: 'alice@example.org' })
  await sqlUsers(knex).groups.create('editors')
  const input = PASSWORD
  const refused = async (words: string[], code: string, message: RegExp, how: { input?: string } = { input }) => {
    const { code: exitCode, json } = await cliJson(t, words, { env, ...how })
    t.is(exitCode, 3, words.join(' '))
    t.is(json.error.code, code)
    t.regex(JSON.stringify(json), message)
  }
  await Promise.all([
    refused(['create-user', 'ALICE'], 'USER_EXISTS', /name is taken/),
    refused(['create-user', 'carol', '--email', 'Alice@Example.org'], 'USER_EXISTS', /address is taken/),
    refused(['create-user', 'carol', '--group', 'writers'], 'NOT_FOUND', /no group 'writers'. There are: editors\./),
    refused(['create-user', 'carol', '--permission', ' '], 'USER_INVALID', /"permission":"A permission must/),
    refused(['create-user', 'carol'], 'USER_INVALID', /"password":"The password must have at least 15/, {
      input: 'short',
    }),
    refused(['set-password', 'alice'], 'USER_INVALID', /"fields":\{"password":/, { input: 'aaaaaaaaaaaaaaaaaa' }),
    refused(['set-password', 'mallory'], 'NOT_FOUND', /no user 'mallory'/),
    refused(['deactivate', 'sql:99'], 'NOT_FOUND', /no user 'sql:99'/),
  ])
  const invalid = await cli(t, ['create-user', 'a:b', '--email', 'nobody'], { env, input: 'short' })
  t.is(invalid.code, 3)
  t.regex(invalid.stderr, /^koa-strata: .+\n {2}username: .+\n {2}email: .+\n {2}password: .+\n$/)
  t.is((await knex('users').select()).length, 1)
})

test('Without a password on stdin nothing is changed.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  for (const input of ['', '\n', new Uint8Array([0xff, 0x0a])]) {
    const { code, json } = await cliJson(t, ['create-user', 'alice', '--database', url], { input })
    t.is(code, 2)
    t.is(json.error.code, 'USAGE')
  }
  t.is((await knex('users').select()).length, 0)
})

test('A database whose tables are somebody else’s is left alone.', async t => {
  const { url, knex } = await emptyDatabase(t, 'sqlite')
  await knex.schema.createTable('users', table => table.integer('uid'))
  const { code, json } = await cliJson(t, ['migrate', '--database', url])
  t.is(code, 4)
  t.regex(json.error.message, /whose table 'users' is this library's/)
  t.false(await knex.schema.hasTable('sessions'))
})

test('A database without the library’s users has its sessions managed, and its users left to the application.', async t => {
  const { url, knex } = await emptyDatabase(t, 'sqlite')
  const env = { DATABASE_URL: url }
  await knex.schema.createTable('users', table => table.integer('uid'))
  t.is((await cli(t, ['migrate', '--no-users'], { env })).code, 0)
  const { code, json } = await cliJson(t, ['deactivate', 'alice'], { env })
  t.is(code, 4)
  t.regex(json.error.message, /has no users of the library/)
  t.is((await cli(t, ['clear-sessions'], { env })).code, 0)
  t.is((await cli(t, ['revoke', 'ldap:alice'], { env })).code, 0)
  const doctor = await cli(t, ['doctor'], { env })
  t.is(doctor.code, 0)
  t.regex(doctor.stdout, /^ok +migrations .+, without users\.$/m)
  t.regex(doctor.stdout, /^skipped +passwords +the users are in a table of the application\.$/m)
})

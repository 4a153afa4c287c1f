import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { detachedUsers, OptionInvalid, profiles } from 'koa-strata'
import { type SqlProfilesOptions, sqlProfiles } from 'koa-strata/sql'
import { DATABASES, type DatabaseName, newDatabase } from '../database/servers.ts'
import { openSqlite, sqliteFile } from '../database/sqlite.ts'
import { directory, logIn, startUsersApp, userOf } from '../users/app.ts'

interface Employer {
  user_key: string
  company: string
}

/** Columns that overlook case, where the database has such a collation by itself. */
const SLOPPY: Record<DatabaseName, string> = {
  sqlite: 'varchar(1100) collate nocase',
  mariadb: 'varchar(1100) character set utf8mb4 collate utf8mb4_general_ci',
  postgresql: 'varchar(1100)',
}

async function table(t: ExecutionContext, name: DatabaseName): Promise<{ knex: Knex; queries: string[] }> {
  const knex = (await newDatabase(t, name)).open()
  await knex.schema.createTable('employers', made => {
    made.specificType('user_key', SLOPPY[name])
    made.text('company')
  })
  const queries: string[] = []
  knex.on('query', ({ sql }) => queries.push(sql))
  return { knex, queries }
}

const WRONG: [string, unknown, unknown, option: string][] = [
  ['no knex', undefined, { table: 'employers' }, 'knex'],
  ['knex: null', null, { table: 'employers' }, 'knex'],
  ['a function that is no knex', () => {}, { table: 'employers' }, 'knex'],
  ['the options of a knex', { client: 'pg' }, { table: 'employers' }, 'knex'],
  ['no options', 'knex', undefined, 'options'],
  ['options: null', 'knex', null, 'options'],
  ['options: text', 'knex', 'employers', 'options'],
  ['no table', 'knex', {}, 'table'],
  ['an empty table', 'knex', { table: '' }, 'table'],
  ['table: null', 'knex', { table: null }, 'table'],
  ['a table that is a number', 'knex', { table: 5 }, 'table'],
  ['a table with a space', 'knex', { table: 'employers as e' }, 'table'],
  ['a table with a quote', 'knex', { table: 'employers`; drop table x' }, 'table'],
  ['an empty key', 'knex', { table: 'employers', key: '' }, 'key'],
  ['key: null', 'knex', { table: 'employers', key: null }, 'key'],
  ['a key that is a number', 'knex', { table: 'employers', key: 5 }, 'key'],
  ['a key with the table before it', 'knex', { table: 'employers', key: 'employers.user_key' }, 'key'],
  ['a key for all columns', 'knex', { table: 'employers', key: '*' }, 'key'],
  ['fields as text', 'knex', { table: 'employers', fields: 'company' }, 'fields'],
  ['a field with the table before it', 'knex', { table: 'employers', fields: ['employers.company'] }, 'fields'],
  ['the key among the fields', 'knex', { table: 'employers', fields: ['company', 'user_key'] }, 'fields'],
  ['another key among the fields', 'knex', { table: 'employers', key: 'Owner', fields: ['owner'] }, 'fields'],
  ['timeout: 0', 'knex', { table: 'employers', timeout: 0 }, 'timeout'],
  ['timeout: false', 'knex', { table: 'employers', timeout: false }, 'timeout'],
  ['a misspelt option', 'knex', { table: 'employers', column: 'user_key' }, 'column'],
]

for (const [what, given, options, option] of WRONG) {
  test(`sqlProfiles() with ${what} is an OptionInvalid that names '${option}'.`, async t => {
    const knex = given === 'knex' ? openSqlite(t, await sqliteFile(t)) : given
    const error = t.throws(() => sqlProfiles(knex as Knex, options as SqlProfilesOptions), {
      instanceOf: OptionInvalid,
    })
    t.is(error.where, 'sqlProfiles()')
    t.is(error.option, option)
  })
}

for (const name of DATABASES) {
  test(`${name}: The profile is the row whose key column holds the user's key, exactly, whatever the collation.`, async t => {
    const { knex } = await table(t, name)
    await knex('employers').insert([
      { user_key: 'LOCAL:ALICE', company: 'Shouting' },
      { user_key: 'local:alice', company: 'Acme' },
      { user_key: 'Local:Alice', company: 'Title' },
      { user_key: 'LOCAL:BOB', company: 'Not of bob' },
    ])
    const { find, findMany } = sqlProfiles<Employer>(knex, { table: 'employers' })
    const [alice, bob] = [userOf('local', 'alice'), userOf('local', 'bob')]
    t.deepEqual(await find(alice), { user_key: 'local:alice', company: 'Acme' })
    t.is(await find(bob), null)
    t.deepEqual(await findMany!([bob, alice, bob]), [null, { user_key: 'local:alice', company: 'Acme' }, null])
  })

  test(`${name}: Keys that look like SQL are keys.`, async t => {
    const { knex } = await table(t, name)
    const ids = ["'; drop table employers; --", '" or 1=1', '%', '_', '\\', 'a/b', '😀', 'x'.repeat(1024)]
    await knex('employers').insert(ids.map(id => ({ user_key: `ldap:${id}`, company: id })))
    const { find, findMany } = sqlProfiles<Employer>(knex, { table: 'employers' })
    for (const id of ids) t.is((await find(userOf('ldap', id)))?.company, id)
    const found = await findMany!(ids.map(id => userOf('ldap', id)))
    t.deepEqual(
      found.map(profile => profile?.company),
      ids,
    )
  })

  test(`${name}: Another column may hold the key.`, async t => {
    const knex = (await newDatabase(t, name)).open()
    await knex.schema.createTable('people', made => {
      made.string('owner')
      made.string('name')
    })
    await knex('people').insert({ owner: 'local:alice', name: 'Alice' })
    const source = sqlProfiles<{ owner: string; name: string }>(knex, { table: 'people', key: 'owner' })
    t.is((await source.find(userOf('local', 'alice')))?.name, 'Alice')
  })

  test(`${name}: In an app the row is the profile of local and detached users, one query finds those of many, and a change holds at once.`, async t => {
    const { knex, queries } = await table(t, name)
    await knex('employers').insert([
      { user_key: 'local:alice', company: 'Acme' },
      { user_key: 'ldap:uid=b,dc=x', company: 'Apex' },
    ])
    const app = await startUsersApp(t, {
      backends: [
        directory('local', { alice: {}, carol: {} }),
        detachedUsers({ name: 'ldap', authenticate: async ({ username }) => ({ id: username! }) }),
      ],
      above: [profiles({ employer: sqlProfiles<Employer>(knex, { table: 'employers' }) })],
      handlers: { '/company': ({ state: { user } }) => (user.isEmployer ? user.profile.company : 'none') },
    })
    const [alice, detached, carol] = [app.browser(), app.browser(), app.browser()]
    await logIn(alice, 'alice')
    await logIn(detached, 'uid=b,dc=x')
    await logIn(carol, 'carol')
    queries.length = 0
    t.is((await alice.get('/company')).text, 'Acme')
    t.is((await detached.get('/company')).text, 'Apex')
    t.is((await carol.get('/company')).text, 'none')
    t.is(queries.length, 3)
    await app.browser().get('/company')
    t.is(queries.length, 3, 'nothing is asked for anonymous users')
    await knex('employers').where({ user_key: 'local:alice' }).update({ company: 'Acme & Sons' })
    t.is((await alice.get('/company')).text, 'Acme & Sons')
    await knex('employers').where({ user_key: 'local:alice' }).del()
    t.is((await alice.get('/company')).text, 'none')
  })

  test(`${name}: Rows go over to another key, exactly those of the first, as a part of a transaction.`, async t => {
    const { knex } = await table(t, name)
    const others = ['LDAP:ADA', 'ldap:Ada', 'ldap:ad', 'ldap:ada2', 'ldap:_da', '%']
    await knex('employers').insert(
      ['ldap:ada', 'ldap:ada', ...others].map(user_key => ({ user_key, company: user_key })),
    )
    const keys = async (): Promise<string[]> => (await knex('employers').pluck('user_key')).sort()
    const before = await keys()
    const { carry } = sqlProfiles<Employer>(knex, { table: 'employers' })
    await t.throwsAsync(
      knex.transaction(async trx => {
        await carry('ldap:ada', 'sql:1', trx)
        throw new Error('changed my mind')
      }),
      { message: 'changed my mind' },
    )
    t.deepEqual(await keys(), before)
    for (let time = 0; time < 2; time++) await knex.transaction(trx => carry('ldap:ada', 'sql:1', trx))
    t.deepEqual(await keys(), ['sql:1', 'sql:1', ...others].sort())
    await knex.transaction(trx => carry('ldap:nobody', 'sql:2', trx))
    t.false((await keys()).includes('sql:2'))
  })

  test(`${name}: Keys that look like SQL, or are long, go over as they are.`, async t => {
    const { knex } = await table(t, name)
    const ids = ["'; drop table employers; --", '" or 1=1', '%', '\\', 'a/b ', 'é☃😀', 'x'.repeat(1024)]
    await knex('employers').insert(ids.map(id => ({ user_key: `ldap:${id}`, company: id })))
    const { carry, find } = sqlProfiles<Employer>(knex, { table: 'employers' })
    for (const [index, id] of ids.entries()) {
      await knex.transaction(trx => carry(`ldap:${id}`, `sql:${index}`, trx))
      t.is((await find(userOf('sql', `${index}`)))?.company, id)
    }
  })
}

for (const name of DATABASES) {
  test(`L9: ${name}: a table that is not there is 503, and the answer tells neither its name nor the query, and the error no key.`, async t => {
    const knex = (await newDatabase(t, name)).open()
    const app = await startUsersApp(t, { above: [profiles({ employer: sqlProfiles(knex, { table: 'employers' }) })] })
    const answer = await logIn(app.browser(), 'alice')
    t.is(answer.status, 503)
    t.notRegex(answer.text, /employers|select/)
    const { cause } = app.errors[0]!
    t.regex((cause as Error).message, /employers/)
    t.notRegex(inspect(cause, { depth: 10, showHidden: true }), /alice|select/)
  })
}

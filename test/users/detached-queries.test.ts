import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { detachedUsers, memoryStore } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'
import { DATABASES, type DatabaseName, migratedDatabase } from '../database/servers.ts'
import { logIn, startUsersApp, whoIs } from './app.ts'

const PASSWORD = 'the vixen sleeps at noon'
const identityOf = async (id: string) => ({ id, permissions: ['read'] })

/** An app of local users and detached ones, the statements that its database has been asked for, and what is in its tables. */
async function start(
  t: ExecutionContext,
  name: DatabaseName,
  given: { load?: boolean | undefined; inSql?: boolean | undefined } = {},
) {
  const { knex } = await migratedDatabase(t, name)
  const people = sqlUsers(knex)
  const root = await people.create({ username: 'root', password: PASSWORD })
  await knex('users').where({ id: root.id }).update({ is_superuser: true, is_staff: true })
  const queries: string[] = []
  knex.on('query', ({ sql }: { sql: string }) => {
    // Sessions are in the same database, and are written.
    if (!/\bsessions\b/.test(sql)) queries.push(sql)
  })
  const app = await startUsersApp(t, {
    store: given.inSql ? sqlStore(knex) : memoryStore(),
    backends: [
      people,
      detachedUsers({
        name: 'ldap',
        authenticate: async ({ username, password }) => (password === 'pw' ? identityOf(username!) : null),
        ...(given.load && { load: identityOf }),
      }),
    ],
    handlers: {
      '/rights': ({ state: { user } }) => ({
        key: user.key,
        may: [user.isStaff, user.isSuperuser, user.hasPermission('anything'), user.hasPermission('read')],
      }),
    },
  })
  return { app, knex, root, queries, contents: () => contentsOf(knex, name) }
}

/** Every row of every table but that of the sessions. */
async function contentsOf(knex: Knex, name: DatabaseName): Promise<Record<string, unknown[]>> {
  const tables =
    name === 'sqlite'
      ? await knex('sqlite_master').where({ type: 'table' }).pluck('name')
      : await knex('information_schema.tables')
          .whereRaw(name === 'mariadb' ? 'table_schema = database()' : 'table_schema = current_schema()')
          .pluck('table_name')
  const entries = tables
    .filter((table: string) => table !== 'sessions')
    .sort()
    .map(async (table: string) => [table, await knex(table)])
  return Object.fromEntries(await Promise.all(entries))
}

for (const name of DATABASES) {
  for (const [load, inSql] of [
    [false, true],
    [true, false],
  ]) {
    test(`${name}: a detached user, ${load ? 'loaded' : 'carried'}, with sessions in ${inSql ? 'the same database' : 'memory'}, is looked for once among local users, and nothing is written there.`, async t => {
      const { app, queries, contents } = await start(t, name, { load, inSql })
      const before = await contents()
      t.true(Object.keys(before).includes('users'))
      for (const id of ['uid=jdoe,dc=example', 'root', '1', "'; delete from users; --"]) {
        const browser = app.browser()
        queries.length = 0
        t.is((await logIn(browser, id)).status, 200)
        t.true(queries.length > 0 && queries.every(sql => /^select /i.test(sql)))
        queries.length = 0
        for (const path of ['/me', '/set?draft=1', '/sessions', '/everywhere?keep', '/me'])
          t.is((await browser.get(path)).status, 200)
        t.is(await whoIs(browser), `ldap:${id}`)
        await browser.get('/logout')
        t.is(await whoIs(browser), '')
        t.deepEqual(queries, [], 'no statement about anything but sessions')
      }
      t.deepEqual(await contents(), before)
    })
  }

  test(`X3: R1: ${name}: a detached user who is named or numbered like a local superuser has none of their rights.`, async t => {
    const { app, root } = await start(t, name)
    for (const id of ['root', 'ROOT', root.id, `sql:${root.id}`]) {
      const browser = app.browser()
      await logIn(browser, id)
      t.deepEqual((await browser.get('/rights')).json, { key: `ldap:${id}`, may: [false, false, false, true] })
    }
    const local = app.browser()
    await logIn(local, 'root', PASSWORD)
    t.deepEqual((await local.get('/rights')).json, { key: `sql:${root.id}`, may: [true, true, true, true] })
  })
}

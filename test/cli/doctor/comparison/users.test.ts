import test, { type ExecutionContext } from 'ava'
import { detachedUsers, type UserBackend } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { DATABASES, type DatabaseName, migratedDatabase } from '../../../database/servers.ts'
import { bothWays, compared, deployment, drawn } from '../deployment.ts'
import { sqlUsersTable } from '../people-table.ts'

const CHECK = 'shared users'
const withUsers = (...backends: UserBackend[]) => deployment({ backends })

/** A table with these people, and a way to be an application on it. */
async function tableOf(t: ExecutionContext, names: readonly string[], name: DatabaseName = 'sqlite') {
  const { knex } = await migratedDatabase(t, name)
  const people = sqlUsers(knex, { now: () => 1000 })
  for (const username of names) await people.create({ username })
  return { knex, app: () => withUsers(sqlUsers(knex)) }
}

for (const name of DATABASES) {
  test(`${name}: one table of users is told from another, and from a copy that has grown apart.`, async t => {
    const names = Array.from({ length: 12 }, (_, index) => `person ${index}`)
    const shop = await tableOf(t, names, name)
    const { card } = await drawn(shop.app())
    t.is(card.logins[0]?.people[0]?.ids.length, 10)
    const [same, ...more] = await compared(shop.app(), card, CHECK)
    t.is(same?.message, "shop: 'sql' has the same people (10 compared).")
    t.deepEqual(more, [])

    const other = await tableOf(t, names.toReversed(), name)
    t.deepEqual(await bothWays(other.app(), shop.app(), CHECK), [['problem'], ['problem']])
    t.regex((await compared(other.app(), card, CHECK))[0]!.message, /other people: the same ids are others here/)
    const older = await tableOf(t, names.slice(0, -2), name)
    t.regex((await compared(older.app(), card, CHECK))[0]!.message, /of 10 who are there, 2 are not here/)
  })
}

test('A table with nobody in it tells nothing, and lacks those of the other.', async t => {
  const [empty, other] = [await tableOf(t, []), await tableOf(t, ['ann'])]
  t.deepEqual(await bothWays(empty.app(), empty.app(), CHECK), [['skipped'], ['skipped']])
  t.deepEqual(await bothWays(empty.app(), other.app(), CHECK), [['problem'], ['skipped']])
})

test('Two tables whose first user has one name are told apart by when these were made, where both say it.', async t => {
  const columns = { id: 'id', username: 'username' }
  const admins = async (now: number) => {
    const { knex } = await migratedDatabase(t, 'sqlite')
    await sqlUsers(knex, { now: () => now }).create({ username: 'admin' })
    return {
      dated: withUsers(sqlUsers(knex, { table: 'users', columns: { ...columns, createdAt: 'created_at' } })),
      undated: withUsers(sqlUsers(knex, { table: 'users', columns })),
    }
  }
  const [one, same, another] = [await admins(1000), await admins(1000), await admins(1001)]
  t.deepEqual(await bothWays(one.dated, same.dated, CHECK), [['ok'], ['ok']])
  t.deepEqual(await bothWays(one.dated, another.dated, CHECK), [['problem'], ['problem']])
  t.deepEqual(await bothWays(one.undated, another.undated, CHECK), [['ok'], ['ok']])
  t.deepEqual(await bothWays(one.undated, one.dated, CHECK), [['skipped'], ['ok']])
})

test('The people of an application’s own table are compared too, whatever their ids are.', async t => {
  for (const idType of ['uuid', 'text'] as const) {
    const { knex } = await sqlUsersTable(t, idType)
    const columns = { id: 'key', username: 'login', password: 'secret' }
    const own = () => sqlUsers(knex, { table: 'people', columns, idType })
    const people = own()
    for (const username of ['ann', 'bob']) await people.create({ username })
    t.deepEqual(await bothWays(withUsers(own()), withUsers(own()), CHECK), [['ok'], ['ok']])
    const { knex: another } = await sqlUsersTable(t, idType)
    const apart = withUsers(sqlUsers(another, { table: 'people', columns, idType }))
    t.is((await compared(apart, (await drawn(withUsers(own()))).card, CHECK))[0]?.status, 'problem')
  }
})

test('A backend that one of them lacks is told; their order is each one’s own.', async t => {
  const { knex } = await tableOf(t, ['ann'])
  const sql = () => sqlUsers(knex)
  const ldap = () => detachedUsers({ name: 'ldap', load: async id => ({ id }) })
  t.deepEqual(await bothWays(withUsers(sql(), ldap()), withUsers(ldap(), sql()), CHECK), [
    ['ok', 'ok'],
    ['ok', 'ok'],
  ])
  const [here] = await compared(withUsers(sql(), ldap()), (await drawn(withUsers(sql()))).card, CHECK)
  t.like(here, { status: 'warning' })
  t.regex(here!.message, /'ldap' is a backend here and none there/)
  const [there] = await compared(withUsers(sql()), (await drawn(withUsers(sql(), ldap()))).card, CHECK)
  t.regex(there!.message, /'ldap' is a backend there and none here/)
  const renamed = withUsers(sqlUsers(knex, { name: 'staff' }))
  t.deepEqual(await bothWays(renamed, withUsers(sql()), CHECK), [['problem'], ['problem']])
})

test('Backends of one name that end each other’s logins are told.', async t => {
  const { knex } = await tableOf(t, ['ann'])
  const ldap = (load?: 'load') =>
    withUsers(detachedUsers({ name: 'ldap', ...(load && { load: async id => ({ id }) }) }))
  t.deepEqual(await bothWays(ldap(), ldap(), CHECK), [['ok'], ['ok']])
  t.deepEqual(await bothWays(ldap('load'), ldap(), CHECK), [['problem'], ['problem']])

  const columns = { id: 'id', username: 'username', password: 'password', epoch: 'epoch', isActive: 'is_active' }
  const mapped = (given: Partial<typeof columns>) =>
    withUsers(sqlUsers(knex, { table: 'users', columns: { ...columns, ...given } }))
  t.deepEqual(await bothWays(mapped({}), mapped({}), CHECK), [['ok'], ['ok']])
  const apart: [given: object, said: RegExp][] = [
    [{ epoch: undefined }, /ends sessions by itself here, and has that kept beside the sessions there/],
    [{ isActive: undefined }, /stamps from password, isActive, epoch here and from password, epoch there/],
    [{ password: undefined }, /stamps from password, isActive, epoch here and from isActive, epoch there/],
  ]
  for (const [given, said] of apart) {
    const [found, people] = await compared(mapped({}), (await drawn(mapped(given))).card, CHECK)
    t.is(found?.status, 'problem')
    t.regex(found!.message, said)
    t.is(people?.status, 'ok', 'they are the same people nevertheless')
  }
})

test('Users that cannot be loaded are told, where the card is written and where it is read.', async t => {
  const { knex, app } = await tableOf(t, ['ann'])
  const gone = withUsers(sqlUsers(knex, { table: 'nowhere', columns: { id: 'id', username: 'username' } }))
  const { card, findings } = await drawn(gone)
  t.like(findings, { length: 1, 0: { check: 'card', status: 'problem' } })
  t.regex(findings[0]!.message, /^The people of 'sql' cannot be told by it: /)
  t.deepEqual(card.logins[0]?.people, [])
  const found = await compared(gone, (await drawn(app())).card, CHECK)
  t.true(found.some(({ message }) => /the people of 'sql' cannot be loaded here/.test(message)))
})

test('A backend that answers for itself is asked one by one for whom the card names.', async t => {
  const { knex, app } = await tableOf(t, ['ann', 'bob'])
  const { card } = await drawn(app())
  const { name, load, endSessions } = sqlUsers(knex)
  const wrapped: UserBackend = { name, load, endSessions: endSessions! }
  t.like(await compared(withUsers(wrapped), card, CHECK), { length: 1, 0: { status: 'ok' } })
  const other: UserBackend = { ...wrapped, load: id => load(id === '1' ? '2' : '1') }
  t.like(await compared(withUsers(other), card, CHECK), { length: 1, 0: { status: 'problem' } })
})

test('Without users() there is nobody to compare.', async t => {
  const { app } = await tableOf(t, ['ann'])
  t.deepEqual(await bothWays(app(), deployment(), CHECK), [['skipped'], ['skipped']])
})

import test from 'ava'
import { type AuthenticatedUser, DetachedUser } from 'koa-strata'
import { sqlProfiles } from 'koa-strata/sql'
import { DATABASES, type DatabaseName, newDatabase } from '../database/servers.ts'
import { DETACHED_IDS } from './detached-ids.ts'

/** The column of keys as an application might declare it: 1,024 bytes of id, and a backend's name. */
const COLUMNS: Record<DatabaseName, string> = {
  sqlite: 'text',
  mariadb: 'varchar(1100) character set utf8mb4',
  postgresql: 'text',
}

// No text of PostgreSQL holds a NUL, so that who has one in the id has no profile anywhere.
const holds = (key: string) => !key.includes('\0')

for (const name of DATABASES) {
  test(`X3: ${name}: detached users of any id have the profile that stands under their key, and no other's.`, async t => {
    const knex = (await newDatabase(t, name)).open()
    await knex.schema.createTable('employers', made => {
      made.specificType('user_key', COLUMNS[name])
      made.integer('number')
    })
    const people = ['ldap', 'oidc'].flatMap(backend => DETACHED_IDS.map(id => new DetachedUser({ backend, id })))
    const rows = people.map(({ key }, number) => ({ user_key: key, number })).filter(({ user_key }) => holds(user_key))
    await knex.batchInsert('employers', rows, 20)
    const source = sqlProfiles<{ number: number }>(knex, { table: 'employers' })
    const expected = people.map(({ key }, number) => (holds(key) ? number : null))
    const numbers = (found: ({ number: number } | null)[]) => found.map(one => one?.number ?? null)

    t.deepEqual(numbers(await Promise.all(people.map(async user => source.find(user)))), expected, 'one by one')
    t.deepEqual(numbers(await source.findMany!(people)), expected, 'all at once')
    const strangers = DETACHED_IDS.map(id => new DetachedUser({ backend: 'other', id }) as AuthenticatedUser)
    t.deepEqual(
      numbers(await source.findMany!(strangers)),
      strangers.map(() => null),
    )
  })
}

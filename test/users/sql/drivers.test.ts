import test from 'ava'
import type { Knex } from 'knex'
import { sqlUsers } from 'koa-strata/sql'
import pg from 'pg'
import { type DatabaseName, migratedDatabase, onConnect } from '../../database/servers.ts'
import { PASSWORD } from './people.ts'

/** How people set up their drivers and connections, several of it at once. */
const SETTINGS: Record<string, [name: DatabaseName, config: Knex.Config]> = {
  'mariadb with numbers as text, in the old utf8, without FOUND_ROWS, not strict': [
    'mariadb',
    {
      connection: {
        flags: ['-FOUND_ROWS'],
        supportBigNumbers: true,
        bigNumberStrings: true,
        charset: 'utf8',
      } as object,
      ...onConnect("set session sql_mode = ''"),
    },
  ],
  'mariadb with booleans, strict snapshots': [
    'mariadb',
    {
      connection: {
        typeCast: (field: { type: string; string(): string }, next: () => void) =>
          field.type === 'TINY' ? field.string() === '1' : next(),
      } as object,
      ...onConnect('set session innodb_snapshot_isolation = on'),
    },
  ],
  'postgresql with BigInt, SERIALIZABLE': [
    'postgresql',
    {
      connection: {
        types: {
          getTypeParser: (id: number, format: 'text') => (id === 20 ? BigInt : pg.types.getTypeParser(id, format)),
        },
      } as object,
      ...onConnect("set default_transaction_isolation = 'serializable'"),
    },
  ],
}

for (const [as, [name, config]] of Object.entries(SETTINGS)) {
  test(`S4: ${as}: a user is made, logs in, is found by the same key and stamp as ever, and every end of sessions gives another one.`, async t => {
    const { knex, open } = await migratedDatabase(t, name)
    const [people, plain] = [sqlUsers(open(config)), sqlUsers(knex)]
    const made = await people.create({ username: 'Zoë', email: 'zoe@example.org', password: PASSWORD })
    t.deepEqual(await people.load(made.id), made)
    t.deepEqual(await plain.load(made.id), made)
    t.is((await people.authenticate({ username: 'ZOË', password: PASSWORD }))?.key, made.key)
    t.true(made.isActive)
    await people.grant(made.id, 'openings.publish')
    await people.grant(made.id, 'openings.publish')
    t.true((await people.load(made.id))?.hasPermission('openings.publish'))
    const stamps = new Set([made.stamp])
    t.is(stamps.add((await people.endSessions(made.id))!).size, 2)
    t.is((await plain.load(made.id))?.stamp, [...stamps].at(-1))
    await people.setPassword(made.id, 'another password')
    t.is(stamps.add((await people.load(made.id))!.stamp).size, 3)
    const ends = await Promise.all(Array.from({ length: 10 }, () => people.endSessions(made.id)))
    t.is(new Set(ends).size, 10)
    await people.deactivate(made.id)
    t.false((await people.load(made.id))?.isActive)
    t.is(await people.authenticate({ username: 'Zoë', password: 'another password' }), null)
  })
}

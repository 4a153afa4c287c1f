import test from 'ava'
import { DetachedUser } from 'koa-strata'
import { sqlProfiles, sqlUsers } from 'koa-strata/sql'
import { DRIVER_SETTINGS } from '../../database/driver-settings.ts'
import { migratedDatabase } from '../../database/servers.ts'
import { PASSWORD } from './people.ts'

for (const [as, [name, config]] of Object.entries(DRIVER_SETTINGS)) {
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
    await people.setPassword(made.id, 'a horse of another colour')
    t.is(stamps.add((await people.load(made.id))!.stamp).size, 3)
    const ends = await Promise.all(Array.from({ length: 10 }, () => people.endSessions(made.id)))
    t.is(new Set(ends).size, 10)
    await people.groups.create('editors', { permissions: ['drafts.read'] })
    await people.groups.add('editors', made.id)
    t.deepEqual(await people.groups.list(), [{ name: 'editors', permissions: ['drafts.read'] }])
    t.deepEqual(await people.groups.of(made.id), ['editors'])
    t.deepEqual([...(await people.load(made.id))!.permissions].sort(), ['drafts.read', 'openings.publish'])
    await people.setEmail(made.id, 'Zoë@example.org')
    t.is((await people.find({ email: 'zoë@EXAMPLE.org' }))?.key, made.key)
    await knex.schema.createTable('employers', table => table.string('user_key'))
    await knex('employers').insert({ user_key: 'ldap:ada' })
    const employers = sqlProfiles(open(config), { table: 'employers' })
    const ada = new DetachedUser({ backend: 'ldap', id: 'ada' })
    t.truthy(await employers.find(ada))
    const attached = await Promise.all(Array.from({ length: 5 }, () => people.attach(ada, { profiles: [employers] })))
    t.deepEqual(new Set(attached.map(({ key }) => key)).size, 1)
    t.deepEqual(await employers.findMany!([ada, attached[0]!]), [null, (await employers.find(attached[0]!))!])
    t.is((await knex('employers').first()).user_key, attached[0]!.key)
    await people.deactivate(made.id)
    t.false((await people.load(made.id))?.isActive)
    t.is(await people.authenticate({ username: 'Zoë', password: 'a horse of another colour' }), null)
  })
}

for (const [name, lock, unlock] of [
  ['mariadb', 'lock tables users write', 'unlock tables'],
  ['postgresql', 'lock table users', 'select 1'],
] as const) {
  test(`T3: ${name}: a look-up that gets no answer in time is given up, and its connection with it; transactions are waited for.`, async t => {
    const { knex, open } = await migratedDatabase(t, name)
    const { id } = await sqlUsers(knex).create({ username: 'zoë' })
    const own = open()
    const people = sqlUsers(own, { timeout: 50 })
    const connections = new Set<string>()
    own.on('query', query => connections.add(query.__knexUid))
    t.truthy(await sqlUsers(own).load(id))
    const holder = await open().transaction()
    const release = async () => {
      if (holder.isCompleted()) return
      await holder.raw(unlock)
      await holder.commit()
    }
    t.teardown(release)
    await holder.raw(lock)
    const silent = { message: /timeout of 50ms/ }
    await t.throwsAsync(people.find({ username: 'zoë' }), silent)
    await t.throwsAsync(people.load(id), silent)
    t.is(connections.size, 2)
    const trx = await open().transaction()
    const patient = Promise.all([people.setEmail(id, 'zoe@example.org'), sqlUsers(trx, { timeout: 50 }).load(id)])
    await t.throwsAsync(people.load(id), silent)
    await release()
    t.is((await patient)[1]?.username, 'zoë')
    await trx.commit()
    t.is((await sqlUsers(own).load(id))?.email, 'zoe@example.org')
  })
}

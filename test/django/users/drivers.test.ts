import test from 'ava'
import { djangoUsers } from '../../../lib/django/users.ts'
import { DRIVER_SETTINGS } from '../../database/driver-settings.ts'
import { heard } from '../../heard.ts'
import { addPermission, addUser, djangoTables, PASSWORD, SECRET_KEY } from './tables.ts'

for (const [as, [name, config]] of Object.entries(DRIVER_SETTINGS)) {
  test(`${as}: a user is the same as ever, with permissions, groups and moments, and a login is noted.`, async t => {
    const { knex, open, people: plain } = await djangoTables(t, name)
    const now = Date.UTC(2026, 2, 4, 5, 6, 7, 89)
    const people = djangoUsers(open(config), { secretKey: SECRET_KEY, updateLastLogin: true, now: () => now })
    const id = await addUser(knex, { username: 'zoë', email: 'Zoe@example.org', first_name: 'Zoë', is_staff: true })
    await knex('auth_group').insert({ id: 7, name: 'editors' })
    await knex('auth_user_groups').insert({ user_id: id, group_id: 7 })
    const [own, theirs] = [await addPermission(knex, 'openings.publish'), await addPermission(knex, 'drafts.read')]
    await knex('auth_user_user_permissions').insert({ user_id: id, permission_id: own })
    await knex('auth_group_permissions').insert({ group_id: 7, permission_id: theirs })
    const user = (await people.load(id))!
    t.deepEqual(user, (await plain.load(id))!)
    t.deepEqual([...user.permissions].sort(), ['drafts.read', 'openings.publish'])
    t.deepEqual([...user.groups], ['editors'])
    t.deepEqual([user.firstName, user.isActive, user.isStaff, user.isSuperuser], ['Zoë', true, true, false])
    t.is(user.dateJoined?.getTime(), Date.UTC(2026, 0, 2, 3, 4, 5))
    t.is(user.lastLogin, null)
    const errors = heard(t, 'koa-strata:backend-error')
    t.is((await people.authenticate({ username: 'ZOE@example.org', password: PASSWORD }))?.key, user.key)
    t.deepEqual(errors, [])
    t.is((await plain.load(id))?.lastLogin?.getTime(), now)
  })
}

import test from 'ava'
import { basic } from '../feeds/people.ts'
import { type Dump, dumpOf } from './interop/dump.ts'
import { Pair } from './interop/pair.ts'
import { THOROUGH, wayOf } from './interop/ways.ts'

/** What this library may ask of Django's database: to read whatever it is told of, and to write sessions. */
const ALLOWED = /^(?:select|(?:insert into|update|delete from) [`"]django_session[`"]) /i

/** The rows of all tables but that of sessions. */
function tablesOf({ rows: { django_session: _, ...others } }: Dump): Dump['rows'] {
  return others
}

for (const name of ['db on sqlite', 'db on mariadb', ...(THOROUGH ? ['file', 'cached_db'] : [])]) {
  test(`X8: django ${name}: Nothing of Django's is migrated or altered: schema, and every row that was not asked to change, are the same after everything that this library does.`, async t => {
    const stage = await wayOf(name).start(t)
    const knex = stage.site.database.open()
    const asked: string[] = []
    knex.on('query', ({ sql }: { sql: string }) => asked.push(sql))
    const options = stage.options.database ? { ...stage.options, database: knex } : stage.options
    const pair = await Pair.start(t, { ...stage, knex, options })

    // Django's own doing.
    const groups = { editors: ['openings.publish_opening'] }
    const [person, neighbour, other] = [
      await pair.person({ groups, is_staff: true }),
      await pair.person({ permissions: ['openings.view_opening'] }),
      await pair.person(),
    ]
    const bystanders = [
      await pair.keep({ cart: ['tea'] }),
      await pair.keep({ cart: ['tea'], _session_expiry: 600 }, { id: neighbour.id }),
      await stage.expire(await pair.keep({ cart: ['old'] }, { id: neighbour.id })),
    ]
    const used = await Promise.all([
      pair.keep({}, { id: person.id }),
      pair.keep({}, { id: person.id }),
      pair.keep({}, { id: other.id }),
    ])
    const sessions = () => Promise.all(bystanders.map(key => stage.stored(key)))
    const before = { ...(await dumpOf(stage.knex)), sessions: await sessions() }

    // This library's.
    const [one, two, third] = used.map(cookie => pair.visitor(cookie))
    for (const visitor of [one!, two!, third!, pair.visitor()]) {
      await visitor.here('/me')
      await visitor.here('/session', { set: { a: 1, b: { c: '☕' } } })
      await visitor.here('/update', { set: { a: 2 } })
      await visitor.here('/session', { delete: ['a'] })
    }
    // Read, and no more.
    await Promise.all(bystanders.map(cookie => pair.visitor(cookie).here('/me?permissions=openings.view_opening')))
    const mistaken = await pair.beside({ sessions: { secretKey: 'another' }, users: { secretKey: 'another' } })
    await mistaken.visitor(bystanders[1]).here('/session', { set: { a: 1 } })
    for (const password of ['wrong', neighbour.password]) {
      const authorization = basic(neighbour.email, password)
      await pair.visitor().send('GET', `${pair.app.url}/feed`, undefined, { authorization })
      await pair.visitor().here('/login', { username: neighbour.name, password })
    }
    await pair.visitor().logInHere(pair.partner())
    await one!.here('/everywhere?keep', {})
    await third!.logInHere(person)
    await one!.here('/everywhere', {})
    await third!.logInHere(other)
    await third!.logOutHere()

    const after = { ...(await dumpOf(stage.knex)), sessions: await sessions() }
    t.deepEqual(after.schema, before.schema)
    t.deepEqual(after.sessions, before.sessions)
    t.deepEqual(tablesOf(after), tablesOf(before))
    t.true(Object.keys(tablesOf(before)).length >= 9, 'users, groups, permissions, migrations and so on')
    t.deepEqual(
      asked.filter(sql => !ALLOWED.test(sql)),
      [],
    )
    t.true(asked.length > 20)

    // The one thing more that it does where it is asked to.
    const noting = await pair.beside({ users: { updateLastLogin: true } })
    await noting.visitor().logInHere(other)
    const { auth_user: users, ...tables } = tablesOf(await dumpOf(stage.knex))
    const { auth_user: usersBefore, ...tablesBefore } = tablesOf(before)
    t.deepEqual(tables, tablesBefore)
    const changed = users!.filter(row => !usersBefore!.includes(row)).map(row => JSON.parse(row))
    t.is(changed.length, 1)
    t.truthy(changed[0].last_login)
    t.true(usersBefore!.includes(JSON.stringify({ ...changed[0], last_login: null })))
    t.deepEqual(pair.takeFaults(), [])
  })
}

import { GroupExists, GroupUnknown, UserInvalid, UserUnknown } from 'koa-strata'
import { database, right, site, spelt, testEach } from './people.ts'

testEach('A group gives its members its permissions, is listed, and is gone when it is deleted', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { groups } = people
  const [{ id }, other] = [await people.create({ username: 'editor' }), await people.create({ username: 'other' })]
  await groups.create('writers')
  await groups.create('editors', { permissions: ['b', 'a', 'b'] })
  await groups.add('editors', id)
  await groups.add('writers', id)
  await people.grant(id, 'own')
  await people.grant(id, 'a')
  t.deepEqual(await groups.list(), [
    { name: 'editors', permissions: ['a', 'b'] },
    { name: 'writers', permissions: [] },
  ])
  t.deepEqual(await groups.of(id), ['editors', 'writers'])
  t.deepEqual(await groups.of(other.id), [])
  t.deepEqual(await groups.of('1 or 1=1'), [])
  t.deepEqual([...(await people.load(id))!.permissions].sort(), ['a', 'b', 'own'])
  t.is((await people.load(other.id))!.permissions.size, 0)

  await groups.remove('editors', id)
  t.deepEqual([...(await people.load(id))!.permissions].sort(), ['a', 'own'])
  await groups.add('editors', id)
  await groups.delete('editors')
  t.deepEqual([...(await people.load(id))!.permissions].sort(), ['a', 'own'])
  t.deepEqual(await groups.of(id), ['writers'])
  for (const [table, left] of Object.entries({ groups: 1, group_permissions: 0, group_members: 1 }))
    t.is((await knex(table)).length, left, table)
})

testEach('R2: whatever is changed about groups holds at the next request', async (t, name) => {
  const { people, logIn } = await site(t, name)
  const { groups } = people
  const { id } = await people.create(right)
  const browser = await logIn('admin')
  const status = async () => (await browser.get('/reports')).status
  await groups.create('readers')
  const changes: [() => Promise<void>, number][] = [
    [() => groups.grant('readers', 'reports.read'), 403],
    [() => groups.add('readers', id), 200],
    [() => groups.revoke('readers', 'reports.read'), 403],
    [() => groups.grant('readers', 'reports.read'), 200],
    [() => groups.remove('readers', id), 403],
    [() => groups.add('readers', id), 200],
    [() => groups.delete('readers'), 403],
    [() => groups.create('readers', { permissions: ['reports.read'] }), 403],
  ]
  for (const [change, expected] of changes) {
    await change()
    t.is(await status(), expected, String(change))
  }
})

testEach('Each change of a group can be made twice, and at once', async (t, name) => {
  const { people, knex } = await database(t, name)
  const { groups } = people
  const ids: string[] = []
  for (let n = 0; n < 10; n++) ids.push((await people.create({ username: `${n}` })).id)
  await groups.create('editors')
  await Promise.all([...ids, ...ids].flatMap(id => [groups.add('editors', id), groups.grant('editors', `may ${id}`)]))
  t.is((await knex('group_members')).length, 10)
  t.is((await groups.list())[0]?.permissions.length, 10)
  await Promise.all([...ids, ...ids].map(id => groups.remove('editors', id)))
  await groups.revoke('editors', 'may nothing')
  t.is((await knex('group_members')).length, 0)
})

testEach(
  'Of 20 who make one group at once, one does, and what the others wanted of it is not there',
  async (t, name) => {
    const { people } = await database(t, name)
    const made = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => people.groups.create('editors', { permissions: [`x${n}`] })),
    )
    const refused = made.filter(one => one.status === 'rejected').map(one => one.reason)
    t.is(refused.length, 19)
    t.true(refused.every(error => error instanceof GroupExists && error.status === 409))
    const [group, ...more] = await people.groups.list()
    t.is(group?.permissions.length, 1)
    t.deepEqual(more, [])
  },
)

testEach('A group that is deleted while users come and go leaves nothing behind', async (t, name) => {
  const { people, knex } = await database(t, name)
  const ids: string[] = []
  for (let n = 0; n < 8; n++) ids.push((await people.create({ username: `${n}` })).id)
  await people.groups.create('editors')
  const ends = await Promise.allSettled([
    ...ids.slice(0, 4).map(id => people.groups.add('editors', id)),
    people.groups.delete('editors'),
    ...ids.slice(4).map(id => people.groups.add('editors', id)),
    ...ids.map(id => people.delete(id)),
  ])
  for (const end of ends) {
    if (end.status === 'rejected')
      t.true(end.reason instanceof GroupUnknown || end.reason instanceof UserUnknown, String(end.reason))
  }
  for (const table of ['groups', 'group_members', 'users']) t.deepEqual(await knex(table), [])
})

testEach('Names of groups are exact, and who asks for another spelling finds none', async (t, name) => {
  const { people } = await database(t, name)
  const { groups } = people
  const { id } = await people.create({ username: 'ada' })
  await groups.create('editors')
  for (const other of ['Editors', 'editors ', ' editors', 'éditors', 'ｅditors', 'edıtors', 'editors\0', '', null, 5]) {
    for (const change of [
      () => groups.delete(other as string),
      () => groups.grant(other as string, 'x'),
      () => groups.revoke(other as string, 'x'),
      () => groups.add(other as string, id),
      () => groups.remove(other as string, id),
    ]) {
      const error = await t.throwsAsync(change, { instanceOf: GroupUnknown }, spelt(String(other)))
      t.is(error.status, 404)
    }
  }
  t.deepEqual(await groups.list(), [{ name: 'editors', permissions: [] }])
  t.deepEqual(await groups.of(id), [])
  await groups.create('Editors')
  await t.throwsAsync(groups.create('editors'), { instanceOf: GroupExists })
})

testEach('What is no name of a group or of a permission is refused with words for a form', async (t, name) => {
  const { people } = await database(t, name)
  const { groups } = people
  await groups.create('editors')
  const wrong = ['', ' x', 'x ', 'x\0', 'x\ud800', 5, null, ['x']]
  for (const one of [...wrong, 'x'.repeat(151)]) {
    const error = await t.throwsAsync(groups.create(one as string), { instanceOf: UserInvalid })
    t.deepEqual(Object.keys(error.fields), ['name'])
  }
  for (const one of [...wrong, 'x'.repeat(256)]) {
    const error = await t.throwsAsync(groups.create('others', { permissions: ['y', one as string] }), {
      instanceOf: UserInvalid,
    })
    t.deepEqual(Object.keys(error.fields), ['permissions'])
    for (const change of [groups.grant, groups.revoke]) {
      const { fields } = await t.throwsAsync(change('editors', one as string), { instanceOf: UserInvalid })
      t.deepEqual(Object.keys(fields), ['permission'])
    }
  }
  t.deepEqual(await groups.list(), [{ name: 'editors', permissions: [] }])
  await groups.create(`日本 ${'🦊'.repeat(147)}`, { permissions: ['x'.repeat(255)] })
})

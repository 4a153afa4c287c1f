import test from 'ava'
import { DATABASES, type DatabaseName } from '../../database/servers.ts'
import { LAX } from '../../users/sql/own-table.ts'
import { spelt } from '../../users/sql/people.ts'
import { addUser, djangoTables, PASSWORD } from './tables.ts'

/** What each collation, or an eye, takes for 'admin' or for a part of it. */
const LOOKALIKES = [
  'ádmin',
  'admın',
  'ADMİN',
  'аdmin',
  'admin ',
  ' admin',
  'admin\t',
  'admin\n',
  'admin\u00a0',
  'ad\u200bmin',
  'admin\ufeff',
  'admin\0',
  'a\u0301dmin',
  'admin\u0300',
  'adm1n',
  'admin%',
  '_dmin',
]
/** Without tables of permissions, which take MariaDB long to make. */
const ALONE = { permissionsMixin: false }
const ADDRESS = 'admin@example.org'

function collationsOf(name: DatabaseName): Record<string, string> {
  return { 'as Django makes it': '', ...LAX[name] }
}

for (const name of DATABASES) {
  for (const [what, collation] of Object.entries(collationsOf(name))) {
    test(`L3: ${name}: ${what}: no lookalike logs in as somebody else, by name or by address.`, async t => {
      const { knex, people } = await djangoTables(t, name, ALONE, collation)
      const id = await addUser(knex, { username: 'admin', email: ADDRESS })
      if (name === 'mariadb' || collation.includes('lax')) {
        // Who asked the database alone would let some of them in.
        const texts = LOOKALIKES.filter(one => !one.includes('\0'))
        t.is((await knex('auth_user').whereIn('username', texts)).length, 1)
        t.is((await knex('auth_user').where({ username: 'ádmin' })).length, 1)
      }
      for (const username of ['admin', ADDRESS])
        t.is((await people.authenticate({ username, password: PASSWORD }))?.id, id)
      for (const one of LOOKALIKES) {
        for (const username of [one, one + ADDRESS.slice('admin'.length)])
          t.is(await people.authenticate({ username, password: PASSWORD }), null, spelt(username))
        t.is(await people.identify(one), null, spelt(one))
        t.is(await people.find({ email: one + ADDRESS.slice('admin'.length) }), null, spelt(one))
      }
    })
  }

  test(`L3: ${name}: a name is found as it was typed, and in the form that Django stores; an address in any case and width.`, async t => {
    const { knex, people } = await djangoTables(t, name, ALONE)
    const id = await addUser(knex, { username: 'Zoë', email: 'Zoe@Example.org' })
    for (const username of [
      'Zoë',
      'Zoë'.normalize('NFD'),
      'Ｚoë',
      'zoe@example.org',
      'ZOE@EXAMPLE.ORG',
      'ｚoe＠example.org',
    ])
      t.is((await people.authenticate({ username, password: PASSWORD }))?.id, id, username)
    t.is((await people.find({ email: 'zoe@EXAMPLE.org' }))?.id, id)
    t.is(await people.find({ username: 'zoe@example.org' }), null)
    t.is(await people.find({ email: 'Zoë' }), null)
    t.is(await people.identify('zoe@example.org'), null)
  })

  test(`L3: ${name}: of two users whose names have one canonical form the one written exactly so logs in, and else none.`, async t => {
    // Django's collation on MariaDB would not have both.
    const { knex, people } = await djangoTables(t, name, ALONE, name === 'mariadb' ? 'collate utf8mb4_bin' : '')
    const [lower, upper] = [await addUser(knex, { username: 'ann' }), await addUser(knex, { username: 'ANN' })]
    t.is((await people.find({ username: 'ann' }))?.id, lower)
    t.is((await people.find({ username: 'ANN' }))?.id, upper)
    t.is((await people.authenticate({ username: 'ANN', password: PASSWORD }))?.id, upper)
  })
}

test('L3: of two users whose names a collation finds together, none is meant by a third way to write them.', async t => {
  const { knex, people } = await djangoTables(t, 'mariadb', ALONE)
  await knex.raw('drop index username on auth_user')
  for (const username of ['ann', 'ANN']) await addUser(knex, { username })
  t.is(await people.find({ username: 'Ann' }), null)
  t.is(await people.authenticate({ username: 'Ann', password: PASSWORD }), null)
  t.truthy(await people.authenticate({ username: 'ANN', password: PASSWORD }))
})

for (const name of DATABASES) {
  test(`L3: ${name}: an address that several have logs nobody in, however it is written, and they log in by their names.`, async t => {
    const { knex, people } = await djangoTables(t, name, ALONE)
    for (const [username, email] of [
      ['victim', 'victim@example.org'],
      ['other', 'Victim@example.org'],
      ['nobody', ''],
      ['noone', ''],
    ])
      await addUser(knex, { username, email })
    for (const username of ['victim@example.org', 'Victim@example.org', 'VICTIM@EXAMPLE.ORG', '']) {
      t.is(await people.authenticate({ username, password: PASSWORD }), null, username)
      t.is(await people.find({ email: username }), null, username)
    }
    t.is((await people.authenticate({ username: 'victim', password: PASSWORD }))?.email, 'victim@example.org')
    t.is((await people.authenticate({ username: 'nobody', password: PASSWORD }))?.email, null)
  })

  test(`L3: ${name}: a name that is another's address is its owner's, whose password alone it takes.`, async t => {
    const { knex, people } = await djangoTables(t, name, ALONE)
    await addUser(knex, { username: 'victim', email: 'victim@example.org' })
    const taker = await addUser(knex, { username: 'victim@example.org', password: '!' })
    t.is(await people.authenticate({ username: 'victim@example.org', password: PASSWORD }), null)
    t.is((await people.find({ username: 'victim@example.org' }))?.id, taker)
    t.is((await people.find({ email: 'victim@example.org' }))?.username, 'victim')
  })
}

import test from 'ava'
import { checkClock, checkMigrations, checkSettings } from '../../../lib/cli/doctor/database.ts'
import { checkHashes } from '../../../lib/cli/doctor/hashes.ts'
import { checkOverdue } from '../../../lib/cli/doctor/overdue.ts'
import { migrate } from '../../../lib/database/migrations.ts'
import { hashPassword } from '../../../lib/users/passwords.ts'
import { DATABASES, migratedDatabase, newDatabase, onConnect } from '../../database/servers.ts'

const HOUR = 3_600_000
const statuses = (found: readonly { status: string }[]) => found.map(({ status }) => status)

for (const name of DATABASES) {
  test(`${name}: migrations that have not run are a problem until they have.`, async t => {
    const knex = (await newDatabase(t, name)).open()
    const database = { knex, label: 'it' }
    const [missing] = await checkMigrations(database)
    t.is(missing?.status, 'problem')
    t.regex(missing!.message, /'001 /)
    t.false(await knex.schema.hasTable('strata_migrations'))
    await migrate(knex)
    t.deepEqual(statuses(await checkMigrations(database)), ['ok'])
    await knex('strata_migrations').where('name', 'like', '001%').del()
    t.deepEqual(statuses(await checkMigrations(database)), ['problem'])
  })

  test(`${name}: sessions that have heaped up are told, with the first of them.`, async t => {
    const { knex } = await migratedDatabase(t, name)
    t.deepEqual(statuses(await checkOverdue(knex)), ['ok'])
    const row = (id: number, expires_at: number) => ({ id: String(id), data: '{}', version: 'v', expires_at })
    const first = Date.UTC(2020, 0, 1)
    const rows = Array.from({ length: 1001 }, (_, id) => row(id, first + id))
    for (let at = 0; at < rows.length; at += 100) await knex('sessions').insert(rows.slice(at, at + 100))
    await knex('sessions').insert(row(5000, Date.now() - HOUR / 2))
    const [found] = await checkOverdue(knex)
    t.is(found?.status, 'warning')
    t.is(found?.message, '1,001 sessions expired more than an hour ago, the first on 2020-01-01 00:00:00Z.')
  })

  test(`${name}: a clock that differs is told by how much.`, async t => {
    const database = { knex: (await newDatabase(t, name)).open(), label: 'it' }
    const by = async (milliseconds: number) => statuses(await checkClock(database, () => Date.now() + milliseconds))[0]
    if (name === 'sqlite') return t.is(await by(HOUR), 'skipped')
    t.is(await by(0), 'ok')
    t.is(await by(-30_000), 'warning')
    t.is(await by(HOUR), 'problem')
  })
}

test('mariadb: settings that lose or leak values are told.', async t => {
  const database = await newDatabase(t, 'mariadb')
  const under = async (...statements: string[]) =>
    checkSettings({ knex: database.open(onConnect(...statements)), label: 'it' })
  t.deepEqual(statuses(await under("set session sql_mode = 'STRICT_TRANS_TABLES'")), ['ok'])
  t.like((await under("set session sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES'"))[0], { status: 'problem' })
  t.like((await under("set session sql_mode = 'STRICT_ALL_TABLES'", 'set session autocommit = 0'))[0], {
    status: 'problem',
  })
  t.like((await under("set session sql_mode = ''"))[0], { status: 'warning' })
})

test('Hashes are counted by format, those that are weak and those that never verify told, and none repeated.', async t => {
  const { knex } = await migratedDatabase(t, 'sqlite')
  const add = (name: string, password: string | null) =>
    knex('users').insert({ username: name, username_canonical: name, password, created_at: 0 })
  t.regex((await checkHashes(knex))[0]!.message, /Nobody has a password/)
  await add('none', null)
  await add('ours', await hashPassword('zwölf Boxkämpfer jagen'))
  const [fine] = await checkHashes(knex)
  t.like(fine, { status: 'ok', message: '1 × argon2id; all as strong as new ones.' })

  await add('django', 'pbkdf2_sha256$1000$seasalt$lmIbpSEF6MeW1aGm9H7Iny1/YhQELAyc+WcCC3eeplI=')
  await add('unusable', '!abcdefghijklmnopqrstuvwxyz')
  const [weak, ...more] = await checkHashes(knex)
  t.is(weak?.status, 'warning')
  t.regex(weak!.message, /^1 hash is weaker .+ 1 × argon2id, 1 × PBKDF2 of Django, 1 × none, as Django writes it\.$/)
  t.deepEqual(more, [])

  await add('clear', 'hunter2$in$the$clear')
  await add('md5', '$1$salt$qJH7.N4xYta3aEG/dfqo/0')
  await add('prototype', 'constructor$x')
  const found = await checkHashes(knex)
  t.regex(found[0]!.message, /^3 hashes can never verify/)
  t.regex(found[0]!.message, /2 × unknown format, 1 × md5-crypt/)
  t.notRegex(JSON.stringify(found), /hunter2/)
})

test('Hashes beyond one page are counted too.', async t => {
  const { knex } = await migratedDatabase(t, 'sqlite')
  const hash = await hashPassword('zwölf Boxkämpfer jagen')
  const row = (_: unknown, at: number) => ({
    username: `u${at}`,
    username_canonical: `u${at}`,
    password: hash,
    created_at: 0,
  })
  for (let at = 0; at < 22; at++)
    await knex('users').insert(Array.from({ length: 100 }, (_, one) => row(_, at * 100 + one)))
  t.regex((await checkHashes(knex))[0]!.message, /^2,200 × argon2id/)
})

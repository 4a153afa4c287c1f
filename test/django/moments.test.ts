import test from 'ava'
import fc from 'fast-check'
import type { Knex } from 'knex'
import { fromMoment, momentColumn, toMoment } from '../../lib/django/moments.ts'
import { DATABASES, type DatabaseName, newDatabase, onConnect } from '../database/servers.ts'

const AT = Date.UTC(2026, 0, 2, 3, 4, 5)

for (const [text, expected] of Object.entries({
  '2026-01-02 03:04:05': AT,
  '2026-01-02T03:04:05': AT,
  '2026-01-02 03:04:05.000000': AT,
  '2026-01-02 03:04:05.123456': AT + 123,
  '2026-01-02 03:04:05.123999': AT + 123,
  '2026-01-02 03:04:05.5': AT + 500,
  '2026-01-02 03:04': AT - 5_000,
  '2026-01-02 03:04:05+00:00': AT,
  '2026-01-02 03:04:05Z': AT,
  '2026-01-02 05:34:05.25+02:30': AT + 250,
  '2026-01-01 22:04:05-05': AT,
  '2026-01-02 05:34:05 +0230': AT,
  '0001-01-01 00:00:00': Date.parse('0001-01-01T00:00:00Z'),
  '9999-12-31 23:59:59.999999': Date.parse('9999-12-31T23:59:59.999Z'),
  '0000-00-00 00:00:00': Number.NaN,
  '2026-13-01 00:00:00': Number.NaN,
  '2026-01-02': Number.NaN,
  '03:04:05': Number.NaN,
  infinity: Number.NaN,
  now: Number.NaN,
  '': Number.NaN,
  '1767323045': Number.NaN,
})) {
  test(`A moment is read from '${text}' as ${expected}.`, t => {
    t.is(fromMoment(text), expected)
  })
}

test('A moment is written as Python does, without a fraction where there is none, and what Python does not know as the nearest.', t => {
  t.is(toMoment('sqlite', AT), '2026-01-02 03:04:05')
  t.is(toMoment('mariadb', AT + 120), '2026-01-02 03:04:05.120000')
  t.is(toMoment('postgresql', AT + 7), '2026-01-02 03:04:05.007000+00:00')
  t.is(toMoment('sqlite', AT + 0.7), '2026-01-02 03:04:05')
  t.is(toMoment('sqlite', 8e15), '9999-12-31 23:59:59.999000')
  t.is(toMoment('sqlite', -8e15), '0001-01-01 00:00:00')
})

test('What is written is read as the same millisecond, and its texts are in the order of time, as SQLite compares them.', t => {
  const moment = fc.integer({ min: Date.UTC(1000, 0), max: Date.UTC(9999, 0) })
  const near = fc.tuple(moment, fc.oneof(fc.integer({ min: -2_000, max: 2_000 }), moment))
  const property = fc.property(near, ([one, other]) => {
    const [first, second] = [one, one + other].map(at => toMoment('sqlite', at)) as [string, string]
    if (DATABASES.some(dialect => fromMoment(toMoment(dialect, one)) !== one)) return false
    const nearest = fromMoment(second)
    return one < nearest === first < second && one > nearest === first > second
  })
  t.notThrows(() => fc.assert(property, { numRuns: 10_000 }))
})

const COLUMN: Record<DatabaseName, string> = { sqlite: 'datetime', mariadb: 'datetime(6)', postgresql: 'timestamptz' }
/** Clients in another time zone than the database's. */
const ELSEWHERE: Record<DatabaseName, Record<string, Knex.Config>> = {
  sqlite: { plain: {} },
  mariadb: {
    'local times': {},
    'a time zone of the driver': { connection: { timezone: '+09:00' } as object },
    'a time zone of the session': onConnect("set session time_zone = '+09:00'"),
    'dates as text': { connection: { dateStrings: true } as object },
    'everything as bytes': { connection: { typeCast: false } as object },
  },
  postgresql: {
    'a time zone of the session': onConnect("set time zone 'Asia/Tokyo'"),
    'dates of another style': onConnect("set datestyle = 'SQL, DMY'"),
  },
}

for (const name of DATABASES) {
  for (const [where, config] of Object.entries(ELSEWHERE[name])) {
    test(`${name}: ${where}: a moment that is stored is found, compared and read as the same millisecond.`, async t => {
      const knex = (await newDatabase(t, name)).open(config)
      await knex.schema.createTable('moments', table => {
        table.integer('id')
        table.specificType('expire_date', COLUMN[name])
      })
      const moments = [0, AT, AT + 1, AT + 120, Date.UTC(2026, 2, 29, 1, 30), Date.UTC(2026, 9, 25, 1, 30), 2 ** 41]
      for (const [id, at] of moments.entries()) await knex('moments').insert({ id, expire_date: toMoment(name, at) })
      const rows = await knex('moments')
        .select({ id: 'id' }, momentColumn(knex, name, 'expire_date', 'expires'))
        .orderBy('expire_date')
      t.deepEqual(
        rows.map(row => fromMoment(String(row.expires))),
        moments,
      )
      for (const [id, at] of moments.entries()) {
        const later = knex('moments').where('expire_date', '>', toMoment(name, at))
        t.is((await later.select({ id: 'id' })).length, moments.length - 1 - id)
        t.is((await knex('moments').where('expire_date', toMoment(name, at)).select({ id: 'id' })).length, 1)
      }
    })
  }
}

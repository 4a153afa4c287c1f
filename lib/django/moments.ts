import type { Knex } from 'knex'
import type { DialectName } from '../database/dialect-name.ts'

/** What `fromMoment` reads, as a statement selects it: in UTC, whatever the driver and the connection think of times. Bind the column. */
const AS_TEXT: Readonly<Record<DialectName, string>> = {
  sqlite: 'cast(?? as text)',
  mariadb: 'cast(?? as char(32))',
  postgresql: "to_char(?? at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
}

const MOMENT = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,6})\d*)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/

/** The last moment that Python's `datetime` knows, cut to milliseconds, and the first. */
const LAST = Date.parse('9999-12-31T23:59:59.999Z')
const FIRST = Date.parse('0001-01-01T00:00:00.000Z')

/**
 * Selects a moment of Django's as text, under a name of one word: drivers turn moments into dates of their own time zone. Django keeps them in UTC
 * where its `USE_TZ` is true.
 */
export function momentColumn(knex: Knex, dialect: DialectName, column: string, alias: string): Knex.Raw {
  return knex.raw(`${AS_TEXT[dialect]} as ??`, [column, alias])
}

/** A moment that was selected so, in epoch milliseconds, cut off and not rounded. NaN where it is none, as `0000-00-00 00:00:00`. */
export function fromMoment(text: string): number {
  const [, day, time, seconds = '00', fraction = '', zone = 'Z'] = MOMENT.exec(text) ?? []
  if (!day) return Number.NaN
  const offset = zone.replace(/^([+-]\d\d):?(\d\d)?$/, (_, hours: string, minutes = '00') => `${hours}:${minutes}`)
  return Date.parse(`${day}T${time}:${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`)
}

/**
 * A moment in the form in which Django writes it and compares it, with no fraction of a second where there is none. What Python's `datetime` does
 * not reach is the nearest that it does.
 */
export function toMoment(dialect: DialectName, milliseconds: number): string {
  const nearest = Math.min(Math.max(Math.floor(milliseconds), FIRST), LAST)
  const [, day, time, fraction] = /^(.+)T(.+)\.(\d{3})Z$/.exec(new Date(nearest).toISOString())!
  const text = `${day} ${time}${fraction === '000' ? '' : `.${fraction}000`}`
  return dialect === 'postgresql' ? `${text}+00:00` : text
}

import type { Knex } from 'knex'
import { isDuplicate } from '../database/conflicts.ts'
import { dialectNameOf } from '../database/dialect-name.ts'
import { dialectOf, fromBytes } from '../database/dialects.ts'
import { runOn } from '../database/run.ts'
import { checkTableName } from '../database/tables.ts'
import { checkClock, checkDuration } from '../options.ts'
import { fromMoment, momentColumn, toMoment } from './moments.ts'
import type { DjangoRecord, DjangoRecords } from './records.ts'

/** What `databaseRecords()` is told besides. */
export interface DatabaseRecordsOptions {
  /** The table of Django's sessions; `schema.table` is understood. @default 'django_session' */
  table?: string | undefined
  /** How long a statement may go without an answer of the server, in milliseconds, until its connection is given up. @default 5,000 */
  timeout?: number | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
  /** Has Django's cache let go of its copy of a session, where it has one. */
  forget?: ((key: string) => Promise<void>) | undefined
}

/** A row as it is asked for, under names of one word, which no instance turns into others; bytes where an option of the driver wants them. */
interface Answer {
  key: string | Uint8Array
  text: string | Uint8Array
  end: string | Uint8Array
}

/** How many rows are read at once. */
const PAGE = 200

/**
 * Django's sessions in its database (SQLite, MariaDB, PostgreSQL), where its settings have `USE_TZ = True`. Each change is one statement that names
 * what it expects to find, so that no change of another process is lost.
 *
 * With `forget` Django's cache lets go of a session before each change and after it. Before, so that nothing is changed while the cache is down, and
 * no copy from before the call outlives this process should it die in between. After, since Django may have copied the old row meanwhile. Where it
 * fails the call rejects, even if the change is made: Django could go on with a session that was to end. The copy of one that is not in the
 * database goes whenever that is read, so a logout that failed in this way holds once it is repeated. What stays open, as between processes of
 * Django: one of them that has read the row before the change, and copies it after the cache let go, goes on with that copy until it expires or the
 * session changes again.
 * @throws OptionInvalid in the name of `where`
 */
export function databaseRecords(where: string, knex: Knex, options: DatabaseRecordsOptions = {}): DjangoRecords {
  dialectNameOf(where, knex, 'database')
  const dialect = dialectOf(where, knex)
  const { table = 'django_session', timeout = 5_000, now = Date.now, forget } = options
  checkTableName(where, table, 'django_session')
  checkDuration(where, 'timeout', timeout)
  checkClock(where, now)

  const run = runOn(where, knex, timeout)
  const moment = (milliseconds: number) => toMoment(dialect.name, milliseconds)
  const columns = ({ text, expiresAt }: DjangoRecord) => ({ session_data: text, expire_date: moment(expiresAt) })
  const rows = () => knex(table)
  const under = (key: string) => rows().where({ session_key: key })
  // Not the column by itself: its index, which looks good where few rows live, is not what a change should lock its row by.
  const ends = (comparison: '>' | '<=') =>
    knex.raw(`coalesce(??, ??) ${comparison} ?`, ['expire_date', 'expire_date', moment(now())])
  const live = (key: string) => under(key).where(ends('>'))
  const holding = (key: string, text: string) => live(key).whereRaw(dialect.exactly, ['session_data', text])

  async function textOf(key: string): Promise<string | null> {
    const row: Pick<Answer, 'text'> | undefined = await run(() => live(key).first({ text: 'session_data' }))
    return row ? fromBytes(row.text) : null
  }

  async function added(key: string, record: DjangoRecord): Promise<boolean> {
    try {
      await run(() => rows().insert({ session_key: key, ...columns(record) }))
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  /** Makes a change that Django's cache does not hide. */
  async function changing<Result>(key: string, change: () => Promise<Result>): Promise<Result> {
    await forget?.(key)
    try {
      return await change()
    } finally {
      await forget?.(key)
    }
  }

  return {
    async read(key) {
      const end = momentColumn(knex, dialect.name, 'expire_date', 'end')
      const row: Omit<Answer, 'key'> | undefined = await run(() => live(key).first({ text: 'session_data' }, end))
      if (row) return { text: fromBytes(row.text), expiresAt: fromMoment(fromBytes(row.end)) }
      await forget?.(key)
      return null
    },
    add: (key, record) =>
      changing(key, async () => {
        if (await added(key, record)) return true
        const expired = () => under(key).where(ends('<=')).update(columns(record))
        // The row in the way may have been removed between the two.
        return (await run(expired)) > 0 || added(key, record)
      }),
    swap: (key, before, record) =>
      changing(key, async () => {
        if ((await run(() => holding(key, before).update(columns(record)))) > 0) return 'swapped'
        const text = await textOf(key)
        if (text === null) return 'gone'
        // MariaDB may have been told to count only rows that are not as they were.
        return text === before && text === record.text ? 'swapped' : 'changed'
      }),
    remove: (key, before) =>
      changing(key, async () => {
        const there = () => (before === undefined ? under(key) : holding(key, before))
        if ((await run(() => there().del())) > 0) return 'removed'
        return before === undefined || (await textOf(key)) === null ? 'gone' : 'changed'
      }),
    touch: (key, expiresAt) =>
      changing(key, async () => {
        const moved = () => live(key).update({ expire_date: moment(expiresAt) })
        return (await run(moved)) > 0 || (await textOf(key)) !== null
      }),
    async *all() {
      for (let last = ''; ; ) {
        const page: Omit<Answer, 'end'>[] = await run(() =>
          rows()
            .where('session_key', '>', last)
            .where(ends('>'))
            .orderBy('session_key')
            .limit(PAGE)
            .select({ key: 'session_key', text: 'session_data' }),
        )
        for (const { key, text } of page) yield { key: fromBytes(key), text: fromBytes(text) }
        if (page.length < PAGE) return
        last = fromBytes(page.at(-1)!.key)
      }
    },
  }
}

import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import { retried } from '../../database/conflicts.ts'
import { type Dialect, dialectOf } from '../../database/dialects.ts'
import { once, type Run, runOn } from '../../database/run.ts'
import {
  checkTableName,
  groupMembers,
  groupPermissions,
  groups,
  identities,
  userPermissions,
} from '../../database/tables.ts'
import { OptionInvalid, UserUnknown } from '../../errors.ts'
import { checkDuration, checkOneOf } from '../../options.ts'
import { Columns, type ColumnValues, type UserColumns, type UserRecord } from './columns.ts'
import { ID_TYPES, type IdType, isUserId } from './ids.ts'

/** Which table it is. */
export interface UserTableOptions {
  table?: string | undefined
  columns?: UserColumns | undefined
  idType?: IdType | undefined
  timeout?: number | undefined
}

/** The library's tables beside its own table of users. */
export interface Companions {
  readonly groups: string
  readonly groupMembers: string
  readonly groupPermissions: string
  readonly userPermissions: string
  readonly identities: string
}

/** The table of users, whatever it and its columns are called. */
export class UserTable {
  readonly dialect: Dialect
  readonly columns: Columns
  /** For statements by themselves. */
  readonly run: Run
  /** What there is beside the library's own table; null for another one, whose ids would be taken for ids of that. */
  readonly companions: Companions | null
  readonly #knex: Knex
  readonly #name: string
  readonly #idType: IdType

  /** @throws OptionInvalid in the name of `where` */
  constructor(where: string, knex: Knex, options: UserTableOptions) {
    const { table = 'users', columns, idType = 'integer', timeout = 5_000 } = options
    this.dialect = dialectOf(where, knex)
    checkTableName(where, table, 'users')
    checkOneOf(where, 'idType', idType, ID_TYPES)
    checkDuration(where, 'timeout', timeout)
    this.columns = new Columns(where, columns)
    this.run = runOn(where, knex, timeout)
    this.companions = columns === undefined ? companionsOf(table) : null
    if (this.companions && idType !== 'integer')
      throw new OptionInvalid(where, 'idType', "must be left out for the library's own table, whose ids are integers.")
    this.#knex = knex
    this.#name = table
    this.#idType = idType
  }

  /** What there is beside the library's own table. @throws OptionInvalid in the name of `where` for another one */
  companionsFor(where: string): Companions {
    if (this.companions) return this.companions
    throw new OptionInvalid(
      where,
      'table',
      "must be the library's own 'users' for this: permissions, groups and identities are kept beside that alone.",
    )
  }

  /** Whether a user could have this id. */
  isId(id: unknown): id is string {
    return isUserId(this.#idType, id)
  }

  /** Statements on the table. */
  rows(trx: Knex = this.#knex): Knex.QueryBuilder {
    return trx(this.#name)
  }

  /** Users whose rows are as a query says. */
  async select(restrict: (query: Knex.QueryBuilder) => void, trx?: Knex.Transaction): Promise<UserRecord[]> {
    const statement = () => this.rows(trx).select(this.columns.asked).where(restrict)
    const found: Record<string, unknown>[] = await (trx ? statement() : this.run(statement))
    return found.map(row => this.columns.record(row))
  }

  /** The users with these ids, few enough for one statement. */
  async byIds(ids: readonly string[]): Promise<UserRecord[]> {
    const bound = ids.filter(id => this.isId(id)).map(id => this.#bound(id))
    return bound.length === 0 ? [] : this.select(query => query.whereIn(this.#idColumn, bound))
  }

  /** Inserts a user, and answers the id. Only integers are given by the database. */
  async insert(user: Omit<UserRecord, 'id'>, trx: Knex.Transaction): Promise<string> {
    const id = this.#idType === 'integer' ? undefined : randomUUID()
    const inserted = await insertRow(trx, this.#name, this.columns.row({ ...user, id }), this.#idColumn)
    return id ?? inserted
  }

  /** Changes the columns of a user that there are, by itself or as a part of a transaction. @param where what it expects to find */
  async update(
    id: string,
    values: ColumnValues,
    { trx, where = {} }: { trx?: Knex.Transaction; where?: ColumnValues } = {},
  ): Promise<void> {
    const statement = () =>
      this.rows(trx)
        .where(this.#idColumn, this.#bound(id))
        .where(this.columns.row(where))
        .update(this.columns.row(values))
    await (trx ? statement() : this.run(statement))
  }

  /** Removes a user. */
  async remove(id: string, trx: Knex.Transaction): Promise<void> {
    await this.rows(trx).where(this.#idColumn, this.#bound(id)).del()
  }

  /** Runs a transaction, again as a whole where the database called it off; but not where it is a part of the application's own. */
  transaction<Answer>(change: (trx: Knex.Transaction) => Promise<Answer>): Promise<Answer> {
    const run = this.#knex.isTransaction ? once : retried
    return run(() => this.#knex.transaction(change))
  }

  /** A transaction about one user, whose row nobody else changes meanwhile. @throws UserUnknown */
  async change<Answer>(
    id: unknown,
    change: (trx: Knex.Transaction, user: UserRecord) => Promise<Answer>,
  ): Promise<Answer> {
    if (!this.isId(id)) throw new UserUnknown()
    return this.transaction(async trx => {
      const statement = this.rows(trx).select(this.columns.asked).where(this.#idColumn, this.#bound(id)).forUpdate()
      const user = (await statement).map((row: Record<string, unknown>) => this.columns.record(row))[0]
      // The database may think other texts equal.
      if (user?.id !== id) throw new UserUnknown()
      return change(trx, user)
    })
  }

  get #idColumn(): string {
    return this.columns.name('id')
  }

  /** An id as statements take it. PostgreSQL would refuse one that is beyond the column's type. */
  #bound(id: string): string | Knex.Raw {
    const isNarrow = this.dialect.name === 'postgresql' && this.#idType === 'integer' && !this.companions
    return isNarrow ? this.#knex.raw('cast(? as bigint)', [id]) : id
  }
}

/** Inserts a row, and answers the id that the database gave it. */
export async function insertRow(trx: Knex.Transaction, table: string, row: object, id = 'id'): Promise<string> {
  const answers =
    trx.client.dialect === 'postgresql' ? await trx(table).insert(row, [`${id} as id`]) : await trx(table).insert(row)
  const [answer] = answers as (number | { id: unknown })[]
  return String(typeof answer === 'object' ? answer.id : answer)
}

function companionsOf(table: string): Companions | null {
  const schema = /^(.+\.)?users$/.exec(table)
  if (!schema) return null
  const beside = ({ name }: { name: string }) => `${schema[1] ?? ''}${name}`
  return {
    groups: beside(groups),
    groupMembers: beside(groupMembers),
    groupPermissions: beside(groupPermissions),
    userPermissions: beside(userPermissions),
    identities: beside(identities),
  }
}

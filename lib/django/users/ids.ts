import type { Knex } from 'knex'
import type { DialectName } from '../../database/dialect-name.ts'
import { type IdType, isUserId } from '../../users/sql/ids.ts'

/** The ids of users, as Django's columns have them and as its sessions name them. */
export class DjangoIds {
  readonly #knex: Knex
  readonly #type: IdType
  readonly #dialect: DialectName

  constructor(knex: Knex, type: IdType, dialect: DialectName) {
    this.#knex = knex
    this.#type = type
    this.#dialect = dialect
  }

  /** The id in a row. Django keeps UUIDs as 32 hexadecimal digits where the database has no type for them. */
  read(stored: string): string {
    if (this.#type !== 'uuid') return stored
    return stored
      .toLowerCase()
      .replaceAll('-', '')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }

  /** What statements look for to find these ids; nothing for what no user can have. They may find others: compare what was read. */
  bound(ids: readonly string[]): (string | Knex.Raw)[] {
    return ids.filter(id => isUserId(this.#type, id)).flatMap(id => this.#forms(id))
  }

  #forms(id: string): (string | Knex.Raw)[] {
    // PostgreSQL would refuse one that is beyond the column's type.
    if (this.#type === 'integer')
      return this.#dialect === 'postgresql' ? [this.#knex.raw('cast(? as bigint)', [id])] : [id]
    // MariaDB has a type for them since 10.7, which Django uses since 5.0.
    if (this.#type === 'uuid' && this.#dialect !== 'postgresql') return [id, id.replaceAll('-', '')]
    return [id]
  }
}

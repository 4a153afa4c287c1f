import type { Knex } from 'knex'
import { isTrue, textOf } from '../../database/answers.ts'
import { type DialectName, dialectNameOf } from '../../database/dialect-name.ts'
import { type Run, runOn } from '../../database/run.ts'
import { fromMoment, momentColumn, toMoment } from '../moments.ts'
import { DjangoIds } from './ids.ts'
import type { DjangoColumn, DjangoModel } from './model.ts'

/** A user's row, whatever its columns are called: what has no column is null, empty, false, and active. */
export interface DjangoUserRecord {
  readonly id: string
  readonly username: string
  /** Null where it is empty. */
  readonly email: string | null
  readonly password: string
  readonly firstName: string
  readonly lastName: string
  readonly isActive: boolean
  readonly isStaff: boolean
  readonly isSuperuser: boolean
  readonly lastLogin: number | null
  readonly dateJoined: number | null
}

/** What people go by. */
export type Naming = 'username' | 'email'

/** The names by which rows are asked for: one word each, which instances that turn snake_case into camelCase, or back, leave alone. */
const ALIASES: Readonly<Record<DjangoColumn, string>> = {
  id: 'id',
  username: 'username',
  password: 'password',
  email: 'email',
  firstName: 'first',
  lastName: 'last',
  isActive: 'active',
  isStaff: 'staff',
  isSuperuser: 'superuser',
  lastLogin: 'login',
  dateJoined: 'joined',
}
const MOMENTS: readonly DjangoColumn[] = ['lastLogin', 'dateJoined']

/** Django's table of users. */
export class DjangoTable {
  readonly ids: DjangoIds
  /** For statements by themselves. */
  readonly run: Run
  readonly #knex: Knex
  readonly #dialect: DialectName
  readonly #model: DjangoModel
  readonly #asked: readonly (Record<string, string> | Knex.Raw)[]

  /** @throws OptionInvalid in the name of `where` where it is no knex instance, or one for another database */
  constructor(where: string, knex: Knex, model: DjangoModel, timeout: number) {
    this.#knex = knex
    this.#model = model
    this.#dialect = dialectNameOf(where, knex)
    this.ids = new DjangoIds(knex, model.idType, this.#dialect)
    this.run = runOn(where, knex, timeout)
    const present = (Object.keys(ALIASES) as DjangoColumn[]).filter(key => model.column(key) !== null)
    this.#asked = present.map(key => {
      const [column, alias] = [model.column(key)!, ALIASES[key]]
      return MOMENTS.includes(key) ? momentColumn(knex, this.#dialect, column, alias) : { [alias]: column }
    })
  }

  /** The users with these ids, few enough for one statement. */
  async byIds(ids: readonly string[]): Promise<DjangoUserRecord[]> {
    const bound = this.ids.bound(ids)
    return bound.length === 0 ? [] : this.#select(query => query.whereIn(this.#model.column('id'), bound))
  }

  /**
   * Whom the database finds under a name or an address. It may think other texts equal: compare what was read. An address is found in whichever
   * case, if need be by reading all of them, since Django has no index of them.
   * @param forms what to look for, in the forms in which it may be stored
   */
  async called(forms: readonly string[], canonical: string, by: readonly Naming[]): Promise<DjangoUserRecord[]> {
    const [name, address] = [this.#model.column('username'), this.#model.column('email')]
    const byName = by.includes('username') || name === address
    const byAddress = by.includes('email') && name !== address && address !== null && canonical.includes('@')
    if (!byName && !byAddress) return []
    return this.#select(query => {
      if (byName) query.whereIn(name, forms)
      if (byAddress) query.orWhereIn(address, forms).orWhereRaw('lower(??) = ?', [address, canonical])
    })
  }

  /** The passwords of so many users who came last, without the unusable ones. */
  async newestPasswords(count: number): Promise<string[]> {
    const { idType } = this.#model
    const password = this.#model.column('password')
    const order = (idType === 'integer' ? null : this.#model.column('dateJoined')) ?? this.#model.column('id')
    const rows: { password: unknown }[] = await this.run(() =>
      this.#rows().select({ password }).whereNot(password, 'like', '!%').orderBy(order, 'desc').limit(count),
    )
    return rows.map(row => textOf(row.password) ?? '')
  }

  /** Notes when a user has logged in. */
  async noteLogin(id: string, now: number): Promise<void> {
    const noted = { [this.#model.column('lastLogin')!]: toMoment(this.#dialect, now) }
    await this.run(() =>
      this.#rows()
        .whereIn(this.#model.column('id'), this.ids.bound([id]))
        .update(noted),
    )
  }

  #rows(): Knex.QueryBuilder {
    return this.#knex(this.#model.table)
  }

  async #select(restrict: (query: Knex.QueryBuilder) => void): Promise<DjangoUserRecord[]> {
    const rows: Record<string, unknown>[] = await this.run(() => this.#rows().select(this.#asked).where(restrict))
    return rows.map(row => this.#record(row))
  }

  #record(row: Readonly<Record<string, unknown>>): DjangoUserRecord {
    const text = (key: DjangoColumn) => textOf(row[ALIASES[key]]) ?? ''
    const moment = (key: DjangoColumn) => {
      const milliseconds = fromMoment(text(key))
      return Number.isNaN(milliseconds) ? null : milliseconds
    }
    return {
      id: this.ids.read(text('id')),
      username: text('username'),
      email: text('email') || null,
      password: text('password'),
      firstName: text('firstName'),
      lastName: text('lastName'),
      isActive: this.#model.column('isActive') === null || isTrue(row[ALIASES.isActive]),
      isStaff: isTrue(row[ALIASES.isStaff]),
      isSuperuser: isTrue(row[ALIASES.isSuperuser]),
      lastLogin: moment('lastLogin'),
      dateJoined: moment('dateJoined'),
    }
  }
}

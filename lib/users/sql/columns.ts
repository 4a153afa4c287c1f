import { isTrue, textOf } from '../../database/answers.ts'
import { checkColumnName } from '../../database/tables.ts'
import { OptionInvalid } from '../../errors.ts'
import { isPlainObject, knownOptions } from '../../options.ts'

/**
 * The columns of an application's own table of users, by what they hold. `id` and `username` there must be; what is not named there is not.
 * Moments are epoch milliseconds in a BIGINT, flags a BOOLEAN.
 */
export interface UserColumns {
  /** The primary key, of the type that `idType` says. */
  id: string
  /** The name that people log in by. It should be unique. */
  username: string
  /**
   * The canonical form of the name (`canonicalForm()`), unique. Without it a row is looked up by what was typed and by its canonical form, and
   * compared by its canonical form afterwards, so that 'Ann' is found by 'Ann', and by 'ANN' only where the collation thinks them equal. Of
   * several rows found whose names have one canonical form the one that is written exactly as typed logs in, else none.
   */
  usernameCanonical?: string | undefined
  /** The e-mail address, or null. Without it nobody logs in by an address. */
  email?: string | undefined
  /** The canonical form of the address, unique. Without it addresses are looked up as names are without theirs. */
  emailCanonical?: string | undefined
  /** The hash of the password, or null; 512 characters. Without it nobody logs in with one. */
  password?: string | undefined
  /** What keeps sessions while a hash is renewed; 255 characters or null. Without it hashes stay as they are: to renew one would end sessions. */
  stampOrigin?: string | undefined
  /** Whether the user may log in. Without it everybody may. */
  isActive?: string | undefined
  /** Without it nobody is. */
  isStaff?: string | undefined
  /** Without it nobody is. */
  isSuperuser?: string | undefined
  /**
   * A number that rises when the user's sessions end. Without it there is no `endSessions()`, and epochs are kept beside the sessions; those
   * that were not used while the user was deactivated then hold again after `activate()`.
   */
  epoch?: string | undefined
  /** When the user logged in the last time, or null. Without it that is not noted. */
  lastLogin?: string | undefined
  /** When the user was made. */
  createdAt?: string | undefined
}

/** What a column holds. */
export type ColumnKey = keyof UserColumns

/** Values for columns. */
export type ColumnValues = Partial<Record<ColumnKey, unknown>>

/** A user's row, whatever its columns are called: what has no column is null, false, 0, and active. */
export interface UserRecord {
  readonly id: string
  readonly username: string
  readonly usernameCanonical: string | null
  readonly email: string | null
  readonly emailCanonical: string | null
  readonly password: string | null
  readonly stampOrigin: string | null
  readonly isActive: boolean
  readonly isStaff: boolean
  readonly isSuperuser: boolean
  readonly epoch: string
  readonly lastLogin: number | null
  readonly createdAt: number | null
}

/** The columns of the tables that `migrate(knex)` makes. */
const LIBRARY: Required<UserColumns> = {
  id: 'id',
  username: 'username',
  usernameCanonical: 'username_canonical',
  email: 'email',
  emailCanonical: 'email_canonical',
  password: 'password',
  stampOrigin: 'stamp_origin',
  isActive: 'is_active',
  isStaff: 'is_staff',
  isSuperuser: 'is_superuser',
  epoch: 'epoch',
  lastLogin: 'last_login',
  createdAt: 'created_at',
}

/** The names by which rows are asked for: one word each, which instances that turn snake_case into camelCase, or back, leave alone. */
const ALIASES: Record<ColumnKey, string> = {
  ...LIBRARY,
  usernameCanonical: 'canonical',
  emailCanonical: 'address',
  stampOrigin: 'origin',
  isActive: 'active',
  isStaff: 'staff',
  isSuperuser: 'superuser',
  lastLogin: 'login',
  createdAt: 'created',
}
const KEYS = Object.keys(LIBRARY) as ColumnKey[]

/** What the columns of a table are called. */
export class Columns {
  /** What to select: the columns there are, under names that `record` knows. */
  readonly asked: Readonly<Record<string, string>>
  readonly #names: UserColumns

  /** @throws OptionInvalid in the name of `where`, for the option `columns` */
  constructor(where: string, names: UserColumns = LIBRARY) {
    if (!isPlainObject(names)) throw new OptionInvalid(where, 'columns', 'must be an object, as { id, username }.')
    knownOptions(where, names, KEYS)
    const used = KEYS.filter(key => names[key] !== undefined || key === 'id' || key === 'username')
    for (const key of used) checkColumnName(where, `columns.${key}`, names[key], key)
    const twice = used.find(key => used.some(other => other !== key && names[other] === names[key]))
    if (twice) throw new OptionInvalid(where, `columns.${twice}`, 'must be a column of its own.')
    this.#names = { ...names }
    this.asked = Object.fromEntries(used.map(key => [ALIASES[key], names[key]!]))
  }

  has(key: ColumnKey): boolean {
    return this.#names[key] !== undefined
  }

  /** @throws OptionInvalid in the name of `where` where there is no such column */
  need(where: string, key: ColumnKey): void {
    if (!this.has(key)) throw new OptionInvalid(where, `columns.${key}`, 'must name a column: it is needed for this.')
  }

  /** The name of a column that there is. */
  name(key: ColumnKey): string {
    return this.#names[key]!
  }

  /** Values by the names of their columns; those without one are left out. */
  row(values: ColumnValues): Record<string, unknown> {
    const named = KEYS.filter(key => values[key] !== undefined && this.has(key))
    return Object.fromEntries(named.map(key => [this.#names[key]!, values[key]]))
  }

  /** A row that was selected as `asked`. */
  record(row: Readonly<Record<string, unknown>>): UserRecord {
    const text = (key: ColumnKey) => textOf(row[ALIASES[key]])
    const moment = (key: ColumnKey) => {
      const stored = text(key)
      return stored === null ? null : Number(stored)
    }
    return {
      id: text('id') ?? '',
      username: text('username') ?? '',
      usernameCanonical: text('usernameCanonical'),
      email: text('email'),
      emailCanonical: text('emailCanonical'),
      password: text('password'),
      stampOrigin: text('stampOrigin'),
      isActive: !this.has('isActive') || isTrue(row[ALIASES.isActive]),
      isStaff: isTrue(row[ALIASES.isStaff]),
      isSuperuser: isTrue(row[ALIASES.isSuperuser]),
      epoch: text('epoch') ?? '0',
      lastLogin: moment('lastLogin'),
      createdAt: moment('createdAt'),
    }
  }
}

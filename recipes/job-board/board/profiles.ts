import type { Knex } from 'knex'
import { record } from './activity.ts'

/** What an employer says of themselves. */
export interface EmployerProfile {
  readonly user_key: string
  readonly company: string
  readonly about: string
}

/** What somebody who looks for work says of themselves. */
export interface EmployeeProfile {
  readonly user_key: string
  readonly name: string
  readonly city: string
  readonly skills: string
}

/** Whom a partner works for. Its owner has no record among the users: the partner's directory vouches for them. */
export interface PartnerProfile {
  readonly user_key: string
  readonly agency: string
  readonly region: string
}

/** The profile of each kind. */
export interface ProfileByKind {
  employer: EmployerProfile
  employee: EmployeeProfile
  partner: PartnerProfile
}

/** The kinds of people on the board. */
export type Kind = keyof ProfileByKind

/** The table of each kind. */
export const profileTables = { employer: 'employers', employee: 'employees', partner: 'partners' } as const

/** Which of a profile's fields says who it is. */
const nameFields = { employer: 'company', employee: 'name', partner: 'agency' } as const

/** Writes profiles; the library's `sqlProfiles()` reads them. */
export class Profiles {
  readonly #database: Knex
  readonly #now: () => number

  constructor(database: Knex, now: () => number) {
    this.#database = database
    this.#now = now
  }

  /** Makes somebody's first profile; false where they have one, of whatever kind. */
  async create(userKey: string, kind: Kind, values: Record<string, string>): Promise<boolean> {
    return this.#database.transaction(async trx => {
      for (const table of Object.values(profileTables)) {
        if (await trx(table).where({ user_key: userKey }).first('user_key')) return false
      }
      await trx(profileTables[kind]).insert({ ...values, user_key: userKey })
      await this.#record(trx, userKey, kind, values, 'joined')
      return true
    })
  }

  /** Changes somebody's own profile. */
  async update(userKey: string, kind: Kind, values: Record<string, string>): Promise<void> {
    await this.#database.transaction(async trx => {
      await trx(profileTables[kind]).where({ user_key: userKey }).update(values)
      await this.#record(trx, userKey, kind, values, 'changed their profile')
    })
  }

  #record(trx: Knex, userKey: string, kind: Kind, values: Record<string, string>, summary: string): Promise<void> {
    return record(trx, {
      at: this.#now(),
      subject: 'profile',
      employer_key: kind === 'employer' ? userKey : null,
      actor: values[nameFields[kind]] ?? '',
      summary: `${summary} (${kind})`,
      path: null,
    })
  }
}

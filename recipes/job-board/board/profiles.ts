import type { Knex } from 'knex'
import { type SqlProfiles, sqlProfiles } from 'koa-strata/sql'
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

/** Where the profiles of each kind are looked up and written. */
export type ProfileSources = { readonly [One in Kind]: SqlProfiles<ProfileByKind[One]> }

/** The table of each kind. */
const tables = { employer: 'employers', employee: 'employees', partner: 'partners' } as const

/** Which of a profile's fields says who it is. */
const nameFields = { employer: 'company', employee: 'name', partner: 'agency' } as const

/** What people are on the board. Each change goes through the library's source of the kind, and into the log with it. */
export class Profiles {
  readonly sources: ProfileSources
  readonly #database: Knex
  readonly #now: () => number

  constructor(database: Knex, now: () => number) {
    this.#database = database
    this.#now = now
    this.sources = {
      employer: sqlProfiles(database, { table: tables.employer, fields: ['company', 'about'] }),
      employee: sqlProfiles(database, { table: tables.employee, fields: ['name', 'city', 'skills'] }),
      partner: sqlProfiles(database, { table: tables.partner, fields: ['agency', 'region'] }),
    }
  }

  /** Makes somebody's first profile; false where they have one, of whatever kind. */
  async create(userKey: string, kind: Kind, values: Record<string, string>): Promise<boolean> {
    return this.#database.transaction(async trx => {
      for (const table of Object.values(tables)) {
        if (await trx(table).where({ user_key: userKey }).first('user_key')) return false
      }
      await this.sources[kind].create({ key: userKey }, values, trx)
      await this.#record(trx, userKey, kind, values, 'joined')
      return true
    })
  }

  /** Changes somebody's own profile. @throws ProfileUnknown where they have none of this kind */
  async update(userKey: string, kind: Kind, values: Record<string, string>): Promise<void> {
    await this.#database.transaction(async trx => {
      await this.sources[kind].change({ key: userKey }, values, trx)
      await this.#record(trx, userKey, kind, values, 'changed their profile')
    })
  }

  /**
   * Removes somebody's own profile, so that they can become something else; false for an employer who has openings, which stand by it. What an
   * employee or a partner sent stays with the employer.
   * @param values what it says, for the log
   * @throws ProfileUnknown where they have none of this kind
   */
  async remove(userKey: string, kind: Kind, values: Record<string, string>): Promise<boolean> {
    return this.#database.transaction(async trx => {
      if (await trx('openings').where({ employer_key: userKey }).first('id')) return false
      await this.sources[kind].remove({ key: userKey }, trx)
      await this.#record(trx, userKey, kind, values, 'removed their profile')
      return true
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

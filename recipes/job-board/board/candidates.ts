import type { Knex } from 'knex'
import { record } from './activity.ts'
import type { Opening } from './openings.ts'
import type { EmployeeProfile, PartnerProfile } from './profiles.ts'

/** An employee's answer to an opening. Moments are epoch milliseconds. */
export interface Application {
  readonly id: number
  readonly opening_id: number
  readonly employee_key: string
  readonly name: string
  readonly email: string | null
  readonly city: string
  readonly skills: string
  readonly letter: string
  readonly created_at: number
}

/** A partner's answer to an opening. */
export interface Recommendation {
  readonly id: number
  readonly opening_id: number
  readonly partner_key: string
  readonly agency: string
  readonly email: string | null
  readonly candidate: string
  readonly note: string
  readonly created_at: number
}

/** The opening that something was sent for. */
export interface AboutOpening {
  readonly title: string
  readonly company: string
  readonly closed_at: number | null
}

/** What became of an application or a recommendation. */
export type Sent = 'sent' | 'sent before' | 'closed'

/** Who wants an opening, by themselves or by a partner's word. What somebody may see is asked for together with their key. */
export class Candidates {
  readonly #database: Knex
  readonly #now: () => number

  constructor(database: Knex, now: () => number) {
    this.#database = database
    this.#now = now
  }

  /** Sends an application. Nobody applies twice to one opening, however often the form is sent. */
  async apply(
    opening: Opening,
    { user_key, name, city, skills }: EmployeeProfile,
    email: string | null,
    letter: string,
  ) {
    const row = { employee_key: user_key, name, city, skills, email, letter }
    return this.#send('application', opening, row, name, `applied for “${opening.title}” at ${opening.company}`)
  }

  /** Sends a recommendation. Nobody recommends one person twice for one opening. */
  async recommend(
    opening: Opening,
    { user_key, agency }: PartnerProfile,
    email: string | null,
    { candidate, note }: Pick<Recommendation, 'candidate' | 'note'>,
  ): Promise<Sent> {
    const row = { partner_key: user_key, agency, email, candidate, note }
    const summary = `recommended ${candidate} for “${opening.title}” at ${opening.company}`
    return this.#send('recommendation', opening, row, agency, summary)
  }

  /** The employee's application to this opening. */
  async applicationOf(employeeKey: string, openingId: number): Promise<Application | undefined> {
    return this.#database('applications').where({ employee_key: employeeKey, opening_id: openingId }).first()
  }

  /** All of an employee, the latest first. */
  async applicationsOf(employeeKey: string): Promise<(Application & AboutOpening)[]> {
    return this.#withOpening('applications').where('applications.employee_key', employeeKey)
  }

  /** All of a partner, the latest first. */
  async recommendationsOf(partnerKey: string): Promise<(Recommendation & AboutOpening)[]> {
    return this.#withOpening('recommendations').where('recommendations.partner_key', partnerKey)
  }

  /** To an employer's openings, or to the one with this id, the latest first. */
  async applicationsTo(
    employerKey: string,
    limit: number,
    openingId?: number,
  ): Promise<(Application & AboutOpening)[]> {
    return this.#toEmployer('applications', employerKey, limit, openingId)
  }

  /** For an employer's openings, or for the one with this id, the latest first. */
  async recommendationsTo(
    employerKey: string,
    limit: number,
    openingId?: number,
  ): Promise<(Recommendation & AboutOpening)[]> {
    return this.#toEmployer('recommendations', employerKey, limit, openingId)
  }

  #toEmployer(table: string, employerKey: string, limit: number, openingId?: number) {
    const query = this.#withOpening(table).where('openings.employer_key', employerKey).limit(limit)
    return openingId === undefined ? query : query.where('openings.id', openingId)
  }

  #withOpening(table: string) {
    return this.#database(table)
      .join('openings', 'openings.id', `${table}.opening_id`)
      .join('employers', 'employers.user_key', 'openings.employer_key')
      .select(`${table}.*`, 'openings.title', 'openings.closed_at', 'employers.company')
      .orderBy(`${table}.id`, 'desc')
  }

  async #send(
    subject: 'application' | 'recommendation',
    { id, employer_key }: Opening,
    row: object,
    actor: string,
    summary: string,
  ): Promise<Sent> {
    const at = this.#now()
    return this.#database.transaction(async trx => {
      if (!(await trx('openings').where({ id }).whereNull('closed_at').first('id'))) return 'closed'
      const sent = await trx(`${subject}s`)
        .insert({ ...row, opening_id: id, created_at: at })
        .onConflict()
        .ignore()
        .returning('id')
      if (sent.length === 0) return 'sent before'
      await record(trx, { at, subject, employer_key, actor, summary, path: `/openings/${id}` })
      return 'sent'
    })
  }
}

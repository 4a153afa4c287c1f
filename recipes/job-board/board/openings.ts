import type { Knex } from 'knex'
import { ProfileUnknown } from 'koa-strata'
import { record } from './activity.ts'
import type { EmployerProfile } from './profiles.ts'

/** What an employer writes of an opening. */
export interface OpeningText {
  readonly title: string
  readonly place: string
  /** Empty where the employer does not say. */
  readonly salary: string
  readonly description: string
}

/** An opening. Moments are epoch milliseconds. */
export interface Opening extends OpeningText {
  readonly id: number
  readonly employer_key: string
  readonly company: string
  readonly about: string
  readonly created_at: number
  readonly updated_at: number
  /** null: people can apply. */
  readonly closed_at: number | null
}

/** An opening with how many answered it. */
export interface OwnOpening extends Opening {
  readonly applications: number
  readonly recommendations: number
}

/** The openings of the board. What belongs to an employer is asked for, and changed, together with its owner's key. */
export class Openings {
  readonly #database: Knex
  readonly #now: () => number

  constructor(database: Knex, now: () => number) {
    this.#database = database
    this.#now = now
  }

  /** Those that people can apply to, the latest first. */
  async open(limit: number, offset = 0): Promise<Opening[]> {
    return this.#rows().whereNull('closed_at').orderBy('openings.id', 'desc').limit(limit).offset(offset)
  }

  async countOpen(): Promise<number> {
    const [row] = await this.#database('openings').whereNull('closed_at').count('* as count')
    return Number(row?.count)
  }

  async find(id: number): Promise<Opening | undefined> {
    return this.#rows().where('openings.id', id).first()
  }

  /** All of an employer, the latest first. */
  async ownedBy(employerKey: string): Promise<OwnOpening[]> {
    const answersIn = (table: string) =>
      this.#database(table).count().where(`${table}.opening_id`, this.#database.ref('openings.id')).as(table)
    return this.#rows()
      .select(answersIn('applications'), answersIn('recommendations'))
      .where('openings.employer_key', employerKey)
      .orderBy('openings.id', 'desc')
  }

  async findOwn(id: number, employerKey: string): Promise<Opening | undefined> {
    return this.#rows().where({ 'openings.id': id, 'openings.employer_key': employerKey }).first()
  }

  /** Answers its id. @throws ProfileUnknown where the employer has ceased to be one */
  async post(employer: EmployerProfile, text: OpeningText): Promise<number> {
    const at = this.#now()
    return this.#database.transaction(async trx => {
      const employer_key = employer.user_key
      if (!(await trx('employers').where({ user_key: employer_key }).first('user_key'))) throw new ProfileUnknown()
      const row = { ...text, employer_key, created_at: at, updated_at: at }
      const [inserted] = await trx('openings').insert(row).returning<{ id: number }[]>('id')
      const { id } = inserted!
      await this.#record(trx, employer, id, at, `posted “${text.title}”`)
      return id
    })
  }

  /** False where this employer has no such opening. */
  async edit(id: number, employer: EmployerProfile, text: OpeningText): Promise<boolean> {
    return this.#change(id, employer, text, 'edited')
  }

  /** False where this employer has no such opening, or it is closed already. */
  async close(id: number, employer: EmployerProfile): Promise<boolean> {
    return this.#change(id, employer, { closed_at: this.#now() }, 'closed', query => query.whereNull('closed_at'))
  }

  /** False where this employer has no such opening, or it is open already. */
  async reopen(id: number, employer: EmployerProfile): Promise<boolean> {
    return this.#change(id, employer, { closed_at: null }, 'reopened', query => query.whereNotNull('closed_at'))
  }

  async #change(
    id: number,
    employer: EmployerProfile,
    change: object,
    deed: string,
    restrict: (query: Knex.QueryBuilder) => void = () => {},
  ): Promise<boolean> {
    const at = this.#now()
    return this.#database.transaction(async trx => {
      const own = trx('openings').where({ id, employer_key: employer.user_key }).where(restrict)
      if ((await own.update({ ...change, updated_at: at })) === 0) return false
      const { title } = await trx('openings').where({ id }).first('title')
      await this.#record(trx, employer, id, at, `${deed} “${title}”`)
      return true
    })
  }

  #record(trx: Knex, { user_key, company }: EmployerProfile, id: number, at: number, summary: string): Promise<void> {
    return record(trx, {
      at,
      subject: 'opening',
      employer_key: user_key,
      actor: company,
      summary,
      path: `/openings/${id}`,
    })
  }

  #rows() {
    return this.#database('openings')
      .join('employers', 'employers.user_key', 'openings.employer_key')
      .select<Opening[]>('openings.*', 'employers.company', 'employers.about')
  }
}

import type { Knex } from 'knex'

/** What an activity is about. */
export type Subject = 'profile' | 'opening' | 'application' | 'recommendation'

/** Something that happened on the board. */
export interface Activity {
  readonly id: number
  /** Epoch milliseconds. */
  readonly at: number
  readonly subject: Subject
  /** The employer whose openings it concerns. */
  readonly employer_key: string | null
  /** Who did it, by the name they go by on the board. */
  readonly actor: string
  /** What they did, to follow their name. */
  readonly summary: string
  /** Where to see it; null where only the log shows it. */
  readonly path: string | null
}

/** Which activities: all that match every field given. */
export interface ActivityFilter {
  subjects?: readonly Subject[]
  employer_key?: string
}

/** Writes down what happened, in the transaction in which it happens. */
export async function record(trx: Knex, activity: Omit<Activity, 'id'>): Promise<void> {
  await trx('activity').insert(activity)
}

/** What happened on the board, to read. */
export class ActivityLog {
  readonly #database: Knex

  constructor(database: Knex) {
    this.#database = database
  }

  /** The latest first. */
  async latest(limit: number, offset = 0): Promise<Activity[]> {
    return this.#rows().orderBy('id', 'desc').limit(limit).offset(offset)
  }

  /** When the last of these happened; 0 where none did. */
  async lastAt({ subjects, employer_key }: ActivityFilter = {}): Promise<number> {
    const query = this.#rows().max('at as at')
    if (subjects) query.whereIn('subject', subjects)
    if (employer_key !== undefined) query.where({ employer_key })
    const [row] = await query
    return Number(row?.at ?? 0)
  }

  /** How many of each subject there were. */
  async counts(): Promise<Record<Subject, number>> {
    const rows: { subject: Subject; count: number }[] = await this.#database('activity')
      .select('subject')
      .count('* as count')
      .groupBy('subject')
    const none = { profile: 0, opening: 0, application: 0, recommendation: 0 }
    return { ...none, ...Object.fromEntries(rows.map(({ subject, count }) => [subject, count])) }
  }

  #rows() {
    return this.#database<Activity>('activity')
  }
}

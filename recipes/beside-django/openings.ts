import type { Knex } from 'knex'

/** An opening, as Django's `openings.models.Opening` has it. */
export interface Opening {
  readonly id: number
  readonly title: string
  readonly place: string
  readonly posted: Date
}

/** The newest openings of Django's own table: those that are published, or the drafts. */
export async function newestOpenings(database: Knex, { drafts }: { drafts: boolean }): Promise<Opening[]> {
  const rows = await database('openings_opening')
    .where({ is_draft: drafts })
    .select('id', 'title', 'place', 'posted')
    .orderBy('posted', 'desc')
    .limit(20)
  return rows.map(row => ({ ...row, posted: momentOf(row.posted) }))
}

/** SQLite has Django's moments as texts, in UTC. */
function momentOf(posted: Date | string): Date {
  return posted instanceof Date ? posted : new Date(`${posted}Z`)
}

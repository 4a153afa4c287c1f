import type { Knex } from 'knex'
import { ActivityLog } from './activity.ts'
import { Candidates } from './candidates.ts'
import { Openings } from './openings.ts'
import { Profiles } from './profiles.ts'

/** The board's own data: everything that is not users and sessions. */
export interface Board {
  readonly openings: Openings
  readonly candidates: Candidates
  readonly profiles: Profiles
  readonly activity: ActivityLog
}

/** @param now the clock, in epoch milliseconds */
export function createBoard(database: Knex, now: () => number): Board {
  return {
    openings: new Openings(database, now),
    candidates: new Candidates(database, now),
    profiles: new Profiles(database, now),
    activity: new ActivityLog(database),
  }
}

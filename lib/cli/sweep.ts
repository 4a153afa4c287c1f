import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Knex } from 'knex'
import { expiredRows } from './expired.ts'
import type { OpenStore } from './store.ts'

/** How far a sweep is. */
export interface SweepState {
  /** How many sessions it has removed. */
  readonly removed: number
  /** How many it has left to remove or, of files, to look at. */
  readonly left: number
}

/** A part of the work, after which there is time to stop: what one statement of the store removes. */
const ROWS = 100
const FILES = 1_000

/**
 * Removes the sessions that have expired by now, a small part at a time, and tells after each how far it is. In between it waits for as long as
 * the part took, so that a running site always finds a turn: an SQLite file has one writer.
 */
export async function* sweep(open: OpenStore): AsyncGenerator<SweepState> {
  const parts = open.knex ? rows(open, open.knex) : files(open)
  for (;;) {
    const begun = performance.now()
    const { value, done } = await parts.next()
    if (done) return
    yield value
    if (value.left > 0) await wait(performance.now() - begun)
  }
}

async function* rows({ store }: OpenStore, knex: Knex): AsyncGenerator<SweepState> {
  const by = Date.now()
  let removed = 0
  for (let { count } = await expiredRows(knex, by); count > 0; ) {
    const swept = await store.sweep!(ROWS)
    removed += swept
    count -= swept
    // Where others sweep too, or sessions expired meanwhile, only the database knows.
    if (swept < ROWS || count <= 0) count = (await expiredRows(knex, by)).count
    yield { removed, left: count }
  }
}

/** Each part goes on where the last one stopped, and looks at no fewer sessions than it may remove. */
async function* files({ store, directory }: OpenStore): AsyncGenerator<SweepState> {
  let removed = 0
  for (let left = await sessionsIn(directory!); left > 0; ) {
    const swept = await store.sweep!(FILES)
    removed += swept
    left = Math.max(0, left - FILES)
    yield { removed, left }
  }
}

/** How many sessions a `fileStore()` has, expired ones too: each has a directory below one that is named by two digits. */
async function sessionsIn(directory: string): Promise<number> {
  const shards = (await readdir(directory)).filter(name => /^[\da-f]{2}$/.test(name))
  const counts = await Promise.all(shards.map(async shard => (await readdir(join(directory, shard))).length))
  return counts.reduce((sum, count) => sum + count, 0)
}

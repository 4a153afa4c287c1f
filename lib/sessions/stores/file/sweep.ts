import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UNFINISHED } from './directory.ts'
import { type FileHome, renamed } from './home.ts'
import { type FileOwners, OWNERS } from './owners.ts'
import { type FileSessions, isId } from './sessions.ts'

/** How old something unfinished has to be before whoever wrote it is taken for dead, in milliseconds. */
const ABANDONED = 300_000
/** How many sessions are looked at for each that may be removed, and at least. */
const LOOKS = { each: 4, least: 100 }
const AT_ONCE = 8

/** Removes what nobody needs, a part at a time: each sweep goes on where the last one stopped, and begins again after the last. */
export class FileSweep {
  readonly #home: FileHome
  readonly #sessions: FileSessions
  readonly #owners: FileOwners
  readonly #now: () => number
  // At random, so that the processes of an application do not all look at the same.
  readonly #rounds = { sessions: randomBytes(32).toString('hex'), owners: randomBytes(32).toString('hex') }

  constructor(home: FileHome, sessions: FileSessions, owners: FileOwners, now: () => number) {
    this.#home = home
    this.#sessions = sessions
    this.#owners = owners
    this.#now = now
  }

  /** Removes at most `limit` expired sessions, and what killed processes have left behind. Answers how many sessions. */
  async run(limit: number): Promise<number> {
    if (!(limit > 0)) return 0
    const most = Math.max(LOOKS.each * limit, LOOKS.least)
    await this.#clearUnfinished(most)
    let count = 0
    await this.#goOn(
      'sessions',
      this.#home.root,
      most,
      () => Math.min(AT_ONCE, limit - count),
      async id => {
        if (await this.#sweepSession(id)) count++
      },
    )
    // Looking for the sessions of an owner forgets notes that are out of date.
    const owners = join(this.#home.root, OWNERS)
    await this.#goOn(
      'owners',
      owners,
      most / LOOKS.each,
      () => 1,
      owner => this.#owners.idsOf(owner),
    )
    return count
  }

  async #sweepSession(id: string): Promise<boolean> {
    const seen = await this.#sessions.look(id)
    if (!seen) {
      await this.#sessions.clearRemains(id)
      return false
    }
    const { pointer, files } = seen
    if (pointer.expiresAt > this.#now()) {
      // Beside the content there is what somebody was about to store and did not come to: turning removes it.
      if (files.length > 1) await this.#sessions.turn(id, seen, pointer.expiresAt)
      await this.#owners.note(pointer.owner, id)
      return false
    }
    const ending = await this.#sessions.end(id, seen, false)
    if (ending !== 'kept') await this.#owners.forget(pointer.owner, id)
    return ending === 'removed'
  }

  async #clearUnfinished(most: number): Promise<void> {
    const directory = join(this.#home.root, UNFINISHED)
    for (const name of ((await this.#home.names(directory)) ?? []).slice(0, most)) {
      const path = join(directory, name)
      if (!(await this.#home.isQuiet(path, ABANDONED))) continue
      // Under another name whoever wrote it cannot put it in its place half removed, should they wake up.
      const taken = this.#home.newPath()
      if (await renamed(path, taken)) await rm(taken, { recursive: true, force: true })
    }
  }

  /** Visits names below the two-digit directories of `root`, as many at once as `width` says, until it says none or `most` were visited. */
  async #goOn(
    round: 'sessions' | 'owners',
    root: string,
    most: number,
    width: () => number,
    visit: (name: string) => Promise<unknown>,
  ): Promise<void> {
    let batch: string[] = []
    const visitBatch = async () => {
      const names = batch
      batch = []
      await Promise.all(names.map(visit))
      this.#rounds[round] = names.at(-1) ?? this.#rounds[round]
    }
    let visited = 0
    for await (const name of this.#around(root, this.#rounds[round])) {
      batch.push(name)
      visited++
      if (batch.length >= width()) await visitBatch()
      if (visited >= most || width() <= 0) break
    }
    await visitBatch()
  }

  /** Every name once, from the one after `start` to it. */
  async *#around(root: string, start: string): AsyncGenerator<string> {
    const first = start.slice(0, 2)
    const shards = ((await this.#home.names(root)) ?? []).filter(name => /^[\da-f]{2}$/.test(name)).sort()
    const namesOf = async (shard: string) => ((await this.#home.names(join(root, shard))) ?? []).filter(isId).sort()
    const [before, after] = [shards.filter(shard => shard < first), shards.filter(shard => shard > first)]
    yield* (await namesOf(first)).filter(name => name > start)
    for (const shard of [...after, ...before]) yield* await namesOf(shard)
    yield* (await namesOf(first)).filter(name => name <= start)
  }
}

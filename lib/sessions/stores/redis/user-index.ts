import type { RedisCommands } from './client.ts'
import { digits, momentOf, NOBODY, newTag, type Owner } from './record.ts'
import { HOLD } from './scripts.ts'

/** Redis counts time by a clock of its own, and processes by theirs: what has passed is forgotten only when that is sure. In milliseconds. */
export const SLACK = 60_000
/** How much longer than its session an entry is held, so that most changes of a session need none of the index. In milliseconds. */
const AHEAD = 3_600_000
const TAG_LENGTH = NOBODY.tag.length
/** How many entries may be on their way out before further ones are left to expire. */
const MOST_RELEASES = 64

/** How a user's index holds a session. */
export interface Held {
  owner: Owner
  /** Until when, in epoch milliseconds. */
  indexedUntil: number
}

/**
 * Which sessions a user has: for each user one sorted set, whose entries are a session's id, as base64url, with a tag, each with the moment until
 * which it is held. An entry has 54 characters; of up to 64 Redis keeps a short set in one piece (`zset-max-listpack-value`), in half the memory.
 * The set lies in another slot than the sessions, so no command changes both. That no live session is ever missing from it rests on this:
 *
 * - A session is stored as a user's only after an entry for it was acknowledged, held for at least as long as the session lasts. Whoever stops
 *   in between leaves an entry without a session, which readers pass over: a session is a user's when its own record says so.
 * - An entry goes when its moment has passed, and so has the session's. Whoever is about to move the session on has moved the entry on first.
 * - An entry is released before that when its session was stored as another's, as nobody's, or not at all. Its tag was drawn for this one
 *   session of this one user, so a session that comes back to the user meanwhile has another entry.
 *
 * What Redis itself loses, as in a failover, is beyond that: an entry that is gone is made again when the session changes after `AHEAD`.
 */
export class UserIndex {
  readonly #commands: RedisCommands
  readonly #prefix: string
  readonly #now: () => number
  #releases = 0

  /** @param prefix what its keys begin with */
  constructor(commands: RedisCommands, prefix: string, now: () => number) {
    this.#commands = commands
    this.#prefix = prefix
    this.#now = now
  }

  /** Holds a session that lasts until `expiresAt`, under the owner's tag or a new one. Answers the owner, and until when. */
  async hold(
    id: string,
    { digest, tag = newTag() }: { digest: string; tag?: string },
    expiresAt: number,
  ): Promise<Held> {
    const indexedUntil = momentOf(momentOf(expiresAt) + AHEAD)
    const passed = Math.floor(this.#now()) - SLACK
    const lasts = Math.max(0, indexedUntil - passed)
    await this.#commands.run(
      HOLD,
      this.#prefix + digest,
      entryOf(id, tag),
      digits(indexedUntil),
      String(passed),
      String(lasts),
    )
    return { owner: { digest, tag }, indexedUntil }
  }

  /** Lets go of an entry in its own time: nobody waits for it, and nothing is wrong where it stays. */
  release(id: string, { digest, tag }: Owner): void {
    if (digest === NOBODY.digest || this.#releases >= MOST_RELEASES) return
    this.#releases++
    const done = () => {
      this.#releases--
    }
    this.#commands.send('ZREM', this.#prefix + digest, entryOf(id, tag)).then(done, done)
  }

  /** The ids of all sessions that may be the user's. */
  async ids(digest: string): Promise<string[]> {
    const entries = await this.#commands.send('ZRANGEBYSCORE', this.#prefix + digest, `(${this.#now()}`, '+inf')
    return [...new Set((entries as string[]).map(idIn))]
  }
}

function entryOf(id: string, tag: string): string {
  return Buffer.from(id, 'hex').toString('base64url') + tag
}

function idIn(entry: string): string {
  return Buffer.from(entry.slice(0, -TAG_LENGTH), 'base64url').toString('hex')
}

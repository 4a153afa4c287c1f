import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import { coalesce } from '../coalesce.ts'
import { dialectOf, fromBytes } from '../database/dialects.ts'
import { runOn } from '../database/run.ts'
import { checkTableName } from '../database/tables.ts'
import { OptionInvalid } from '../errors.ts'
import { checkClock, checkDuration, knownOptions } from '../options.ts'
import { Recent } from '../recent.ts'
import { identityOf } from '../users/backend.ts'
import type { User } from '../users/user.ts'
import { checkNewToken, type NewFeedToken } from './new-token.ts'
import { type FeedTokens, type FoundFeedToken, newFeedToken } from './tokens.ts'

/** Options of `sqlFeedTokens()`. */
export interface SqlFeedTokensOptions {
  /** The table, which `migrate(knex)` makes; `schema.table` is understood. @default 'feed_tokens' */
  table?: string | undefined
  /**
   * How long a statement may go without an answer of the server, in milliseconds, until its connection is given up for another one. SQLite is
   * waited for. @default 5,000
   */
  timeout?: number | undefined
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: (() => number) | undefined
}

/** A token, as its owner may see it again: without its text. */
export interface FeedToken {
  readonly id: string
  readonly name: string
  readonly feeds: readonly string[] | null
  readonly createdAt: Date
  /** When a feed was read with it last, to the minute; null: never. */
  readonly lastUsedAt: Date | null
}

/** Feed tokens in an SQL table, and the way to manage them. What fails in the database rejects with its error. */
export interface SqlFeedTokens extends FeedTokens {
  /**
   * Makes a token for this user, whose backend must be able to load them by id. Its text is in this answer and nowhere else: the table has a hash.
   * @throws FeedTokenInvalid with a message for each field that is wrong
   * @throws OptionInvalid for a field that is unknown, and for somebody without a key
   */
  create(owner: FeedTokenOwner, token: NewFeedToken): Promise<FeedToken & { readonly token: string }>
  /** The user's tokens, the newest first. */
  list(owner: FeedTokenOwner): Promise<FeedToken[]>
  /** Ends one of the user's own tokens, from the next poll on; false where they have none with this id. */
  revoke(owner: FeedTokenOwner, id: string): Promise<boolean>
  /** Ends all of the user's tokens, as before they are deleted, and answers how many there were. */
  revokeAll(owner: FeedTokenOwner): Promise<number>
}

/** Whose tokens they are. */
export type FeedTokenOwner = Pick<User, 'key'>

/** How exactly the last use is kept, in milliseconds: not each poll is worth a statement. */
const USE_PRECISION = 60_000
/** Of how many tokens a process remembers the last use, which it has read with them or has noted. */
const MOST_USES = 10_000

interface Row {
  readonly id: number | string | bigint
  readonly token_hash: string | Uint8Array
  readonly user_key: string | Uint8Array
  readonly name: string
  readonly feeds: string | null
  readonly created_at: number | string | bigint
  readonly last_used_at: number | string | bigint | null
}

/**
 * Feed tokens in the table that `migrate(knex)` makes, in SQLite, MariaDB or PostgreSQL. A token holds until it is revoked, or its owner is
 * deactivated or gone; a new password leaves it. It opens nothing: the knex instance stays yours to destroy. A transaction may be handed in: then
 * each call is a part of it.
 * @throws OptionInvalid naming the option that is wrong
 */
export function sqlFeedTokens(knex: Knex, options: SqlFeedTokensOptions = {}): SqlFeedTokens {
  const where = 'sqlFeedTokens()'
  const { toBytes } = dialectOf(where, knex)
  knownOptions(where, options, ['table', 'timeout', 'now'])
  const { table = 'feed_tokens', timeout = 5_000, now = Date.now } = options
  checkTableName(where, table, 'feed_tokens')
  checkDuration(where, 'timeout', timeout)
  checkClock(where, now)
  const run = runOn(where, knex, timeout)
  const of = (owner: FeedTokenOwner) => knex<Row>(table).where({ user_key: toBytes(keyOf(owner)) })
  const lastUses = new Recent<number>(MOST_USES)

  const findMany = async (hashes: string[]): Promise<(FoundFeedToken | null)[]> => {
    const rows = await run(() =>
      knex<Row>(table).whereIn('token_hash', hashes).select('id', 'token_hash', 'user_key', 'feeds', 'last_used_at'),
    )
    for (const { id, last_used_at } of rows) lastUses.set(String(id), Number(last_used_at ?? -Infinity))
    const found = new Map(rows.map(row => [fromBytes(row.token_hash), foundToken(row)]))
    return hashes.map(hash => found.get(hash) ?? null)
  }
  const find = coalesce(findMany, hash => hash)

  return {
    find: token => find(hashOf(token)),
    async noteUse(id) {
      const moment = now()
      if ((lastUses.get(id) ?? -Infinity) > moment - USE_PRECISION) return
      lastUses.set(id, moment)
      await run(() =>
        knex<Row>(table)
          .where({ id })
          .where(query => query.whereNull('last_used_at').orWhere('last_used_at', '<=', moment - USE_PRECISION))
          .update({ last_used_at: moment }),
      )
    },
    async create(owner, given) {
      const { name, feeds } = checkNewToken(given)
      const token = newFeedToken()
      const createdAt = now()
      const row = {
        token_hash: hashOf(token),
        user_key: toBytes(keyOf(owner)),
        name,
        feeds: feeds && JSON.stringify(feeds),
        created_at: createdAt,
      }
      await run(() => knex(table).insert(row))
      const [{ id }] = (await run(() => knex<Row>(table).where({ token_hash: row.token_hash }).select('id'))) as [Row]
      return { token, id: String(id), name, feeds, createdAt: new Date(createdAt), lastUsedAt: null }
    },
    async list(owner) {
      const rows = await run(() => of(owner).orderBy('id', 'desc').select('*'))
      return rows.map(listedToken)
    },
    async revoke(owner, id) {
      return isId(id) && (await run(() => of(owner).where({ id }).del())) > 0
    },
    revokeAll: owner => run(() => of(owner).del()),
  }
}

function keyOf(owner: FeedTokenOwner): string {
  if (typeof owner?.key === 'string' && identityOf(owner.key)) return owner.key
  throw new OptionInvalid('sqlFeedTokens()', 'owner', 'must be a user with a key: anonymous users have no tokens.')
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** What the database gives as ids. */
function isId(id: unknown): boolean {
  return typeof id === 'string' && /^[1-9]\d{0,17}$/.test(id)
}

/** Null where other hands stored a key that is nobody's. */
function foundToken({ id, user_key, feeds }: Pick<Row, 'id' | 'user_key' | 'feeds'>): FoundFeedToken | null {
  const user = identityOf(fromBytes(user_key))
  return user && { id: String(id), user, feeds: feedsOf(feeds) }
}

function listedToken({ id, name, feeds, created_at, last_used_at }: Row): FeedToken {
  return {
    id: String(id),
    name,
    feeds: feedsOf(feeds),
    createdAt: new Date(Number(created_at)),
    lastUsedAt: last_used_at === null ? null : new Date(Number(last_used_at)),
  }
}

/** What is stored there and is no list, by other hands, stands for no feed at all. */
function feedsOf(stored: string | null): string[] | null {
  if (stored === null) return null
  try {
    const feeds: unknown = JSON.parse(stored)
    return Array.isArray(feeds) ? feeds : []
  } catch {
    return []
  }
}

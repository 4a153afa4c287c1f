import type { Knex } from 'knex'
import { type FeedToken, type FeedTokenOwner, type NewFeedToken, sqlFeedTokens } from 'koa-strata/sql'

/** How many tokens somebody may have. */
export const MOST_TOKENS = 20

/**
 * Makes a token; null for an owner who has as many as they may, however many of these forms arrive at once.
 * @param now the clock, in epoch milliseconds
 */
export async function makeToken(
  database: Knex,
  owner: FeedTokenOwner,
  token: NewFeedToken,
  now: () => number,
): Promise<(FeedToken & { readonly token: string }) | null> {
  return database.transaction(async trx => {
    const tokens = sqlFeedTokens(trx, { now })
    return (await tokens.list(owner)).length < MOST_TOKENS ? tokens.create(owner, token) : null
  })
}

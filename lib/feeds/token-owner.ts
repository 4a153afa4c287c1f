import { BackendInvalid, FeedTokenOutOfScope, OptionInvalid } from '../errors.ts'
import { publish } from '../events.ts'
import { checkMethods, checkOptionalFunction } from '../options.ts'
import { backendFailure } from '../users/backend.ts'
import { canonicalForm } from '../users/canonical.ts'
import type { Identification } from '../users/request-user.ts'
import type { AuthenticatedUser } from '../users/user.ts'
import { type FeedTokens, type FoundFeedToken, isFeedName, isFeedToken } from './tokens.ts'

/** What feed tokens are called where they fail. */
const BACKEND = 'feedTokens'

/** A token that somebody shows. */
export interface ShownToken {
  readonly token: string
  /** Whose it is said to be, where that is said. */
  readonly name: string | undefined
  /** The feed that is to be opened by it; undefined for one without a name. */
  readonly feed: string | undefined
}

/**
 * Whose token it is, with the use of it noted; null where it is nobody's, or its owner may not log in.
 * @throws BackendUnavailable where that cannot be found out
 * @throws BackendInvalid where `tokens` answers what is no token
 */
export async function ownerOf(
  { token, name, feed }: ShownToken,
  tokens: FeedTokens,
  by: Identification,
): Promise<AuthenticatedUser | FeedTokenOutOfScope | null> {
  if (!isFeedToken(token)) return null
  const found = await find(tokens, token)
  const owner = found && (await by.find(found.user))
  if (!found || !owner || (name !== undefined && !goesBy(owner, name))) return null
  const { feeds } = found
  if (feeds !== null && (feed === undefined || !feeds.includes(feed))) return new FeedTokenOutOfScope()
  try {
    await tokens.noteUse?.(found.id)
  } catch (error) {
    publish('koa-strata:backend-error', { backend: BACKEND, error })
  }
  return owner
}

async function find(tokens: FeedTokens, token: string): Promise<FoundFeedToken | null> {
  let found: FoundFeedToken | null
  try {
    found = await tokens.find(token)
  } catch (error) {
    throw backendFailure(BACKEND, error)
  }
  // Text in place of a list would be searched for parts of itself.
  if (found && !(found.user && (found.feeds === null || Array.isArray(found.feeds))))
    throw new BackendInvalid(
      BACKEND,
      'answered what is no token: it needs id, user and feeds, a list of names or null.',
    )
  return found
}

/** @throws OptionInvalid in the name of `where` */
export function checkFeed(where: string, tokens: unknown, feed: unknown): void {
  if (tokens !== undefined) {
    checkMethods(where, 'tokens', tokens, ['find'])
    checkOptionalFunction(where, 'tokens.noteUse', (tokens as FeedTokens).noteUse)
  }
  if (feed !== undefined && !isFeedName(feed))
    throw new OptionInvalid(where, 'feed', "must be 1 to 64 letters, digits, '.', '-' and '_', as 'openings'.")
  if (feed !== undefined && tokens === undefined)
    throw new OptionInvalid(where, 'feed', 'says for which tokens a feed is, and there are no tokens.')
}

function goesBy({ username, email }: AuthenticatedUser, name: string): boolean {
  const shown = canonicalForm(name)
  return [username, email].some(own => own !== null && canonicalForm(own) === shown)
}

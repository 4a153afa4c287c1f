import { NAME_LENGTH } from '../database/tables.ts'
import { FeedTokenInvalid } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { isName } from '../users/sql/names.ts'
import { isFeedName } from './tokens.ts'

/** What its owner chooses of a new token. */
export interface NewFeedToken {
  /** What they call it, as the reader that it is for: 1 to 150 characters. */
  name: string
  /** The feeds that it is for, by the names that their routes give as `feed`; null: all. @default null */
  feeds?: readonly string[] | null | undefined
}

const MOST_FEEDS = 100

/**
 * What is made of it.
 * @throws FeedTokenInvalid with a message for each field that is wrong, OptionInvalid for one that is unknown
 */
export function checkNewToken(given: NewFeedToken): { name: string; feeds: readonly string[] | null } {
  // A misspelt 'feeds' would be a token for all of them.
  knownOptions('sqlFeedTokens().create()', given, ['name', 'feeds'])
  const { name, feeds = null } = given
  const problems: Record<string, string> = {}
  if (!isName(name, NAME_LENGTH)) problems.name = `Please give it a name of 1 to ${NAME_LENGTH} characters.`
  const areFeeds =
    feeds === null ||
    (Array.isArray(feeds) && feeds.length > 0 && feeds.length <= MOST_FEEDS && [...feeds].every(isFeedName))
  if (!areFeeds) problems.feeds = 'Please choose at least one of the feeds.'
  if (Object.keys(problems).length > 0) throw new FeedTokenInvalid(problems)
  return { name, feeds: feeds && [...new Set(feeds)] }
}

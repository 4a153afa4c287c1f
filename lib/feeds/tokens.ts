import { randomBytes } from 'node:crypto'

/** A feed token that there is. */
export interface FoundFeedToken {
  readonly id: string
  /** Whose it is: the name of their backend, and their id there. */
  readonly user: { readonly backend: string; readonly id: string }
  /** The names of the feeds that it is for; null: all of them. */
  readonly feeds: readonly string[] | null
}

/**
 * A place that knows feed tokens, which stand for their owner at feeds and nowhere else: `feed_` and 43 characters of base64url, which are 256
 * random bits. Both methods may be called concurrently, and reject when it cannot answer.
 */
export interface FeedTokens {
  /** The token with this text, or null where there is none any more. */
  find(token: string): Promise<FoundFeedToken | null>
  /** Notes that a feed was read with the token, now. A failure is told by an event, and fails no poll. */
  noteUse?(id: string): Promise<void>
}

const TOKEN = /^feed_[\w-]{43}$/

/** Whether a text has the form of a feed token. Such a text is never taken for a password. */
export function isFeedToken(text: string): boolean {
  return TOKEN.test(text)
}

/** Whether a feed can be called so. */
export function isFeedName(name: unknown): name is string {
  return typeof name === 'string' && /^[\w.-]{1,64}$/.test(name)
}

/** The text of a new feed token. */
export function newFeedToken(): string {
  return `feed_${randomBytes(32).toString('base64url')}`
}

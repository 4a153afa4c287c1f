import type { AtEnd, Credentials } from '../../../recipes/job-board/test-board.ts'
import type { Witness } from './witness.ts'

/** A kind of feed reader, with one of the ways in which people configure it. */
export interface FeedReader {
  readonly name: string
  /** Where its user writes the name and the password. */
  readonly secret: string
  /** Has one of these follow a feed, and nothing else. */
  subscribe(feed: PrivateFeed, place: Place): Promise<Follower>
}

/** A feed, and who reads it. */
export interface PrivateFeed extends Credentials {
  readonly address: string
}

/** What a reader is started in. */
export interface Place {
  /** A HOME of its own. It is there before the reader, and goes after it. */
  readonly home: string
  /** What sees the requests for the feed. */
  readonly witness: Witness
  readonly atEnd: AtEnd
}

/** A reader that follows a feed. */
export interface Follower {
  /** Asks for the feed once, whatever the answer. */
  poll(): Promise<unknown>
  /** The titles of the entries that it has, or shows. */
  titles(): Promise<string[]>
}

/** The environment of a program that knows nobody else's configuration. */
export function environmentOf({ home }: Place): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' }
}

/** The address of a feed with the name and the password in it, percent-encoded. */
export function addressWithSecret({ address, username, password }: PrivateFeed): string {
  const url = new URL(address)
  url.username = encodeURIComponent(username)
  url.password = encodeURIComponent(password)
  return url.href
}

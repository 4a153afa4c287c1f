import type { SessionContent } from './content.ts'
import type { SessionData } from './store.ts'

/** Makes the data to store from what is stored by now (null: nothing yet). May be called again when others stored in between. */
export type Draft = (stored: SessionData | null) => SessionData

/**
 * How one request's session travels between requests: by an id whose data a store keeps, or whole in the cookie. A carrier is made for one
 * request, keeps what it loaded, and answers for the cookie.
 */
export interface Carrier {
  /** Whether `end()` ends the session for every holder of its cookie, or only asks this browser to forget it. */
  readonly endsOnServer: boolean
  /** What a store calls this session; null while there is none, or no store. */
  readonly storeId: string | null
  /** Whether the session that was loaded has not ended meanwhile, as far as can be told. */
  isLive(): Promise<boolean>
  /** What the request's cookie leads to, or null. */
  load(): Promise<SessionContent | null>
  /** Stores what `draft` makes and answers it; null, and nothing is stored, where the session has ended meanwhile. */
  save(draft: Draft): Promise<SessionData | null>
  /**
   * Stores what `draft` makes under a new id and ends the session under the old one. Where that has ended already: null and nothing stored,
   * unless `afresh`, which is for somebody who has just proved who they are.
   */
  renew(draft: Draft, afresh: boolean): Promise<SessionData | null>
  /** Ends the session and clears the cookie. Afterwards `save` begins a new one. */
  end(): Promise<void>
  /** Ends a session whose login no longer holds. Afterwards `save` stores nothing, and no cookie is sent: a newer one may be on its way. */
  expel(): Promise<void>
  /** Forgets for this request what it loaded, and leaves what is stored alone. */
  forget(): void
}

import type { SessionCookie } from './cookie.ts'
import type { DataForm, IdForm } from './forms.ts'
import type { Signer } from './signature.ts'
import type { SessionData, SessionStore } from './store.ts'

/** Where another framework keeps its sessions: by id in a store, or whole in the cookie. */
export type ForeignKeeping =
  | { readonly store: SessionStore; readonly ids: IdForm }
  | { readonly store: null; readonly contents: DataForm; readonly epochs: SessionStore | undefined }

/** What sharing the sessions of another framework takes. */
export interface ForeignParts {
  /** Who asked for it, for messages: 'djangoSessions()'. */
  readonly where: string
  readonly keeping: ForeignKeeping
  /** The cookie, exactly as the framework sets it. */
  readonly cookie: SessionCookie
  /** Signs what is ours alone beside the session, as the device cookie. */
  readonly signer: Signer
  /** The backend of the users whom the framework logs in too: what binds a session to one of them is the framework's, and nothing is added to it. */
  readonly backend: string
  /** How long a session lasts after it was stored, in milliseconds, where nothing else is said. */
  readonly age: number
  /** Whether requests that change nothing move its end on, and the cookie's. */
  readonly slides: boolean
  /** How long a session with this data lasts that is stored now, in milliseconds; null: until the browser is closed, and for `age` at most. */
  lasts(data: SessionData, now: number): number | null
}

/**
 * Sessions that another framework keeps as well, in its own form: its cookie, its ids, its data. It goes on reading and writing them, so what this
 * library cannot read, or whose login it thinks is void, it leaves as it is: the mistake may be its own.
 */
export class ForeignSessions {
  readonly parts: ForeignParts

  constructor(parts: ForeignParts) {
    this.parts = parts
  }
}

import { SessionsNotListable } from '../errors.ts'
import { parseContent } from '../sessions/content.ts'
import { endStoredSession } from '../sessions/ending.ts'
import type { SessionAccess } from '../sessions/layer.ts'

/** One of a user's sessions, for the user to see. */
export interface ListedSession {
  /** Tells sessions apart; it logs nobody in. */
  readonly id: string
  /** When somebody logged in. */
  readonly createdAt: Date
  /** When it was last used, to the minute. */
  readonly lastSeenAt: Date
  /** Whether it is the one of this request. */
  readonly isCurrent: boolean
  /** Ends it. @throws SessionStoreUnavailable where that could not be done */
  end(): Promise<void>
}

/**
 * The sessions bound to this stamp that the user with this key is logged in by now, the last used first. `logout` ends the one of this request.
 * @throws SessionsNotListable where the store cannot list
 */
export async function listSessions(
  { live, setting }: SessionAccess,
  userKey: string,
  stamp: string,
  logout: () => Promise<void>,
): Promise<ListedSession[]> {
  const { store, now, idleTimeout, absoluteTimeout } = setting
  if (!store?.list) throw new SessionsNotListable()
  const listed: ListedSession[] = []
  for (const { id, data, expiresAt } of await store.list(userKey)) {
    const content = parseContent(data)
    if (typeof content === 'string' || content.login?.stamp !== stamp || content.created + absoluteTimeout <= now())
      continue
    const isCurrent = () => id === live.carrier.storeId
    listed.push({
      id,
      createdAt: new Date(content.created),
      lastSeenAt: new Date(expiresAt - idleTimeout),
      isCurrent: isCurrent(),
      end: async () => {
        if (isCurrent()) await logout()
        else await endStoredSession(store, now, id)
      },
    })
  }
  return listed.sort((one, other) => other.lastSeenAt.getTime() - one.lastSeenAt.getTime())
}

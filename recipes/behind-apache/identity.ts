import { type ContextOf, detachedUsers, type SigningKey, type StateOf, sessions, stack, users } from 'koa-strata'
import { remoteUser, remoteUsers } from 'koa-strata/sharing'
import { fileStore } from 'koa-strata/stores/file'
import { PREFIX } from './address.ts'

/** Where Apache connects from. */
export const PROXY = '127.0.0.1'

/** Who logs in by the form. */
export const MEMBERS: Readonly<Record<string, string>> = { ada: 'ada-demo-password' }

/**
 * Who is there: members by the form, and the staff by Apache, which asks for their passwords below /staff and nowhere else.
 * @param deadline how long a call of the session store may take before it is 503, in milliseconds
 */
export function createIdentity(directory: string, keys: readonly SigningKey[], deadline?: number) {
  return stack(
    // In a directory that all processes share. The cookie is for this app alone, beside others on the same host, and for https alone.
    sessions({ store: fileStore(directory), keys, deadline, cookie: { path: PREFIX, secure: true } }),
    users({
      backends: [
        detachedUsers({
          name: 'members',
          authenticate: async ({ username = '', password }) =>
            Object.hasOwn(MEMBERS, username) && MEMBERS[username] === password ? { id: username } : null,
        }),
        remoteUsers({ permissions: () => ['drafts.read'] }),
      ],
    }),
    // The staff stay logged in where Apache does not say who it is.
    remoteUser({ trust: [PROXY], persistent: true }),
  )
}

export type BoardState = StateOf<ReturnType<typeof createIdentity>>
export type BoardContext = ContextOf<ReturnType<typeof createIdentity>>

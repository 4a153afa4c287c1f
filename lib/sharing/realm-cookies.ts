import { descriptionsWithin } from '../described.ts'
import { OptionInvalid } from '../errors.ts'
import { bareCookieName } from '../sessions/cookie.ts'
import type { SessionsDescription } from '../sessions/layer.ts'
import { deviceCookieBeside } from '../users/throttle/device-cookie.ts'

/**
 * Refuses realms of which two would set a cookie of one name: the session's, or the one beside it by which accounts know a browser. Another path or
 * domain is no help: browsers send both where they overlap. A layer of sessions that realms share is one cookie on purpose.
 * @throws OptionInvalid naming `where`, the realms and the cookie
 */
export function checkRealmCookies(where: string, realms: readonly { name: string; stack: unknown }[]): void {
  const takers = new Map<string, { realm: string; sessions: SessionsDescription }>()
  for (const { name: realm, stack } of realms) {
    for (const sessions of descriptionsWithin<SessionsDescription>('sessions()', stack)) {
      for (const { name } of [sessions.cookie, deviceCookieBeside(sessions.cookie)]) {
        // In development there is no prefix to tell them apart.
        const bare = bareCookieName(name)
        const other = takers.get(bare)
        if (other && other.realm !== realm && other.sessions !== sessions)
          throw new OptionInvalid(
            where,
            `${realm}.stack`,
            `sets the cookie '${bare}' as '${other.realm}' does: whoever logs in to one would be logged out of the other. ` +
              `Give one a name of its own, as sessions({ cookie: { name: '${realm}' } }).`,
          )
        if (!other) takers.set(bare, { realm, sessions })
      }
    }
  }
}

import { channel } from 'node:diagnostics_channel'

/**
 * What the library tells the outside, on the channels of `node:diagnostics_channel`. No message holds a password, a session id, a cookie or
 * an Authorization header; text has its control characters escaped. `user` is a user's key, `<backend>:<id>`; the name that somebody typed is
 * not told, since people type passwords there. `ip` is `ctx.ip`. An `error` is what was thrown, as it was: databases that the library asks are
 * quoted without what they were handed, but errors of other drivers, and of an application's own backends, may hold anything. A listener runs
 * before the request goes on; one that throws is an uncaught exception of the process.
 */
export interface StrataEvents {
  /** Somebody logged in, and has a session. HTTP Basic without `remember` is no login. */
  'koa-strata:login': { user: string; ip: string }
  /** Somebody logged out; `everywhere` where all their sessions ended, or all but this one, by whoever did it: `ip` is of that request. */
  'koa-strata:logout': { user: string; ip: string; everywhere: boolean }
  /**
   * Somebody was refused, by every backend that was asked (`unknown`, null) or by the one named, which does not know whom a proxy named
   * (`unknown`), let nobody else be asked (`denied`) or has locked them out (`inactive`; many backends call them unknown). An empty field is
   * no attempt and not told. A feed token that opens nothing is `unknown` too. Polls at once with the same credentials are one attempt.
   */
  'koa-strata:login-failed': { reason: 'unknown' | 'denied' | 'inactive'; backend: string | null; ip: string }
  /** A login was not looked at, since too many had failed: for the account, from the network, or for the account from this very client. */
  'koa-strata:throttled': { limit: 'account' | 'network' | 'client'; ip: string }
  /** Failed logins could not be counted where all processes do, and were counted by this process alone. */
  'koa-strata:throttle-error': { error: unknown }
  /** A session cookie led to no session, or the login in it no longer holds: then `user` is who was logged in. */
  'koa-strata:session-gone': { reason: SessionGone; user: string | null; ip: string }
  /** A call of the session store, or a sweep, failed or missed its deadline. */
  'koa-strata:store-error': { operation: string; error: unknown }
  /**
   * A user backend, a profile source (`profiles.<kind>`) or the place of feed tokens (`feedTokens`) failed, was too busy or too late, or could not note
   * a login or a use.
   */
  'koa-strata:backend-error': { backend: string; error: unknown }
  /** The cookie's Domain does not cover the host that was asked, so browsers will refuse it. */
  'koa-strata:cookie-domain': { domain: string; host: string }
}

/** Why a session is gone. */
export type SessionGone =
  | 'bad-cookie'
  | 'duplicate-cookie'
  | 'absent'
  | 'ended'
  | 'corrupt'
  | 'absolute-timeout'
  | 'stamp-changed'
  | 'user-gone'
  | 'user-inactive'
  | 'backend-gone'

const channels = new Map<string, ReturnType<typeof channel>>()

/** Publishes on the channel named, at no cost where nobody listens. */
export function publish<Name extends keyof StrataEvents>(name: Name, message: StrataEvents[Name]): void {
  let found = channels.get(name)
  if (!found) {
    found = channel(name)
    channels.set(name, found)
  }
  if (found.hasSubscribers) found.publish(escapeControls(message))
}

/** The same, its text with control characters and line separators as `\u000a`. */
export function escapeControls<Message extends object>(message: Message): Message {
  const safe = Object.entries(message).map(([name, value]) => [
    name,
    typeof value === 'string'
      ? value.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, char => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`)
      : value,
  ])
  return Object.fromEntries(safe) as Message
}

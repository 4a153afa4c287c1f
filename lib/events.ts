import { channel } from 'node:diagnostics_channel'

/**
 * What the library tells the outside, on the channels of `node:diagnostics_channel`. No message holds a password, a session id, a cookie or
 * an Authorization header; text from a client has its control characters escaped.
 */
export interface StrataEvents {
  /** Somebody logged in. */
  'koa-strata:login': { user: string; ip: string }
  /** Somebody logged out; `everywhere` where all their sessions ended. */
  'koa-strata:logout': { user: string; ip: string; everywhere: boolean }
  /** Credentials were refused, by every backend or by the one named. */
  'koa-strata:login-failed': { reason: 'unknown' | 'denied' | 'inactive'; backend: string | null; ip: string }
  /** A login was not looked at, since too many had failed: for the account, from the network, or for the account from this very client. */
  'koa-strata:throttled': { limit: 'account' | 'network' | 'client'; ip: string }
  /** Failed logins could not be counted where all processes do, and were counted by this process alone. */
  'koa-strata:throttle-error': { error: unknown }
  /** A session cookie led to no session, or the login in it no longer holds. */
  'koa-strata:session-gone': { reason: SessionGone; user: string | null; ip: string }
  /** A call of the session store failed or missed its deadline. */
  'koa-strata:store-error': { operation: string; error: unknown }
  /** A user backend or a profile source (`profiles.<kind>`) failed. */
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

function escapeControls<Message extends object>(message: Message): Message {
  const safe = Object.entries(message).map(([name, value]) => [
    name,
    typeof value === 'string'
      ? value.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, char => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`)
      : value,
  ])
  return Object.fromEntries(safe) as Message
}

export * from './errors.ts'
export type { SessionGone, StrataEvents } from './events.ts'
export { type BasicAuthOptions, permissionOrBasicAuth, sessionOrBasicAuth } from './feeds/session-or-basic.ts'
export type { FeedTokens, FoundFeedToken } from './feeds/tokens.ts'
export { type HasProfile, requireProfile } from './profiles/guard.ts'
export { type ProfileContext, type ProfilesOptions, profiles } from './profiles/layer.ts'
export type { ProfiledUser, ProfileSource, ProfileState } from './profiles/profile.ts'
export type { CookieOptions } from './sessions/cookie.ts'
export type { Session } from './sessions/engine.ts'
export { type SessionContext, sessions } from './sessions/layer.ts'
export type { SessionChange } from './sessions/live-session.ts'
export type { SessionsOptions } from './sessions/options.ts'
export type { SigningKey } from './sessions/signature.ts'
export type { SessionData, SessionRecord, SessionStore } from './sessions/store.ts'
export { type CookieStore, type CookieStoreOptions, cookieStore } from './sessions/stores/cookie.ts'
export { type MemoryStoreOptions, memoryStore } from './sessions/stores/memory.ts'
export {
  type ContextOf,
  type InOrder,
  type Layer,
  type LayerOutOfOrder,
  type Stack,
  type StateOf,
  stack,
} from './stack.ts'
export type { StrataTraces } from './traces.ts'
export type { Credentials, UserBackend } from './users/backend.ts'
export { DetachedUser, type DetachedUserInit } from './users/detached.ts'
export { type DetachedIdentity, type DetachedUsersOptions, detachedUsers } from './users/detached-users.ts'
export { type GuardOptions, type LoggedIn, requireLogin, requirePermission } from './users/guards.ts'
export { type UserContext, type UserState, type UsersOptions, users } from './users/layer.ts'
export { nextPath } from './users/next-path.ts'
export { type SameOriginOptions, sameOrigin } from './users/same-origin.ts'
export type { ListedSession } from './users/session-list.ts'
export type { LoginLimit, ThrottleOptions } from './users/throttle/options.ts'
export type { SqlClient } from './users/throttle/sql.ts'
export { AnonymousUser, type AuthenticatedUser, type User } from './users/user.ts'

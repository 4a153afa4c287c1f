export { type MigrateOptions, migrate } from './database/migrations.ts'
export type { NewFeedToken } from './feeds/new-token.ts'
export {
  type FeedToken,
  type FeedTokenOwner,
  type SqlFeedTokens,
  type SqlFeedTokensOptions,
  sqlFeedTokens,
} from './feeds/sql-tokens.ts'
export { type ProfileOwner, type SqlProfiles, type SqlProfilesOptions, sqlProfiles } from './profiles/sql.ts'
export { canonicalForm } from './users/canonical.ts'
export type { PasswordPolicyOptions } from './users/password-policy.ts'
export type { NewUser } from './users/sql/accounts.ts'
export type { UserChanges } from './users/sql/changes.ts'
export type { UserColumns } from './users/sql/columns.ts'
export type { SqlGroup, SqlGroups } from './users/sql/groups.ts'
export type { AttachOptions, CarriedProfiles, Identity } from './users/sql/identities.ts'
export type { IdType } from './users/sql/ids.ts'
export type { PermissionSource } from './users/sql/permissions.ts'
export { SqlUser } from './users/sql/user.ts'
export {
  type MappedSqlUsers,
  type SqlUsers,
  type SqlUsersOptions,
  sqlUsers,
  type UserSearch,
} from './users/sql/users.ts'

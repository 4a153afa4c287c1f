import type { ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import { type BasicAuthOptions, type FeedTokens, permissionOrBasicAuth, sessionOrBasicAuth } from 'koa-strata'
import { type SqlFeedTokens, type SqlUsers, sqlFeedTokens, sqlUsers } from 'koa-strata/sql'
import { migratedSqlite } from '../database/sqlite.ts'
import type { TestApp } from '../sessions/app.ts'
import { startUsersApp, type UsersAppOptions, type UsersHandler } from '../users/app.ts'

/** The password of Ada, whom `tokenSite()` knows. */
export const PASSWORD = 'pässwörd☃ of Ada'

type Given = Partial<BasicAuthOptions>

export interface TokenSiteOptions extends UsersAppOptions {
  /** What each path is guarded with besides: the realm is 'Jobs'. @default '/feed', with the tokens of the site */
  feeds?: Record<string, Given>
  /** What only readers with the permission 'reports.read' are let in to. */
  reports?: Record<string, Given>
  /** Where the guards look for tokens. @default the table of the site's database */
  place?: (tokens: SqlFeedTokens) => FeedTokens
  /** What answers at each path. @default the user's name */
  handlers?: Record<string, UsersHandler>
}

export interface TokenSite extends TestApp {
  readonly people: SqlUsers
  readonly tokens: SqlFeedTokens
  /** Her name is 'Ada', her address 'ada@example.org'. */
  readonly ada: Awaited<ReturnType<SqlUsers['create']>>
  /** A new token of hers, for these feeds or all. */
  token(feeds?: string[]): Promise<string>
  /** The errors that Koa does not show to the client. */
  readonly hidden: Error[]
}

/** Serves feeds that are opened by tokens, in an SQLite with users of its own. */
export async function tokenSite(t: ExecutionContext, options: TokenSiteOptions = {}): Promise<TokenSite> {
  const { feeds = { '/feed': {} }, reports = {}, place = tokens => tokens, handlers, ...others } = options
  const knex = await migratedSqlite(t)
  const people = sqlUsers(knex)
  const tokens = sqlFeedTokens(knex)
  const ada = await people.create({ username: 'Ada', email: 'ada@example.org', password: PASSWORD })
  const given = { realm: 'Jobs', tokens: place(tokens) }
  const guards = new Map<string, Middleware>()
  for (const [path, more] of Object.entries(feeds))
    guards.set(path, sessionOrBasicAuth({ ...given, ...more }) as Middleware)
  for (const [path, more] of Object.entries(reports))
    guards.set(path, permissionOrBasicAuth('reports.read', { ...given, ...more }) as Middleware)
  const guarded: Middleware = (ctx, next) => guards.get(ctx.path)?.(ctx, next) ?? next()
  const answers = Object.fromEntries([...guards.keys()].map(path => [path, nameOf]))
  const app = await startUsersApp(t, {
    backends: [people],
    above: [guarded],
    handlers: { ...answers, ...handlers },
    ...others,
  })
  return Object.assign(app, {
    people,
    tokens,
    ada,
    token: async (limited?: string[]) => (await tokens.create(ada, { name: 'a reader', feeds: limited })).token,
    get hidden() {
      return app.errors.filter(error => !(error as Error & { expose?: boolean }).expose)
    },
  })
}

/** A feed with an ETag, and 304 for whoever has it. */
export const conditional: UsersHandler = ctx => {
  ctx.set('ETag', '"v1"')
  ctx.body = '<feed/>'
  if (ctx.fresh) {
    ctx.status = 304
    ctx.body = null
  }
}

const nameOf: UsersHandler = ({ state }) => state.user.username

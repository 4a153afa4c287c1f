import type { Knex } from 'knex'
import Koa from 'koa'
import { type SigningKey, sameOrigin } from 'koa-strata'
import { type SqlFeedTokens, type SqlUsers, sqlFeedTokens, sqlUsers } from 'koa-strata/sql'
import { type Board, createBoard } from './board/board.ts'
import { createIdentity } from './identity.ts'
import { PartnerDirectory, partnerUsers } from './partner.ts'
import { accountRoutes } from './routes/account.ts'
import { companyRoutes } from './routes/company.ts'
import { feedRoutes } from './routes/feeds.ts'
import { loginRoutes } from './routes/login.ts'
import { openingRoutes } from './routes/openings.ts'
import { profileRoutes } from './routes/profile.ts'
import { staffRoutes } from './routes/staff.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { serveAssets } from './web/assets.ts'
import { errorPages } from './web/error-pages.ts'
import { pageHeaders } from './web/headers.ts'

/** What a job board is made of. */
export interface JobBoardOptions {
  /** Opened by `openDatabase()` and prepared by `prepareDatabase()`. It stays yours to destroy. */
  database: Knex
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** What absolute links begin with, as `https://jobs.example.org`. */
  origin: string
  /** The partner's people. @default nobody */
  partners?: PartnerDirectory
  /** Whether the session cookie and passwords in headers go over https only. @default true where `origin` is https */
  secure?: boolean
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: () => number
}

/** A job board. */
export interface JobBoard {
  readonly app: Koa
  /** Manages the people who have a record. */
  readonly users: SqlUsers
  /** Manages what people's feed readers read with. */
  readonly tokens: SqlFeedTokens
  readonly board: Board
}

/** Composes the job board: a Koa app to listen with, its users and its data. */
export function createJobBoard(options: JobBoardOptions): JobBoard {
  const { database, keys, origin, partners = new PartnerDirectory([]), now = Date.now } = options
  const { secure = origin.startsWith('https:') } = options
  const users = sqlUsers(database, { name: 'sql', now })
  const tokens = sqlFeedTokens(database, { now })
  const board = createBoard(database, now)
  const identity = createIdentity({
    database,
    backends: [users, partnerUsers(partners)],
    sources: board.profiles.sources,
    keys,
    secure,
    now,
  })

  const app = new Koa()
  app.use(pageHeaders).use(errorPages).use(serveAssets).use(sameOrigin()).use(identity)
  const routers = [
    loginRoutes(board),
    profileRoutes(board),
    openingRoutes(board),
    companyRoutes(board),
    accountRoutes(),
    staffRoutes(board),
    feedRoutes(board, { origin, requireHttps: secure, tokens, now }),
    tokenRoutes({ database, tokens, origin, now }),
  ]
  for (const router of routers) app.use(router.routes())
  for (const router of routers) app.use(router.allowedMethods())
  return { app, users, tokens, board }
}

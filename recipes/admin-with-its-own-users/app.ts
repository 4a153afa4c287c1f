import { bodyParser } from '@koa/bodyparser'
import type { Knex } from 'knex'
import Koa from 'koa'
import { type SigningKey, sameOrigin } from 'koa-strata'
import { atPath, type Realm, realms } from 'koa-strata/sharing'
import { Articles } from './articles.ts'
import { desk } from './desk.ts'
import type { SharedLogin } from './identity.ts'
import type { Place } from './page.ts'
import { errorPages } from './show.ts'
import { SITE, site } from './site.ts'

/** What the magazine is made of. Both databases stay yours to destroy. */
export interface MagazineOptions {
  /** The application whose users the readers are: its database, keys and cookie domain. */
  publisher: SharedLogin
  /** The magazine's own, with the tables that `migrate(knex)` and `Articles` make: editors, their sessions, articles. */
  database: Knex
  /** Keys of 32 bytes or more that sign the editors' cookie, and no other application has. */
  keys: readonly SigningKey[]
  /** Where the editors' pages are. @default below /admin */
  admin?: { match: Realm['match']; prefix: string }
}

/** Composes the magazine: readers whom another application knows, and pages for editors whom only this one knows. */
export function createMagazine(options: MagazineOptions): Koa {
  const { publisher, database, keys, admin = { match: atPath('/admin'), prefix: '/admin' } } = options
  const articles = new Articles(database)
  const place: Place = { name: 'Tideline desk', prefix: admin.prefix }

  const app = new Koa()
  app
    .use(errorPages(ctx => (ctx.realm === 'admin' ? place : SITE)))
    .use(sameOrigin())
    .use(bodyParser())
    .use(
      realms({
        admin: { match: admin.match, stack: desk(database, keys, articles, place) },
        site: { stack: site(publisher, articles) },
      }),
    )
  return app
}

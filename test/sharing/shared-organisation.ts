import type { Knex } from 'knex'
import { sqlUsers } from 'koa-strata/sql'
import { migratedDatabase } from '../database/servers.ts'
import { openSqlite, sqliteFile } from '../database/sqlite.ts'
import type { Owner } from '../servers/owner.ts'
import { KEY } from '../sessions/app.ts'
import { makePlace, type Place } from '../users/detached-places.ts'
import { type ApplicationSetting, PASSWORD } from './shared-app.ts'
import type { ServingProcess } from './shared-processes.ts'
import type { Site } from './shared-visitor.ts'

/** Where the sessions of several applications can be. */
export const PLACES = ['file', 'redis (node-redis)', 'mariadb'] as const

/** An organisation with users and sessions, which each of its applications can be told of. */
export interface Organisation {
  readonly place: Place
  /** The database of its users. */
  readonly people: Knex
  /** What an application of it is started with. */
  setting(name: ApplicationSetting['name'], more?: Partial<ApplicationSetting>): ApplicationSetting
  /** A user of the database, who can log in everywhere. */
  hire(username: string): Promise<{ id: string; key: string }>
  /** The databases of the applications' own. */
  readonly own: Readonly<Record<ApplicationSetting['name'], Knex>>
}

/** @param kind where its sessions are */
export async function foundOrganisation(owner: Owner, kind: string): Promise<Organisation> {
  const place = await makePlace(owner, kind)
  const { knex: people, config } = await migratedDatabase(owner, kind === 'mariadb' ? 'mariadb' : 'sqlite')
  const databaseOf = async (name: string, column: string) => {
    const filename = await sqliteFile(owner)
    const knex = openSqlite(owner, filename)
    await knex.schema.createTable(name, table => {
      table.string('user_key').primary()
      table.string(column)
    })
    return { knex, config: { client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true } }
  }
  const databases = { shop: await databaseOf('shop', 'town'), forum: await databaseOf('forum', 'motto') }
  return {
    place,
    people,
    own: { shop: databases.shop.knex, forum: databases.forum.knex },
    setting: (name, more) => ({ name, own: databases[name].config, people: config, place, keys: [KEY], ...more }),
    hire: username => sqlUsers(people).create({ username, password: PASSWORD }),
  }
}

/** The shop in two processes, and the forum in a third. */
export interface Applications {
  readonly shop: Site
  readonly shopToo: Site
  readonly forum: Site
  readonly all: readonly Site[]
}

/** Starts them. @param more what all of them are started with besides */
export async function startApplications(
  { setting }: Organisation,
  [one, two, three]: readonly ServingProcess[],
  more: Partial<ApplicationSetting> = {},
): Promise<Applications> {
  const [shop, shopToo, forum] = await Promise.all([
    one!.serve(setting('shop', more)),
    two!.serve(setting('shop', more)),
    three!.serve(setting('forum', more)),
  ])
  return {
    shop: { port: shop },
    shopToo: { port: shopToo },
    forum: { port: forum },
    all: [shop, shopToo, forum].map(port => ({ port })),
  }
}

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knexFactory, { type Knex } from 'knex'
import { migrate, sqlUsers } from 'koa-strata/sql'
import type { Owner } from '../../test/servers/owner.ts'
import type { MagazineOptions } from './app.ts'
import { Articles } from './articles.ts'

/** Readers, whom the publisher knows, with their passwords. */
export const READERS: Readonly<Record<string, string>> = {
  ada: 'ada reads at high tide',
  ines: 'ines reads at low tide',
}
/** Editors, whom the magazine alone knows. One of them has a reader's name, and is somebody else. */
export const EDITORS: Readonly<Record<string, string>> = {
  ada: 'ada edits in the morning',
  grace: 'grace edits at night',
}

/** What both applications are made with: a file of SQLite for each of the two databases, with people and articles, until the owner ends. */
export async function openExample(owner: Owner): Promise<MagazineOptions> {
  const folder = await mkdtemp(join(tmpdir(), 'magazine-'))
  owner.teardown(() => rm(folder, { recursive: true, force: true }))
  const [shared, own] = [openFile(owner, join(folder, 'publisher.db')), openFile(owner, join(folder, 'magazine.db'))]
  await Promise.all([migrate(shared), migrate(own)])
  await Promise.all([addPeople(shared, READERS), addPeople(own, EDITORS)])
  const articles = new Articles(own)
  await articles.createTable()
  for (const article of ARTICLES) await articles.add(article)
  return { publisher: { database: shared, keys: [randomBytes(32)] }, database: own, keys: [randomBytes(32)] }
}

function openFile(owner: Owner, filename: string): Knex {
  const database = knexFactory({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true })
  owner.teardown(() => database.destroy())
  return database
}

async function addPeople(database: Knex, people: Readonly<Record<string, string>>): Promise<void> {
  const accounts = sqlUsers(database)
  for (const [username, password] of Object.entries(people)) await accounts.create({ username, password })
}

const ARTICLES = [
  {
    title: 'The harbour that moved',
    text: 'Twice a day the water leaves, and once in a century it does not come back to where it was.',
    isPublished: true,
  },
  {
    title: 'What the pilot knows',
    text: 'Every bar has a voice. She has listened to this one for thirty winters & would not trade it.',
    isPublished: true,
  },
  {
    title: 'Lamps & lenses',
    text: 'A light is seen as far as its glass is clean: notes from a keeper’s shed.',
    isPublished: false,
  },
]

import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { loginAs } from 'koa-strata/testing'
import { createJobBoard, type JobBoard } from './app.ts'
import { openDatabase, prepareDatabase } from './board/database.ts'
import { PartnerDirectory } from './partner.ts'
import { type demoAccounts, partnerPeople, seed } from './seed.ts'

/** What runs when a test, or a file of tests, ends. */
export type AtEnd = (end: () => unknown) => void

/** A job board that listens, on a seeded database of its own. */
export interface TestBoard extends JobBoard {
  readonly origin: string
  readonly database: Knex
  readonly partners: PartnerDirectory
  /** What it listens by, for a test that looks at its requests. */
  readonly server: Server
  /** What the app told its 'error' event: mistakes that were answered with 5xx. */
  readonly errors: unknown[]
}

/** A directory that goes when the test ends. */
export async function temporaryDirectory(atEnd: AtEnd): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'job-board-'))
  atEnd(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Makes the file of a database with people and openings in it. */
async function makeSeeded(file: string, now?: () => number): Promise<void> {
  const database = openDatabase(file)
  await prepareDatabase(database)
  await seed(database, now)
  await database.destroy()
}

/** What such a file holds: made once for all boards of a process that have no clock of their own. */
let seeded: Promise<Buffer> | undefined

async function seededBytes(): Promise<Buffer> {
  const ends: (() => unknown)[] = []
  const file = join(await temporaryDirectory(end => ends.push(end)), 'job-board.sqlite')
  await makeSeeded(file)
  const bytes = await readFile(file)
  for (const end of ends) await end()
  return bytes
}

/** Starts the very app of this recipe on a free port. */
export async function startBoard(atEnd: AtEnd, now?: () => number): Promise<TestBoard> {
  const file = join(await temporaryDirectory(atEnd), 'job-board.sqlite')
  if (now) await makeSeeded(file, now)
  else {
    seeded ??= seededBytes()
    await writeFile(file, await seeded)
  }
  const database = openDatabase(file)
  atEnd(() => database.destroy())
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.close()
    server.closeAllConnections()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const partners = new PartnerDirectory(partnerPeople)
  const board = createJobBoard({ database, keys: ['k'.repeat(32)], origin, partners, now })
  const errors: unknown[] = []
  board.app.on('error', error => errors.push(error))
  server.on('request', board.app.callback())
  return { ...board, origin, database, partners, server, errors }
}

/** A name and a password. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** The header of HTTP Basic for somebody. */
export function basic({ username, password }: Credentials): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** Somebody with a browser of their own: keeps the cookie, follows nothing by itself. */
export class Visitor {
  readonly #origin: string
  /** The session cookie, as it is sent. */
  cookie = ''

  constructor({ origin }: { origin: string }) {
    this.#origin = origin
  }

  /** Somebody who has logged in by the form. */
  static async loggedIn(board: { origin: string }, { username, password }: Credentials): Promise<Visitor> {
    const visitor = new Visitor(board)
    const response = await visitor.post('/login', { username, password })
    if (response.status !== 303) throw new Error(`${username} could not log in: ${response.status}`)
    return visitor
  }

  /** Somebody with a record, logged in without a password. */
  static async of(board: TestBoard, username: keyof typeof demoAccounts): Promise<Visitor> {
    const visitor = new Visitor(board)
    visitor.cookie = await loginAs(board.app, (await board.users.find({ username }))!)
    return visitor
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.send(path, { headers })
  }

  /** The text of a page. */
  async page(path: string): Promise<string> {
    const response = await this.get(path)
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
    return response.text()
  }

  /** Sends a form, as a browser does. */
  async post(path: string, fields: Record<string, string> = {}): Promise<Response> {
    return this.send(path, { method: 'POST', body: new URLSearchParams(fields), headers: { origin: this.#origin } })
  }

  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.cookie) headers.set('cookie', this.cookie)
    const response = await fetch(this.#origin + path, { redirect: 'manual', ...init, headers })
    const line = response.headers.getSetCookie().find(one => one.startsWith('sid='))
    if (line) this.cookie = /Max-Age=0|01 Jan 1970/.test(line) ? '' : line.split(';', 1)[0]!
    return response
  }
}

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import knexFactory, { type Knex } from 'knex'
import { detachedUsers, type UserBackend } from 'koa-strata'
import { migrate, type SqlUsers, sqlUsers } from 'koa-strata/sql'
import { newFolder } from '../../test/servers/folder.ts'
import type { Owner } from '../../test/servers/owner.ts'
import { firstWords } from '../../test/servers/port.ts'
import { Server } from '../../test/servers/server.ts'
import type { Employee } from './employee.ts'
import { createSuppliers, suppliersTable } from './suppliers.ts'
import { temps } from './temps.ts'

/** The people of the example, with their passwords: all but the last have a record in the canteen's database. */
export const PEOPLE: Readonly<Record<string, string>> = {
  ada: 'turbine hall 3 west',
  ines: 'ledger and lamp 12',
  otto: 'onions by the crate',
  vera: 'only visiting today',
  noor: 'مفتاح الباب ☕🔑 للعمل',
}

/** What the personnel department knows of those whom it knows. */
export const EMPLOYEES: Readonly<Record<string, Employee>> = {
  ada: { name: 'Ada Brightwell', department: 'Turbine hall', since: '2019-03-01', diet: 'vegetarian' },
  ines: { name: 'Inês Coração', department: 'Accounts', since: '2024-02-29', diet: 'any' },
}

const AGENCY = 'agency'
/** The agency's own list of its people: users without a record here. An id may be any text. */
const SENT: Readonly<Record<string, { id: string; email: string }>> = {
  noor: { id: 'مناوبة/نورة الحربي', email: 'noor@Brisk-Hands.example' },
}

/** People of a temporary employment agency, by the addresses that it gave them. */
export const agencyTemps = temps(AGENCY, new Map([['brisk-hands.example', 'Brisk Hands']]))

/** What the canteen is made of, but for the service. */
export interface Example {
  /** In memory. */
  readonly database: Knex
  /** Manages those who have a record there. */
  readonly accounts: SqlUsers
  /** They know everybody. */
  readonly backends: UserBackend[]
  /** The keys of those who have a record, by their names. */
  readonly keys: ReadonlyMap<string, string>
}

/** Makes the database, with the people of the example. */
export async function openExample(owner: Owner): Promise<Example> {
  const database = knexFactory({
    client: 'better-sqlite3',
    connection: ':memory:',
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  })
  owner.teardown(() => database.destroy())
  await migrate(database)
  await createSuppliers(database)
  const accounts = sqlUsers(database)
  const keys = new Map<string, string>()
  for (const [username, password] of Object.entries(PEOPLE)) {
    if (!Object.hasOwn(SENT, username)) keys.set(username, (await accounts.create({ username, password })).key)
  }
  await database(suppliersTable).insert({
    user_key: keys.get('otto'),
    company: 'Otto Greens',
    delivers: 'onions, leeks and lentils',
  })
  const agency = detachedUsers({
    name: AGENCY,
    authenticate: async ({ username = '', password }) =>
      Object.hasOwn(SENT, username) && PEOPLE[username] === password ? { ...SENT[username]!, username } : null,
  })
  return { database, accounts, backends: [accounts, agency], keys }
}

/** The personnel department's service, in a process of its own. */
export class Personnel {
  readonly server: Server
  /** What may look up. */
  readonly token: string
  /** What may change, which the canteen does not have. */
  readonly writeToken: string

  private constructor(server: Server, { read, write }: { read: string; write: string }) {
    this.server = server
    this.token = read
    this.writeToken = write
  }

  /** Starts it on a free port, without anybody. */
  static async start(owner: Owner): Promise<Personnel> {
    const folder = newFolder('personnel')
    const tokens = { read: randomBytes(32).toString('base64url'), write: randomBytes(32).toString('base64url') }
    writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens), { mode: 0o600 })
    const service = fileURLToPath(new URL('service.ts', import.meta.url))
    const server = await Server.start(owner, {
      name: 'The personnel service',
      folder,
      start: port => ({ program: process.execPath, args: [service, String(port), folder] }),
      url: port => `http://127.0.0.1:${port}/`,
      answers: async port => (await firstWords(port, 'GET / HTTP/1.0\r\n\r\n')).startsWith('HTTP/1.1 401'),
    })
    return new Personnel(server, tokens)
  }

  /** Whatever is put there: also what is no employee. */
  async put(user: string, profile: object): Promise<void> {
    await this.#change(user, {
      method: 'PUT',
      body: JSON.stringify(profile),
      headers: { 'content-type': 'application/json' },
    })
  }

  async remove(user: string): Promise<void> {
    await this.#change(user, { method: 'DELETE' })
  }

  async #change(user: string, init: RequestInit): Promise<void> {
    const headers = { ...init.headers, authorization: `Bearer ${this.writeToken}` }
    const { status } = await fetch(this.addressOf(user), { ...init, headers })
    if (status !== 204) throw new Error(`The personnel service answered ${status}.`)
  }

  get url(): string {
    return this.server.url
  }

  /** What a profile is got, put and removed by. */
  addressOf(user: string): string {
    return `${this.url}profile?user=${encodeURIComponent(user)}`
  }
}

/** Has it know the employees of the example. */
export async function employ(personnel: Personnel, keys: ReadonlyMap<string, string>): Promise<void> {
  for (const [username, employee] of Object.entries(EMPLOYEES)) await personnel.put(keys.get(username)!, employee)
}

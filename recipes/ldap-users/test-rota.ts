import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import knexFactory from 'knex'
import { migrate, sqlUsers } from 'koa-strata/sql'
import { Client } from 'ldapts'
import type { Slapd, SlapdOptions } from '../../test/servers/slapd.ts'
import { createRota } from './app.ts'
import { Directory, type DirectoryOptions } from './directory.ts'
import { exampleDirectory, PEOPLE, startDirectory } from './example.ts'

/** Ida has a record of her own, and everything is allowed her. */
export const IDA = { username: 'ida', email: 'ida@example.net', password: 'lamp of the north 5' }

/** How long the tests let the directory take, in milliseconds. */
export const DEADLINE = 1000

/** The very app of this recipe, with a directory and a database of its own. */
export interface TestRota {
  readonly origin: string
  readonly slapd: Slapd
  readonly directory: Directory
  /** What the application was told of with 'error'. */
  readonly errors: unknown[]
  /** Speaks to the directory as its administrator. */
  administrate<T>(work: (client: Client) => Promise<T>): Promise<T>
  /** How many connections others than the asker have to the directory. */
  connections(): Promise<number>
}

const MONITOR = `
database monitor
access to * by * read`

export async function startRota(
  t: ExecutionContext,
  { slapd: given, directory: also }: { slapd?: Partial<SlapdOptions>; directory?: Partial<DirectoryOptions> } = {},
): Promise<TestRota> {
  const slapd = await startDirectory(t, { ...given, database: MONITOR })
  const { server, administrator } = slapd
  const database = knexFactory({
    client: 'better-sqlite3',
    connection: ':memory:',
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  })
  t.teardown(() => database.destroy())
  await migrate(database)
  await sqlUsers(database).create({ ...IDA, isSuperuser: true })
  const directory = new Directory({ ...exampleDirectory(server.url), deadline: DEADLINE, ...also })
  t.teardown(() => directory.close())

  const errors: unknown[] = []
  const app = createRota({ database, directory, keys: ['k'.repeat(32)] })
  app.on('error', error => errors.push(error))
  const listening = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.teardown(() => {
    listening.close()
    listening.closeAllConnections()
  })

  const administrate = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ url: server.url, timeout: 5000, connectTimeout: 5000 })
    try {
      await client.bind(administrator.dn, administrator.password)
      return await work(client)
    } finally {
      await client.unbind()
    }
  }
  return {
    origin: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    slapd,
    directory,
    errors,
    administrate,
    connections: () =>
      administrate(async client => {
        const { searchEntries } = await client.search('cn=Current,cn=Connections,cn=Monitor', {
          scope: 'base',
          attributes: ['monitorCounter'],
        })
        return Number(searchEntries[0]!.monitorCounter) - 1
      }),
  }
}

/** Somebody with a browser of their own. */
export class Visitor {
  readonly #origin: string
  cookie = ''

  constructor({ origin }: { origin: string }) {
    this.#origin = origin
  }

  /** Somebody of the directory who is logged in. */
  static async loggedIn(site: { origin: string }, name: string, password = PEOPLE[name] ?? ''): Promise<Visitor> {
    const visitor = new Visitor(site)
    const status = await visitor.logIn(name, password)
    if (status !== 303) throw new Error(`${name} could not log in: ${status}`)
    return visitor
  }

  /** The status of the answer: 303 where the login went well. */
  async logIn(username: string, password: string): Promise<number> {
    return (await this.send('/login', { username, password })).status
  }

  /** How the page for everybody greets them, or its status where it is not there. */
  async greeting(): Promise<string> {
    const response = await this.send('/')
    if (response.status !== 200) return String(response.status)
    return /Hello <bdi>(.*)<\/bdi>/.exec(await response.text())?.[1] ?? 'anonymous'
  }

  /** The status of the page for members: 303 sends somebody who is anonymous to log in. */
  async rota(): Promise<number> {
    return (await this.send('/rota')).status
  }

  async send(path: string, form?: Record<string, string>): Promise<Response> {
    const response = await fetch(this.#origin + path, {
      redirect: 'manual',
      headers: { cookie: this.cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    const line = response.headers.getSetCookie().find(one => one.startsWith('sid='))
    if (line !== undefined) this.cookie = line.split(';', 1)[0]!
    return response
  }
}

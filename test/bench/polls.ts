/**
 * What a poll of a private feed costs the server, by how its reader shows who they are: `npm run bench:polls`. Each database has a server process of
 * its own, whose CPU time is measured, that of hashing threads included and that of the database not; the clients are in this process, and poll as
 * several readers who each wait for their answers. In each round all ways are measured one after the other; figures and ratios are medians of the
 * rounds. Private servers on this machine. Some 70 seconds.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import knexFactory, { type Knex } from 'knex'
import Koa, { type Middleware } from 'koa'
import { sessionOrBasicAuth, sessions, users } from 'koa-strata'
import { migrate, sqlFeedTokens, sqlUsers } from 'koa-strata/sql'
import { hashPassword } from '../../lib/users/passwords.ts'
import { configOf } from '../database/servers.ts'
import { nextMessage } from '../next-message.ts'
import { newFolder } from '../servers/folder.ts'
import { startMariadb } from '../servers/mariadb.ts'
import type { Owner } from '../servers/owner.ts'

const ROUNDS = 5
/** How long one measurement lasts, in milliseconds. */
const LASTS = 700
/** How many readers poll at the same time. */
const READERS = 8
/** Enough for each first poll to be another reader's. */
const PEOPLE = 5_000
const PASSWORD = 'correct horse battery staple'

const DATABASES: Readonly<Record<string, (owner: Owner) => Promise<Knex.Config>>> = {
  SQLite: async () => {
    const filename = join(newFolder('bench'), 'polls.db')
    return { client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true }
  },
  MariaDB: async owner => configOf((await startMariadb(owner)).url),
}

/** What a request shows, given what the reader of this number has. */
type Show = (reader: Reader) => { path: string; headers?: http.OutgoingHttpHeaders }

interface Reader {
  name: string
  token: string
  cookie: string
}

const authorization = (name: string) => `Basic ${Buffer.from(`${name}:${PASSWORD}`).toString('base64')}`

const WAYS: Readonly<Record<string, Show>> = {
  'no guard': () => ({ path: '/open' }),
  'session cookie': ({ cookie }) => ({ path: '/feed', headers: { cookie } }),
  'feed token in the address': ({ token }) => ({ path: `/feed?token=${token}` }),
  'repeated poll': ({ name }) => ({ path: '/feed', headers: { authorization: authorization(name) } }),
  'repeated poll, failed logins counted in the database': ({ name }) => ({
    path: '/shared/feed',
    headers: { authorization: authorization(name) },
  }),
  'first poll': () => ({ path: '/feed', headers: { authorization: authorization(newcomer()) } }),
  'repeated poll, hashed each time (`cache: false`)': ({ name }) => ({
    path: '/uncached',
    headers: { authorization: authorization(name) },
  }),
}

let came = READERS
/** Somebody who has not polled before. */
function newcomer(): string {
  return personOf(came++)
}

function personOf(number: number): string {
  return `reader-${number}`
}

interface Measured {
  /** Milliseconds of CPU time for one request. */
  cpu: number
  perSecond: number
}

/** The server: one application, and beside it one that counts failed logins in the database. */
async function serve(config: Knex.Config): Promise<void> {
  const knex = knexFactory(config)
  const apps = { '/shared': application(knex, true), '': application(knex, false) }
  const server = http.createServer((request, response) => {
    const prefix = request.url!.startsWith('/shared') ? '/shared' : ''
    request.url = request.url!.slice(prefix.length)
    apps[prefix](request, response)
  })
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.on('message', () => process.send!(process.cpuUsage()))
  process.once('disconnect', () => process.exit())
  process.send!((server.address() as AddressInfo).port)
}

function application(knex: Knex, shared: boolean) {
  const app = new Koa()
  app.use(sessions({ keys: ['a key of the benchmark, 32 bytes or more'] }))
  app.use(users({ backends: [sqlUsers(knex)], throttle: shared ? { sql: knex } : {} }))
  const guards: Record<string, Middleware> = {
    '/feed': sessionOrBasicAuth({ realm: 'Bench', tokens: sqlFeedTokens(knex) }),
    '/uncached': sessionOrBasicAuth({ realm: 'Bench', cache: false }),
    '/remembered': sessionOrBasicAuth({ realm: 'Bench', remember: true }),
  }
  app.use((ctx, next) => guards[ctx.path]?.(ctx, next) ?? next())
  app.use(ctx => {
    ctx.body = 'a feed'
  })
  return app.callback()
}

/** Makes the tables, and people who all have one password. */
async function populate(knex: Knex): Promise<string[]> {
  await migrate(knex)
  const people = sqlUsers(knex)
  const tokens = sqlFeedTokens(knex)
  const made: string[] = []
  const password = await hashPassword(PASSWORD)
  for (let number = 0; number < READERS; number++) {
    const user = await people.create({ username: personOf(number) })
    await knex('users').where({ id: user.id }).update({ password })
    made.push((await tokens.create(user, { name: 'bench' })).token)
  }
  const { id: _, ...row } = await knex('users').first()
  const rows = Array.from({ length: PEOPLE }, (_, index) => {
    const username = personOf(READERS + index)
    return { ...row, username, username_canonical: username }
  })
  await knex.batchInsert('users', rows, 50)
  return made
}

/** One server of the measurements, and those who poll it. */
class Bench {
  readonly #child: ChildProcess
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: READERS })
  readonly #port: number
  readonly #readers: Reader[]

  private constructor(child: ChildProcess, port: number, tokens: readonly string[]) {
    this.#child = child
    this.#port = port
    this.#readers = tokens.map((token, number) => ({ name: personOf(number), token, cookie: '' }))
  }

  static async start(config: Knex.Config): Promise<Bench> {
    const knex = knexFactory(config)
    const tokens = await populate(knex).finally(() => knex.destroy())
    const child = fork(import.meta.filename, ['serve', JSON.stringify(config)])
    const bench = new Bench(child, await nextMessage<number>(child), tokens)
    for (const reader of bench.#readers) {
      const headers = { authorization: authorization(reader.name) }
      const { 'set-cookie': lines = [] } = await bench.#get({ path: '/remembered', headers })
      reader.cookie = lines.map(line => line.split(';')[0]).join('; ')
    }
    return bench
  }

  async measure(show: Show): Promise<Measured> {
    let count = 0
    const begun = await this.#cpu()
    const start = performance.now()
    await Promise.all(
      this.#readers.map(async reader => {
        for (; performance.now() - start < LASTS; count++) await this.#get(show(reader))
      }),
    )
    const perSecond = (count / (performance.now() - start)) * 1000
    return { cpu: ((await this.#cpu()) - begun) / 1000 / count, perSecond }
  }

  end(): void {
    this.#agent.destroy()
    this.#child.kill('SIGKILL')
  }

  /** Microseconds of CPU time until now. */
  async #cpu(): Promise<number> {
    const answer = nextMessage<NodeJS.CpuUsage>(this.#child)
    this.#child.send('cpu')
    const { user, system } = await answer
    return user + system
  }

  #get({ path, headers = {} }: ReturnType<Show>): Promise<http.IncomingHttpHeaders> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#port, path, headers, agent: this.#agent }
      http
        .get(options, answer => {
          answer.resume().on('end', () => {
            if (answer.statusCode === 200) resolve(answer.headers)
            else reject(new Error(`${path}: ${answer.statusCode}`))
          })
        })
        .on('error', reject)
    })
  }
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1]!
}

async function compare(): Promise<void> {
  const ended: (() => unknown)[] = []
  const owner: Owner = { teardown: end => ended.push(end) }
  console.log('| database | what a poll shows | CPU ms | ÷ no guard | ÷ hashed each time | polls/s |')
  console.log('| --- | --- | ---: | ---: | ---: | ---: |')
  for (const [database, configure] of Object.entries(DATABASES)) {
    const bench = await Bench.start(await configure(owner))
    const rounds: Record<string, Measured>[] = []
    // The first round warms up.
    for (let count = 0; count <= ROUNDS; count++) {
      const round: Record<string, Measured> = {}
      for (const [way, show] of Object.entries(WAYS)) round[way] = await bench.measure(show)
      if (count > 0) rounds.push(round)
    }
    bench.end()
    const [open = '', hashed = ''] = [Object.keys(WAYS)[0], Object.keys(WAYS).at(-1)]
    for (const way of Object.keys(WAYS)) {
      const ratio = (other: string) => median(rounds.map(round => round[way]!.cpu / round[other]!.cpu))
      const cells = [
        median(rounds.map(round => round[way]!.cpu)).toFixed(2),
        ratio(open).toFixed(1),
        ratio(hashed).toFixed(3),
        Math.round(median(rounds.map(round => round[way]!.perSecond))),
      ]
      console.log(`| ${[database, way, ...cells].join(' | ')} |`)
    }
  }
  for (const end of ended.reverse()) await end()
}

const [, , role, config = ''] = process.argv
await (role === 'serve' ? serve(JSON.parse(config)) : compare())

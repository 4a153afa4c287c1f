import { type ChildProcess, fork } from 'node:child_process'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { nextMessage } from '../next-message.ts'
import type { Owner } from '../servers/owner.ts'
import { KINDS, type Kind, type Person, type Request } from './capacity-kinds.ts'
import { between, cpuOf, type Reading, read } from './capacity-meters.ts'

const CONCURRENCY = 8
/** How often each kind is sent where operations are counted. */
const ONE_BY_ONE = 24

/** What one request of a kind costs; CPU time in microseconds. */
export interface Cost extends Reading {
  readonly kind: string
  readonly commands: number
  readonly redisCpu: number
  readonly sqlCpu: number
  readonly appCpu: number
}

/** The servers behind the site. */
export interface Parts {
  readonly redis: Redis
  readonly redisUrl: string
  readonly redisPid: number
  readonly database: Knex
  readonly databaseUrl: string
  readonly sqlPid: number
}

/** A site, and those who use it. */
export class Bench {
  readonly #child: ChildProcess
  readonly #port: number
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  readonly #people: Person[]
  readonly #redis: Redis
  readonly #database: Knex
  readonly #pids: Record<'redisCpu' | 'sqlCpu' | 'appCpu', number>

  private constructor(child: ChildProcess, port: number, people: Person[], parts: Parts) {
    this.#child = child
    this.#port = port
    this.#people = people
    this.#redis = parts.redis
    this.#database = parts.database
    this.#pids = { redisCpu: parts.redisPid, sqlCpu: parts.sqlPid, appCpu: child.pid! }
  }

  static async start(owner: Owner, parts: Parts, people: Person[]): Promise<Bench> {
    const child = fork(fileURLToPath(new URL('capacity-site.ts', import.meta.url)), {
      env: { ...process.env, REDIS_URL: parts.redisUrl, DATABASE_URL: parts.databaseUrl },
    })
    owner.teardown(() => child.kill('SIGKILL'))
    return new Bench(child, await nextMessage<number>(child), people, parts)
  }

  async logIn(): Promise<void> {
    const login = KINDS.find(({ name }) => name === 'login')!
    await this.#each(this.#people.length, async index => {
      const person = this.#people[index]!
      person.cookie = await this.#send(login.request(person))
    })
  }

  async cost(kind: Kind): Promise<Cost> {
    // What is only done the first time is not counted: connections, scripts, credentials that are remembered.
    await this.#each(this.#people.length, index => this.#send(kind.request(this.#people[kind.alone ? 0 : index]!)))
    if (kind.ends) await this.logIn()
    const itself = between(await this.#read(), await this.#read())
    const [before, sent] = [await this.#read(), await this.#commands()]
    for (let time = 0; time < ONE_BY_ONE; time++) await this.#send(kind.request(this.#people[kind.alone ? 0 : time]!))
    const commands = ((await this.#commands()) - sent) / ONE_BY_ONE
    const counted = Object.entries(between(before, await this.#read(), itself))
    const each = Object.fromEntries(counted.map(([name, all]) => [name, all / ONE_BY_ONE])) as unknown as Reading
    if (kind.ends) await this.logIn()
    const cpu = await this.#cpu(kind)
    if (kind.ends) await this.logIn()
    return { kind: kind.name, ...each, commands, ...cpu }
  }

  async #cpu({ request, times, alone }: Kind) {
    const readings = () => Object.entries(this.#pids).map(([name, pid]) => [name, cpuOf(pid)] as const)
    const before = readings()
    await this.#each(times, index => this.#send(request(this.#people[alone ? 0 : index % this.#people.length]!)))
    const after = Object.fromEntries(readings())
    return Object.fromEntries(before.map(([name, cpu]) => [name, (after[name]! - cpu) / times])) as Record<
      'redisCpu' | 'sqlCpu' | 'appCpu',
      number
    >
  }

  async #each(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
    let next = 0
    const lane = async () => {
      while (next < count) await act(next++)
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, lane))
  }

  #read(): Promise<Reading> {
    return read(this.#redis, this.#database)
  }

  #commands(): Promise<number> {
    const answer = nextMessage<number>(this.#child)
    this.#child.send('commands')
    return answer
  }

  /** Sends a request, and answers the cookies that it gave. */
  #send({ path, form, headers = {} }: Request): Promise<string> {
    return new Promise((resolve, reject) => {
      const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
      const options = {
        host: '127.0.0.1',
        port: this.#port,
        path,
        agent: this.#agent,
        headers: { ...headers, ...type },
      }
      http
        .request({ ...options, method: form === undefined ? 'GET' : 'POST' }, answer => {
          answer.resume().on('end', () => {
            const lines = answer.headers['set-cookie'] ?? []
            if (answer.statusCode === 200) resolve(lines.map(line => line.split(';')[0]).join('; '))
            else reject(new Error(`${path}: ${answer.statusCode}`))
          })
        })
        .on('error', reject)
        .end(form)
    })
  }
}

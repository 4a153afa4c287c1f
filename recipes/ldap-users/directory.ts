import { randomUUID } from 'node:crypto'
import { AndFilter, type Client, type Entry, EqualityFilter, type Filter, FilterParser, ResultCodeError } from 'ldapts'
import { type Connection, type ConnectionOptions, connect, disconnect, whileOpen } from './connection.ts'

/** Where people and groups are in a directory, and how they are found. */
export interface DirectoryOptions extends ConnectionOptions {
  /** Who looks people up: an account that may read them, and no passwords. */
  account: { dn: string; password: string }
  /** The entry that people are below. */
  people: string
  /** The entry that the groups are right below. */
  groups: string
  /** Which entries are people who may log in, and stay logged in. @default '(objectClass=inetOrgPerson)' */
  filter?: string | undefined
  /** What people log in by. The first attribute counts by which somebody is found. @default ['uid', 'mail'] */
  loginAttributes?: readonly string[] | undefined
  /** What changes when a person's sessions shall end. @default 'pwdChangedTime', which OpenLDAP's ppolicy keeps */
  stampAttribute?: string | undefined
  /** How long one question may take, connecting included, in milliseconds. @default 2000 */
  deadline?: number | undefined
  /** How long the service account's connection is kept unused, in milliseconds: less than firewalls forget one in. @default 10_000 */
  idleTimeout?: number | undefined
}

/** Somebody in the directory, as they are now. */
export interface Person {
  /** Theirs for good, under whichever name (entryUUID, RFC 4530). */
  readonly id: string
  readonly username: string
  readonly name: string
  readonly email: string | null
  readonly stamp: string
  /** The names of their groups. */
  readonly groups: readonly string[]
}

/**
 * What a directory answers to a bind that it refuses this person (RFC 4511 §A.2): a wrong password; none that would do; gone meanwhile; locked.
 * The service account has been let in by then, so that "unwilling" is no word about everybody.
 */
const REFUSALS = new Set([49, 48, 32, 19, 53])

/** People and their groups in an LDAP directory. Whatever goes wrong rejects, in time; absence and refusal are null. */
export class Directory {
  readonly #options: Required<Omit<DirectoryOptions, keyof ConnectionOptions | 'filter'>> & ConnectionOptions
  readonly #filter: Filter
  #service: Connection | null = null
  #idle: NodeJS.Timeout | undefined

  constructor(options: DirectoryOptions) {
    const {
      filter = '(objectClass=inetOrgPerson)',
      loginAttributes = ['uid', 'mail'],
      stampAttribute = 'pwdChangedTime',
      deadline = 2000,
      idleTimeout = 10_000,
    } = options
    this.#filter = FilterParser.parseString(filter)
    this.#options = { ...options, loginAttributes, stampAttribute, deadline, idleTimeout }
  }

  /** Whoever has this name and password. */
  async authenticate(name: string, password: string): Promise<Person | null> {
    // A bind without a password is one as nobody (RFC 4513 §5.1.2), and servers may say that it went well.
    if (name === '' || password === '') return null
    return this.#inTime(async signal => {
      const found = await this.#ask(signal, client => this.#search(client, name))
      // Somebody unknown is asked for as well, so that they take as many questions as a wrong password.
      const dn = found?.dn ?? `cn=${randomUUID()},${this.#options.people}`
      const isRight = await this.#opens(dn, password, signal)
      return found && isRight ? this.#ask(signal, client => this.#person(client, found)) : null
    })
  }

  /** Whoever has this id now. */
  find(id: string): Promise<Person | null> {
    return this.#inTime(signal =>
      this.#ask(signal, async client => {
        const [found] = await this.#entries(client, 'entryUUID', id)
        return found ? this.#person(client, found) : null
      }),
    )
  }

  /** Lets go of the connection. Whoever asks afterwards gets another one. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const service = this.#service
    this.#service = null
    if (service) await disconnect(service)
  }

  async #search(client: Client, name: string): Promise<Entry | null> {
    const { loginAttributes } = this.#options
    const found = await Promise.all(loginAttributes.map(attribute => this.#entries(client, attribute, name)))
    const entries = found.find(({ length }) => length > 0) ?? []
    return entries.length === 1 ? entries[0]! : null
  }

  /** Entries of people with this value, which is taken as it is: a filter that is an object needs no escaping. */
  async #entries(client: Client, attribute: string, value: string): Promise<Entry[]> {
    const { people, loginAttributes, stampAttribute } = this.#options
    const { searchEntries } = await client.search(people, {
      scope: 'sub',
      filter: new AndFilter({ filters: [this.#filter, new EqualityFilter({ attribute, value })] }),
      attributes: ['entryUUID', 'cn', 'mail', ...loginAttributes, stampAttribute],
      sizeLimit: 2,
    })
    return searchEntries
  }

  async #person(client: Client, entry: Entry): Promise<Person> {
    const { groups, loginAttributes, stampAttribute } = this.#options
    const { searchEntries } = await client.search(groups, {
      scope: 'one',
      filter: new AndFilter({
        filters: [
          new EqualityFilter({ attribute: 'objectClass', value: 'groupOfNames' }),
          new EqualityFilter({ attribute: 'member', value: entry.dn }),
        ],
      }),
      attributes: ['cn'],
    })
    const username = first(entry, loginAttributes[0]!)
    return {
      id: first(entry, 'entryUUID'),
      username,
      name: first(entry, 'cn') || username,
      email: first(entry, 'mail') || null,
      stamp: first(entry, stampAttribute),
      groups: searchEntries.map(group => first(group, 'cn')),
    }
  }

  /** Whether the password is that entry's, on a connection of its own. */
  async #opens(dn: string, password: string, signal: AbortSignal): Promise<boolean> {
    const connection = connect(this.#options)
    const { client, socket, ready } = connection
    try {
      await whileOpen(socket, signal, async () => {
        await ready
        await client.bind(dn, password)
      })
      return true
    } catch (error) {
      if (error instanceof ResultCodeError && REFUSALS.has(error.code)) return false
      throw error
    } finally {
      void disconnect(connection)
    }
  }

  /**
   * Asks as the service account, on the one connection that all questions share. Whoever has waited too long ends it for everybody: a connection
   * that hangs does not get better.
   */
  async #ask<T>(signal: AbortSignal, question: (client: Client) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle)
    if (!this.#service || this.#service.socket.destroyed) this.#service = this.#open()
    const { client, socket, ready } = this.#service
    try {
      return await whileOpen(socket, signal, async () => {
        await ready
        return question(client)
      })
    } finally {
      clearTimeout(this.#idle)
      this.#idle = setTimeout(() => void this.close(), this.#options.idleTimeout).unref()
    }
  }

  #open(): Connection {
    const connection = connect(this.#options)
    const { dn, password } = this.#options.account
    const bind = async () => {
      try {
        await connection.ready
        await connection.client.bind(dn, password)
      } catch (error) {
        connection.socket.destroy()
        if (!(error instanceof ResultCodeError)) throw error
        throw new Error(`The directory did not let ${dn} in.`, { cause: error })
      }
    }
    return { ...connection, ready: bind() }
  }

  /** Does what must be done by the deadline: the signal says when it has passed. */
  async #inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { deadline } = this.#options
    const controller = new AbortController()
    const late = () => controller.abort(new Error(`The directory did not answer within ${deadline} ms.`))
    const timer = setTimeout(late, deadline)
    try {
      return await work(controller.signal)
    } finally {
      clearTimeout(timer)
    }
  }
}

function first(entry: Entry, attribute: string): string {
  const [value = ''] = [entry[attribute] ?? ''].flat()
  return String(value)
}

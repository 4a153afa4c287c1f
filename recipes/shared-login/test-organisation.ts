import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { createForum, createShop } from './app.ts'
import { fillDatabases, openDatabase, PEOPLE } from './example.ts'
import type { SharedLogin } from './login.ts'
import { openStore } from './store.ts'

/** The databases and the sessions of a test's organisation, and how to start its applications on them. */
export interface TestOrganisation {
  readonly shopDatabase: Knex
  readonly forumDatabase: Knex
  /** Starts both. @param login what they are made with besides */
  start(login?: Partial<SharedLogin>): Promise<{ shop: string; forum: string }>
}

const KEY = 'k'.repeat(32)
/** In milliseconds: one that a busy machine keeps too. */
export const DEADLINE = 30_000

/** @param where its sessions are, as `openStore()` has it; left out: a directory */
export async function foundOrganisation(t: ExecutionContext, where?: string): Promise<TestOrganisation> {
  const folder = await mkdtemp(join(tmpdir(), 'shared-login-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const files = { people: join(folder, 'people'), shop: join(folder, 'shop'), forum: join(folder, 'forum') }
  await fillDatabases(files)
  const open = (file: string) => {
    const database = openDatabase(file)
    t.teardown(() => database.destroy())
    return database
  }
  const [people, shopDatabase, forumDatabase] = [open(files.people), open(files.shop), open(files.forum)]
  const store = await openStore(t, where ?? join(folder, 'sessions'), people)
  return {
    shopDatabase,
    forumDatabase,
    async start(more = {}) {
      const servers = [createServer(), createServer()]
      for (const server of servers) {
        server.listen(0, '127.0.0.1')
        await once(server, 'listening')
        t.teardown(() => {
          server.closeAllConnections()
          server.close()
        })
      }
      const hosts =
        more.domain === undefined ? ['127.0.0.1', '127.0.0.1'] : [`shop.${more.domain}`, `forum.${more.domain}`]
      const [shop, forum] = servers.map(
        (server, index) => `http://${hosts[index]}:${(server.address() as AddressInfo).port}`,
      ) as [string, string]
      const login = { people, store, keys: [KEY], deadline: DEADLINE, ...more }
      servers[0]!.on('request', createShop({ database: shopDatabase, login, other: `${forum}/` }).callback())
      servers[1]!.on('request', createForum({ database: forumDatabase, login, other: `${shop}/` }).callback())
      return { shop, forum }
    },
  }
}

/** Somebody whose browser has the cookie of one host, which knows no ports. */
export class Visitor {
  cookie = ''

  /** A browser with a copy of the cookie. */
  copy(): Visitor {
    return Object.assign(new Visitor(), { cookie: this.cookie })
  }

  async page(origin: string): Promise<string> {
    return (await this.#send(`${origin}/`)).text()
  }

  /** Posts a form, and answers the status. */
  async post(url: string, fields: Record<string, string> = {}): Promise<number> {
    const { origin } = new URL(url)
    return (await this.#send(url, { method: 'POST', body: new URLSearchParams(fields), headers: { origin } })).status
  }

  logIn(origin: string, username: string, password = PEOPLE[username]!): Promise<number> {
    return this.post(`${origin}/login`, { username, password })
  }

  /** Whom the page there greets; empty for nobody. */
  async whoIs(origin: string): Promise<string> {
    return /<bdi>(\w+)<\/bdi>\n<form method="post" action="\/logout">/.exec(await this.page(origin))?.[1] ?? ''
  }

  async #send(url: string, { headers, ...init }: { headers?: Record<string, string> } & RequestInit = {}) {
    const cookies: Record<string, string> = this.cookie === '' ? {} : { cookie: this.cookie }
    const response = await fetch(url, { redirect: 'manual', ...init, headers: { ...headers, ...cookies } })
    const line = response.headers.getSetCookie().find(one => one.startsWith('sid='))
    if (line !== undefined) this.cookie = /^sid=;/.test(line) ? '' : line.split(';', 1)[0]!
    return response
  }
}

import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import http, { type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { PEOPLE } from './example.ts'
import { type Site, type SiteOptions, startSite } from './site.ts'

/** The very app of this recipe behind the very nginx.conf. */
export interface TestLibrary extends Site {
  /** What the app has logged. */
  readonly lines: string[]
}

export async function startLibrary(t: ExecutionContext, options: Partial<SiteOptions> = {}): Promise<TestLibrary> {
  const lines: string[] = []
  const site = await startSite(t, { log: line => lines.push(line), ...options })
  return { ...site, lines }
}

/** Everything that nginx has written, when it has written all that was asked for so far. */
export async function writtenByNginx({ origin, folder }: Site): Promise<string> {
  const last = `/last-${Math.random()}`
  await fetch(origin + last)
  const log = join(folder, 'tool-library.access.log')
  while (!readFileSync(log, 'utf8').includes(last)) await wait(10)
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
    .map(path => readFileSync(path, 'latin1'))
    .join('\n')
}

/** What a reader is answered. It sends these headers and no others, where `fetch` would add `Cache-Control: no-cache` to a condition. */
export async function poll(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  const [response] = (await once(http.get(url, { headers }), 'response')) as [http.IncomingMessage]
  response.resume()
  return { status: response.statusCode!, headers: response.headers }
}

/** An Authorization header of HTTP Basic. */
export function basic(username: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** Somebody who is logged in. */
export class Visitor {
  readonly #origin: string
  #cookie = ''

  private constructor({ origin }: Site) {
    this.#origin = origin
  }

  static async loggedIn(site: Site, username: string): Promise<Visitor> {
    const visitor = new Visitor(site)
    const { status } = await visitor.ask('/login', { username, password: PEOPLE[username]! })
    if (status !== 303) throw new Error(`${username} could not log in: ${status}`)
    return visitor
  }

  get headers(): { cookie: string } {
    return { cookie: this.#cookie }
  }

  /** A page, or the answer to a form. */
  async ask(path: string, form?: Record<string, string>): Promise<{ status: number; text: string; headers: Headers }> {
    const response = await fetch(this.#origin + path, {
      redirect: 'manual',
      headers: this.headers,
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    const line = response.headers.getSetCookie().find(one => one.startsWith('sid='))
    if (line !== undefined) this.#cookie = line.split(';', 1)[0]!
    return { status: response.status, text: await response.text(), headers: response.headers }
  }

  /** Makes a token on the page for it, and answers its text. */
  async newToken(name: string): Promise<string> {
    const { status, text } = await this.ask('/feeds/tokens', { name })
    const token = /<code>(feed_[\w-]{43})<\/code>/.exec(text)?.[1]
    if (status !== 201 || token === undefined) throw new Error(`no token was made: ${status} ${text}`)
    return token
  }

  /** Where the page has the button that revokes a token. */
  async revocationOf(name: string): Promise<string> {
    const { text } = await this.ask('/feeds')
    return new RegExp(`action="([^"]+/revoke)"><button aria-label="Revoke ${name}">`).exec(text)![1]!
  }
}

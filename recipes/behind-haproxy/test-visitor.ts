import { readFileSync } from 'node:fs'
import http, { type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import https from 'node:https'
import { SWIMMERS } from './app.ts'
import type { Site } from './site.ts'

/** What somebody sees of one response. */
export interface Seen {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** A request that was sent as far as the first half of its body. */
export interface Half {
  /** Sends the rest, and answers what comes back. */
  finish(): Promise<Seen>
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** Somebody at the site, whose connections stay open between requests, as a browser's do, and who sends no request again. */
export class Visitor {
  readonly origin: string
  cookie = ''
  readonly #ca: string
  readonly #agent: http.Agent

  constructor(site: Site, scheme: 'http' | 'https' = 'https') {
    this.origin = site[scheme]
    this.#ca = readFileSync(site.certificate.certificate, 'utf8')
    this.#agent = new (scheme === 'https' ? https : http).Agent({ keepAlive: true })
  }

  logIn(username: string): Promise<Seen> {
    return this.post('/login', { username, password: SWIMMERS.get(username) ?? '' })
  }

  get(path: string, headers: OutgoingHttpHeaders = {}): Promise<Seen> {
    const { request, seen } = this.#begin('GET', path, headers)
    request.end()
    return seen
  }

  post(path: string, fields: Record<string, string> = {}): Promise<Seen> {
    const { request, seen } = this.#begin('POST', path, FORM)
    request.end(new URLSearchParams(fields).toString())
    return seen
  }

  /** Begins to add a length, over a connection of its own, and answers when a process has begun with it too. */
  async half(): Promise<Half> {
    const headers = { ...FORM, 'content-length': 4, expect: '100-continue' }
    const { request, seen } = this.#begin('POST', '/lengths', headers, false)
    request.flushHeaders()
    // What fails it in between is told by finish().
    seen.catch(() => {})
    await Promise.race([new Promise(resolve => request.once('continue', resolve)), seen])
    request.write('a=')
    return {
      finish: () => {
        request.end('1\n')
        return seen
      },
    }
  }

  /** The lengths that the page says, or null for somebody who is not logged in. */
  async lengths(): Promise<number | null> {
    const said = /has swum <output>(\d+)<\/output>/.exec((await this.get('/')).text)?.[1]
    return said === undefined ? null : Number(said)
  }

  leave(): void {
    this.#agent.destroy()
  }

  #begin(method: string, path: string, headers: OutgoingHttpHeaders, agent: http.Agent | false = this.#agent) {
    const { origin } = this
    const cookies = this.cookie ? { cookie: this.cookie } : {}
    // Whatever Host says, the certificate is the address's.
    const options = { method, agent, ca: this.#ca, servername: '', headers: { origin, ...cookies, ...headers } }
    const request = (origin.startsWith('https:') ? https : http).request(origin + path, options)
    const seen = new Promise<Seen>((resolve, reject) => {
      request.on('error', reject)
      request.once('response', async response => {
        const text = Buffer.concat(await response.toArray()).toString()
        const line = response.headers['set-cookie']?.find(one => one.startsWith('sid='))
        if (line !== undefined) this.cookie = line.split(';', 1)[0]!
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    return { request, seen }
  }
}
